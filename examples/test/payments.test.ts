import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH, csvRows, groupBy, jsonLines, printedBy, sorted, STREAMING } from "./run-example.js";

const payments = csvRows("transactions.csv").map(([id, account, time, amount, merchant]) => ({
  id: Number(id), account: account!, ms: Date.parse(time!), time: time!, amount: Number(amount), merchant: merchant!,
}));

test("fraud detection: a small payment, and within a minute a large one", async () => {
  const expected = [...groupBy(payments, (p) => p.account).values()].flatMap((of) =>
    of.filter((p, i) => i > 0 && of[i - 1]!.amount < 20 && p.amount > 300 && p.ms - of[i - 1]!.ms <= 120_000)
      .map((p) => `${p.time} account ${p.account}: payment ${p.id} of ${p.amount.toFixed(2)}`));
  assert.ok(expected.length > 10);
  for (const options of [STREAMING, BATCH]) {
    assert.deepEqual(sorted(await printedBy("fraud-detection", options, ["--small", "20", "--large", "300", "--within", "2 min"])), sorted(expected));
  }
});

test("fraud detection finds the six stolen cards that are in the data", async () => {
  assert.deepEqual((await printedBy("fraud-detection")).map((line) => /account (\d+):/.exec(line)![1]).sort(), ["11", "19", "27", "3", "35", "48"]);
});

test("broadcast rules: every payment is checked against the rules of its time", async () => {
  const rules = jsonLines<{ ruleId: string; above: number; merchant?: string; effectiveFrom: number }>("alert-rules.jsonl");
  const expected = payments.flatMap((p) =>
    [...groupBy(rules.filter((rule) => rule.effectiveFrom <= p.ms), (rule) => rule.ruleId).values()]
      .map((versions) => versions.reduce((a, b) => (b.effectiveFrom >= a.effectiveFrom ? b : a)))
      .filter((rule) => p.amount > rule.above && (rule.merchant === undefined || rule.merchant === p.merchant))
      .map((rule) => `${p.time} ${rule.ruleId}: payment ${p.id} of ${p.amount.toFixed(2)} (${p.merchant}) > ${rule.above}`));
  assert.ok(new Set(expected.map((line) => line.replace(/payment .*>/, "").slice(25))).size === 3, "each version of each rule matches something");
  for (const options of [STREAMING, BATCH]) assert.deepEqual(sorted(await printedBy("broadcast-rules", options)), sorted(expected));
});

test("async enrichment: large payments at risky merchants, in order, though the service refuses a third of the calls once", async () => {
  const expected = payments.filter((p) => p.amount > 300 && ["travel", "online"].includes(p.merchant))
    .map((p) => `payment ${p.id} of account ${p.account}: ${p.amount.toFixed(2)} at ${p.merchant}`);
  for (const options of [STREAMING, BATCH]) assert.deepEqual(await printedBy("async-enrichment", options), expected);
});
