import assert from "node:assert/strict";
import { test } from "node:test";
import { ResultWindow } from "../../src/sink/result-window.js";

test("who fills the window waits until there is room in it", async () => {
  const window = new ResultWindow(100);
  assert.equal(window.sent(99), undefined);
  const full = window.sent(50)!;
  assert.equal(window.sent(1), full);
  let goesOn = false;
  void full.then(() => (goesOn = true));
  window.taken(50);
  await Promise.resolve();
  assert.equal(goesOn, false);
  window.taken(1);
  await full;
  assert.equal(window.sent(0), undefined);
  assert.equal(new ResultWindow(Number.POSITIVE_INFINITY).sent(1e12), undefined);
});
