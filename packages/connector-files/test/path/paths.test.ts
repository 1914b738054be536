import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalFileSystem } from "@millrace/env-node";
import { discoverFiles, visibleFiles } from "../../src/index.js";
import { resolvePath } from "../../src/path/resolve-path.js";
import { withTempDir, writeFiles } from "../support/temp-dir.js";

test("paths are made absolute and canonical", () => {
  assert.equal(resolvePath("a/./b/../c.txt", "/work"), "/work/a/c.txt");
  assert.equal(resolvePath("/a//b/"), "/a/b");
  assert.equal(resolvePath("../x", "/a/b"), "/a/x");
  assert.equal(resolvePath("file:///a%20b/*.t?t"), "/a b/*.t?t");
  assert.equal(resolvePath("file:/a"), "/a");
  assert.equal(resolvePath(new URL("file:///data/x.csv")), "/data/x.csv");
  assert.equal(resolvePath("s3://bucket/dir/"), "s3://bucket/dir");
  assert.equal(resolvePath("x"), `${process.cwd()}/x`);
  for (const bad of ["", "a\0b", "file://host/x", "file:///%zz"]) assert.throws(() => resolvePath(bad), { code: "PATH_INVALID" }, bad);
});

test("directories and globs", () =>
  withTempDir(async (dir) => {
    writeFiles(dir, Object.fromEntries([
      "a.csv", "b.csv", "c.txt", ".d.csv", "_e.csv", "x{1}.csv", "sub/a.csv", "sub/deep/b.csv", "sub/.hid/c.csv", "_tmp/c.csv", "other/a.csv",
    ].map((name) => [name, "x"])));
    const find = async (...patterns: string[]): Promise<string[]> =>
      (await discoverFiles(new LocalFileSystem(), patterns.map((p) => `${dir}/${p}`), visibleFiles, "all")).map((f) => f.path.slice(dir.length + 1));
    assert.deepEqual(await find(""), ["a.csv", "b.csv", "c.txt", "other/a.csv", "sub/a.csv", "sub/deep/b.csv", "x{1}.csv"]);
    assert.deepEqual(await find("*.csv"), ["_e.csv", "a.csv", "b.csv", "x{1}.csv"]);
    assert.deepEqual(await find("?.{csv,txt}"), ["a.csv", "b.csv", "c.txt"]);
    assert.deepEqual(await find("**/a.csv"), ["a.csv", "other/a.csv", "sub/a.csv"]);
    assert.deepEqual(await find("sub/**"), ["sub/a.csv", "sub/deep/b.csv"]);
    assert.deepEqual(await find("{sub,other}/*.csv", "sub"), ["other/a.csv", "sub/a.csv", "sub/deep/b.csv"]);
    assert.deepEqual(await find("s*"), ["sub/a.csv", "sub/deep/b.csv"]);
    assert.deepEqual(await find(".*.csv", ".d.csv"), [".d.csv"]);
    assert.deepEqual(await find("x{1}.csv"), ["x{1}.csv"]);
    assert.deepEqual(await find("x\\{1\\}.*"), ["x{1}.csv"]);
    assert.deepEqual(await find("{a,{b,c}}.{csv,txt}"), ["a.csv", "b.csv", "c.txt"]);
    await assert.rejects(find("nothing*"), { code: "FILE_NOT_FOUND" });
  }));
