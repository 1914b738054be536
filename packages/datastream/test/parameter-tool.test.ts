import assert from "node:assert/strict";
import { test } from "node:test";
import { MultipleParameterTool, ParameterTool } from "../src/index.js";

test("arguments in every form", () => {
  const tool = ParameterTool.fromArgs(["--input", "a b.txt", "-n", "-5", "--rate=2.5", "--verbose", "--gap", "10 s", "--empty=", "--last", "1", "--last", "2", "--eq=a=b"]);
  assert.deepEqual([tool.get("input"), tool.getInt("n"), tool.getNumber("rate"), tool.getBoolean("verbose"), tool.getDuration("gap"), tool.get("empty"), tool.getInt("last"), tool.get("eq")],
    ["a b.txt", -5, 2.5, true, 10_000, "", 2, "a=b"]);
  assert.deepEqual([tool.has("input"), tool.has("output"), tool.get("output"), tool.get("output", "x"), tool.getInt("m", 3), tool.getBoolean("b", false), tool.getDuration("d", "1 s")],
    [true, false, undefined, "x", 3, false, 1000]);
});

test("what is missing or wrong is named, with the nearest name", () => {
  const tool = ParameterTool.fromArgs(["--imput", "x", "--n", "ten", "--flag", "maybe"]);
  assert.throws(() => tool.required("input"), { code: "PARAMETER_MISSING", message: /"input"/, hint: 'did you mean "imput"?' });
  assert.throws(() => tool.required("completely-different"), { code: "PARAMETER_MISSING", hint: "pass --completely-different VALUE" });
  assert.throws(() => tool.getInt("n"), { code: "PARAMETER_INVALID", message: /"ten".*"n".*an integer/ });
  assert.throws(() => tool.getInt("n", 5), { code: "PARAMETER_INVALID" });
  assert.throws(() => tool.getBoolean("flag"), { code: "PARAMETER_INVALID" });
  assert.throws(() => tool.getDuration("n"), { code: "PARAMETER_INVALID" });
  assert.throws(() => ParameterTool.fromArgs(["file.txt"]), { code: "ARGUMENTS_INVALID", message: /"file.txt"/ });
});

test("maps and merging", () => {
  const merged = ParameterTool.fromMap({ a: "1", b: "2" }).mergeWith(ParameterTool.fromArgs(["--b", "3"]));
  assert.deepEqual(merged.toMap(), { a: "1", b: "3" });
});

test("repeated parameters keep all their values", () => {
  const tool = MultipleParameterTool.fromArgs(["--in", "a", "--in", "b", "--out", "c"]);
  assert.deepEqual(tool.getMultiParameter("in"), ["a", "b"]);
  assert.deepEqual([tool.get("in"), tool.get("none"), tool.getMultiParameter("none"), tool.has("out")], ["b", undefined, [], true]);
  assert.throws(() => tool.getMultiParameterRequired("inn"), { code: "PARAMETER_MISSING" });
  assert.deepEqual(tool.mergeWith(MultipleParameterTool.fromMultiMap({ in: ["z"] })).toMultiMap(), { in: ["a", "b", "z"], out: ["c"] });
});

test("what was given and never asked for is known, through merged tools too", () => {
  const tool = ParameterTool.fromArgs(["--input", "a", "--inptu", "b", "--n", "3", "--flag"]);
  assert.deepEqual(tool.getUnrequestedParameters(), new Set(["input", "inptu", "n", "flag"]));
  tool.get("input");
  tool.has("flag");
  tool.get("absent");
  ParameterTool.fromMap({ x: "1" }).mergeWith(tool).getInt("n");
  assert.deepEqual(tool.getUnrequestedParameters(), new Set(["inptu"]));
  tool.toMap();
  assert.deepEqual(tool.getUnrequestedParameters(), new Set());
  const multiple = MultipleParameterTool.fromArgs(["--a", "1", "--a", "2", "--b", "3"]);
  multiple.getMultiParameter("a");
  assert.deepEqual(multiple.getUnrequestedParameters(), new Set(["b"]));
});
