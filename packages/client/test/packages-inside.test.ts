import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { EOL, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MillraceError } from "@millrace/core";
import { INSTALLED_LIBRARY, INSTALLED_PACKAGE } from "@millrace/graph";
import { bundleJob, portableArtifact, type JobArtifact } from "../src/index.js";

let project: string;
const everything = { except: [] };

before(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), "millrace-packages-")));
  const files: Record<string, string> = {
    "package.json": JSON.stringify({ name: "app" }),
    "node_modules/modern/package.json": JSON.stringify({ name: "modern", type: "module", exports: { import: "./index.js" }, dependencies: { deep: "1" } }),
    "node_modules/modern/index.js": 'import { deep } from "deep";\nimport data from "./data.json" with { type: "json" };\nexport const modern = [deep, data.answer, import.meta.url];\n',
    "node_modules/modern/data.json": '{ "answer": 42 }',
    "node_modules/modern/node_modules/deep/package.json": JSON.stringify({ name: "deep", type: "module", main: "index.js" }),
    "node_modules/modern/node_modules/deep/index.js": 'export const deep = "deep";\n',
    "node_modules/classic/package.json": JSON.stringify({ name: "classic", main: "lib/index", optionalDependencies: { fast: "1" }, peerDependenciesMeta: { absent: { optional: true } } }),
    "node_modules/classic/lib/index.js": [
      '"use strict";', 'Object.defineProperty(exports, "__esModule", { value: true });', 'const os = require("os");', 'exports.eol = os.EOL;', "exports.where = [__dirname, __filename];",
      "exports.default = function shout(text) { return text.toUpperCase(); };",
      'exports.missing = ["fast", "absent"].filter((name) => { try { require(name); return false; } catch { return true; } });',
      'try { require("fast"); exports.fast = true; } catch { exports.fast = false; }', 'try { require("absent"); exports.absent = true; } catch { exports.absent = false; }', "",
    ].join("\n"),
    "node_modules/fast/package.json": JSON.stringify({ name: "fast", main: "index.js", gypfile: true }),
    "node_modules/fast/index.js": "module.exports = 1;\n",
    "node_modules/plain/package.json": JSON.stringify({ name: "plain", main: "index.js" }),
    "node_modules/plain/index.js": "exports.plain = () => 7;\n",
    "node_modules/native/package.json": JSON.stringify({ name: "native", main: "index.js", dependencies: { bindings: "1" } }),
    "node_modules/native/index.js": 'exports.native = "by path";\n',
    "node_modules/compiled/package.json": JSON.stringify({ name: "compiled", main: "index.js" }),
    "node_modules/compiled/index.js": 'module.exports = require("./build/x.node");\n',
    "node_modules/compiled/build/x.node": "",
    "job.ts": [
      'import shout, { eol, where, fast, absent } from "classic";', 'import * as classic from "classic";', 'import { modern } from "modern";', 'import { plain } from "plain";', 'import whole from "plain";',
      'const require = (name: string): string => "the job\'s own " + name;',
      "export const facts: Record<string, unknown> = { shout: (shout as unknown as { default(text: string): string }).default('a'), keys: Object.keys(classic).filter((key) => key !== '__esModule').sort(), eol, where, fast, absent, modern, plain: plain(), whole: whole.plain(), own: require('x') };", "",
    ].join("\n"),
    "native.ts": 'import { native } from "native";\nexport const facts = { native };\n',
    "compiled.ts": 'import "compiled";\n',
    "library.ts": 'import { FileSource } from "@millrace/connector-files";\nimport { StreamExecutionEnvironment } from "millrace";\nexport const facts = [FileSource, StreamExecutionEnvironment];\n',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
  await symlink(fileURLToPath(new URL("../../millrace", import.meta.url)), join(project, "node_modules", "millrace"));
});
after(() => rm(project, { recursive: true }));

async function factsOf({ url }: JobArtifact): Promise<Record<string, unknown>> {
  return { ...((await import(url)) as { job: { facts: Record<string, unknown> } }).job.facts };
}

test("a bundle with its packages gives what they give from their own places, and needs those no more", async () => {
  const outside = await factsOf(await bundleJob(join(project, "job.ts")));
  const classic = join(project, "node_modules/classic/lib");
  assert.deepEqual(outside, {
    shout: "A", keys: ["absent", "default", "eol", "fast", "missing", "where"], eol: EOL, where: [classic, join(classic, "index.js")], fast: true, absent: false,
    modern: ["deep", 42, pathToFileURL(join(project, "node_modules/modern/index.js")).href], plain: 7, whole: 7, own: "the job's own x",
  });
  const artifact = await bundleJob(join(project, "job.ts"), undefined, everything);
  const elsewhere = await mkdtemp(join(tmpdir(), "millrace-elsewhere-"));
  const kept = join(elsewhere, "job.mjs");
  await writeFile(kept, await portableArtifact({ ...artifact, installed: {} }));
  const hidden = ["modern", "classic", "plain"].map((name) => join(project, "node_modules", name));
  for (const path of hidden) await rename(path, `${path}-hidden`);
  try {
    const inside = await factsOf({ ...artifact, url: pathToFileURL(kept).href });
    // The one difference: what is native stays behind, and is not missed.
    assert.deepEqual(inside, { ...outside, fast: false });
  } finally {
    for (const path of hidden) await rename(`${path}-hidden`, path);
    await rm(elsewhere, { recursive: true });
  }
});

test("the two kinds of a job's bundle are cached apart", async () => {
  const [outside, inside, again] = [await bundleJob(join(project, "job.ts")), await bundleJob(join(project, "job.ts"), undefined, everything), await bundleJob(join(project, "job.ts"))];
  assert.notEqual(inside.file, outside.file);
  assert.equal(again.file, outside.file);
  assert.deepEqual(await bundleJob(join(project, "job.ts"), undefined, everything), inside);
});

test("a package with native code is refused by name, unless it is to stay outside", async () => {
  for (const name of ["native", "compiled"]) {
    await assert.rejects(bundleJob(join(project, `${name}.ts`), undefined, everything), (error: MillraceError) => {
      assert.deepEqual([error.code, error.message.includes(`"${name}"`)], ["JOB_PACKAGE_NATIVE", true]);
      return error.hint!.includes(`pipeline.external-packages=${name}`);
    });
  }
  assert.deepEqual(await factsOf(await bundleJob(join(project, "native.ts"), undefined, { except: ["native"] })), { native: "by path" });
});

test("packages of the library are named, and left to who runs the job", async () => {
  const artifact = await bundleJob(join(project, "library.ts"), undefined, everything);
  assert.deepEqual(Object.keys(artifact.installed).sort(), ["@millrace/connector-files", "millrace"]);
  const text = new TextDecoder().decode(await portableArtifact(artifact));
  for (const specifier of ["@millrace/connector-files", "millrace"]) assert.ok(text.includes(JSON.stringify(INSTALLED_PACKAGE + specifier)), specifier);
  assert.ok(!text.includes(JSON.stringify(INSTALLED_LIBRARY)));
  assert.doesNotMatch(text.replace(/sourceMappingURL.*/, ""), /"file:[^"]*\/packages\/(millrace|connector-files)\/dist/);
});
