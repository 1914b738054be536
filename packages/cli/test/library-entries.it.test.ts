import assert from "node:assert/strict";
import { test } from "node:test";
import { buildLibraryBundle } from "@millrace/client";

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
