import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonErrorColumn } from "../../src/format/json-error-column.js";

test("points at the first character that cannot be there", () => {
  for (const [text, column] of [['{"a":1,}', 8], ['{"a" 1}', 6], ["[1,2", 5], ["[1 2]", 4], ["nul", 1], ["01", 2], ['"a\nb"', 3], ["{} x", 4], ["", 1], ["1,2", 2], ['{"a":tru}', 6], ["[]]", 3]] as const) {
    assert.throws(() => JSON.parse(text));
    assert.equal(jsonErrorColumn(text), column, text);
  }
});

test("accepts what JSON.parse accepts, and finds an error where it does not", () => {
  const mutated = fc.tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", "]", '"', ":", "0", "-", " ")).map(([text, at, piece]) => {
    const i = at % (text.length + 1);
    return text.slice(0, i) + piece + text.slice(i + (piece === "" ? 1 : 0));
  });
  fc.assert(fc.property(mutated, (text) => {
    let valid = true;
    try {
      JSON.parse(text);
    } catch {
      valid = false;
    }
    const column = jsonErrorColumn(text);
    assert.ok(column >= 1 && column <= text.length + 1);
    if (valid) assert.equal(column, text.length + 1);
    // Everything before the error can still become JSON, so cutting there never moves the error to the left.
    else assert.ok(jsonErrorColumn(text.slice(0, column - 1)) >= column - 6, text);
  }), { numRuns: 3000, verbose: 1 });
});
