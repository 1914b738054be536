import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { buildLibraryBundle, findLibraryBundle, type LibraryEntries } from "../src/library-bundle.js";

function entriesOf(installation: string): LibraryEntries {
  const url = (name: string): string => pathToFileURL(join(installation, "node_modules", "@millrace", `${name}.js`)).href;
  return { millrace: url("millrace"), slot: url("slot"), program: url("program") };
}

test("the bundled library belongs to one installation, and to its files as they are", async () => {
  const directory = await mkdtemp(join(tmpdir(), "millrace-library-"));
  const [first, copy] = [join(directory, "first"), join(directory, "copy")];
  const modules = join(first, "node_modules", "@millrace");
  await mkdir(modules, { recursive: true });
  for (const name of ["millrace", "slot", "program"]) await writeFile(join(modules, `${name}.js`), `export const name = "${name}";`);
  assert.equal(findLibraryBundle(entriesOf(first)), undefined);
  const built = await buildLibraryBundle(entriesOf(first));
  assert.ok(built?.slot.startsWith(pathToFileURL(first).href));
  assert.deepEqual([built?.exports, built?.command, built?.bundler], [["name"], undefined, undefined]);
  assert.deepEqual(findLibraryBundle(entriesOf(first)), built);
  await cp(first, copy, { recursive: true, preserveTimestamps: true });
  assert.equal(findLibraryBundle(entriesOf(copy)), undefined, "a copied installation uses its own files");
  await writeFile(join(modules, "slot.js"), 'export const name = "changed";');
  assert.equal(findLibraryBundle(entriesOf(first)), undefined);
  await rm(directory, { recursive: true });
});
