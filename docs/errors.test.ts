// docs/errors.md names every error code that the packages can raise, and no other.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const CODE = /"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g;

/** The codes of a source file: in what follows `code:` or `code =`, and in the table of the operating system's errors (`ENOENT: ["FILE_NOT_FOUND", …`). */
function codesIn(source: string): string[] {
  const text = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const expressions = [...text.matchAll(/\bcode(?::|\s*=(?!=))\s*([^,;]*)/g), ...text.matchAll(/\bE[A-Z]+: \[([^,]*),/g)].map((match) => match[1]!);
  return expressions.flatMap((expression) => [...expression.matchAll(CODE)].map((match) => match[1]!));
}

function raisedCodes(): Map<string, string> {
  const found = new Map<string, string>();
  for (const pkg of readdirSync(join(root, "packages"))) {
    const source = join(root, "packages", pkg, "src");
    for (const name of readdirSync(source, { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts") || name.endsWith(".d.ts")) continue;
      for (const code of codesIn(readFileSync(join(source, name), "utf8"))) found.set(code, `packages/${pkg}/src/${name}`);
    }
  }
  return found;
}

const raised = raisedCodes();
const documented = [...readFileSync(join(root, "docs/errors.md"), "utf8").matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((match) => match[1]!);

test("every code is documented", () => {
  assert.ok(raised.size > 100, `only ${raised.size} codes found in the sources`);
  const missing = [...raised].filter(([code]) => !documented.includes(code)).map(([code, file]) => `${code} (${file})`);
  assert.deepEqual(missing.sort(), []);
});

test("every documented code is still raised", () => {
  assert.deepEqual(documented.filter((code) => !raised.has(code)), []);
});

test("each code has one line, and the lines of a section are in order", () => {
  assert.deepEqual(documented.filter((code, at) => documented.indexOf(code) !== at), []);
});
