import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildLibraryBundle } from "@millrace/client";
import { build } from "esbuild";

// What is built: the sources are TypeScript, and not what is bundled.
const built = new URL("../dist/library-entries.js", import.meta.url).href;

test("the bundled library knows what millrace exports, and brings the command and its bundler", async () => {
  const { libraryEntries } = (await import(built)) as typeof import("../src/library-entries.js");
  const library = await buildLibraryBundle((await libraryEntries())!);
  assert.deepEqual([...library!.exports!].sort(), Object.keys(await import("millrace")).sort());
  const { bundleJob } = (await import(library!.bundler!)) as typeof import("@millrace/client");
  assert.equal(typeof bundleJob, "function");
  const { runCommandLine } = (await import(library!.command!)) as typeof import("../src/command-line.js");
  assert.equal(typeof runCommandLine, "function");
});

// A thread that is terminated in the moment in which it begins to run a module with top-level await takes the process along: see ModuleGate.
test("the modules that threads start from have no top-level await", async () => {
  const { libraryEntries } = (await import(built)) as typeof import("../src/library-entries.js");
  const { slot, program, millrace } = (await libraryEntries())!;
  for (const url of [slot, program, millrace]) {
    // A format that has none.
    await build({ entryPoints: [fileURLToPath(url)], bundle: true, write: false, platform: "node", format: "cjs", external: ["esbuild"], logLevel: "silent" });
  }
  await assert.rejects(build({ stdin: { contents: "await 1" }, write: false, format: "cjs", logLevel: "silent" }), /Top-level await/);
});

test("what a command does before it loads the library needs nothing of it", async () => {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL("../dist/early-start.js", import.meta.url))], bundle: true, write: false, metafile: true, platform: "node", format: "esm", external: ["esbuild"], logLevel: "silent",
  });
  const files = Object.keys(metafile.inputs).map((path) => path.slice(path.indexOf("packages/")).replace("/dist/", "/"));
  assert.deepEqual(files.filter((path) => !path.startsWith("packages/cli/") && !path.startsWith("packages/client/")), ["packages/graph/module-gate.js"]);
});
