import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH, groupBy, jsonLines, printedBy, sorted, STREAMING } from "./run-example.js";

const clicks = jsonLines<{ user: string; page: string; timestamp: number }>("clicks.jsonl");
const hhmmss = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

test("click sessions: the clicks of a user until a gap", async () => {
  const gapMs = 20 * 60_000;
  const expected = [...groupBy(clicks, (c) => c.user).values()].flatMap((of) => {
    const sessions: (typeof clicks)[] = [];
    for (const click of of) {
      const last = sessions.at(-1)?.at(-1);
      // Windows are half-open, and merge when they touch.
      if (last !== undefined && click.timestamp - last.timestamp <= gapMs) sessions.at(-1)!.push(click);
      else sessions.push([click]);
    }
    return sessions.map((session) => {
      const minutes = (session.at(-1)!.timestamp - session[0]!.timestamp) / 60_000;
      const checkedOut = session.some((click) => click.page === "/checkout") ? ", checked out" : "";
      return `${hhmmss(session[0]!.timestamp)} ${session[0]!.user} ${session.length} clicks in ${minutes.toFixed(1)} min${checkedOut}`;
    });
  });
  assert.ok(expected.length > 100);
  for (const options of [STREAMING, BATCH]) assert.deepEqual(sorted(await printedBy("click-sessions", options, ["--gap", "20 min"])), sorted(expected));
});

test("custom trigger: a result whenever the count has doubled, and at the end of the hour", async () => {
  const expected = [...groupBy(clicks, (c) => `${hhmmss(c.timestamp).slice(0, 2)}:00 ${c.page}`)].flatMap(([window, of]) => {
    const lines = [`${window} ${of.length} views`];
    for (let views = 1; views <= of.length; views *= 2) lines.push(`${window} ${views} views so far`);
    return lines;
  });
  for (const options of [STREAMING, BATCH]) assert.deepEqual(sorted(await printedBy("custom-trigger", options)), sorted(expected));
});
