import assert from "node:assert/strict";
import { test } from "node:test";
import { postgresMissing } from "../../tools/services/postgres/postgres-server.js";
import { BATCH, groupBy, printedBy, STREAMING } from "./run-example.js";

const PLACES: Readonly<Record<number, string>> = { 1: "cellar", 2: "kitchen", 3: "attic", 4: "kitchen" };

test("database enrichment: the highest reading of each place", { skip: postgresMissing() ?? false }, async () => {
  const readings = Array.from({ length: 2000 }, (_, i) => ({ place: PLACES[(i + 1) % 5], celsius: 15 + (((i + 1) * 37) % 200) / 10 })).filter(({ place }) => place !== undefined);
  const expected = [...groupBy(readings, ({ place }) => place!)].map(([place, of]) => `${place}: ${Math.max(...of.map(({ celsius }) => celsius)).toFixed(1)}`).sort();
  for (const options of [STREAMING, BATCH]) assert.deepEqual(await printedBy("database-enrichment", options), expected);
});
