// The packages as they would be published: packed, installed into an empty folder elsewhere, and used from there.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = readdirSync(join(root, "packages"));
const manifestOf = (name: string): string => readFileSync(join(root, "packages", name, "package.json"), "utf8");
let folder = "";

/** What `npm install millrace` brings of ours: connectors and the like are installed beside it. */
function installedWith(name: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  const { dependencies = {} } = JSON.parse(manifestOf(name)) as { readonly dependencies?: Readonly<Record<string, string>> };
  for (const dependency of Object.keys(dependencies)) if (dependency.startsWith("@millrace/")) installedWith(dependency.slice("@millrace/".length), found);
  return found;
}

function run(command: string, args: readonly string[], cwd: string): string {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" }, maxBuffer: 64 << 20 });
  assert.equal(result.status, 0, `${command} ${args.join(" ")}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

function bytesBelow(directory: string): number {
  let total = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    total += entry.isDirectory() ? bytesBelow(path) : entry.isSymbolicLink() ? 0 : statSync(path).size;
  }
  return total;
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-published-"));
  const tarballs = [...installedWith("millrace")].map((name) => {
    const out = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", folder], join(root, "packages", name))) as { filename: string }[];
    return join(folder, out[0]!.filename);
  });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "somewhere-else", private: true, type: "module" }));
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts", ...tarballs], folder);
  cpSync(join(root, "examples", "data"), join(folder, "data"), { recursive: true });
  const job = /```ts file=(\S+)\n([\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"));
  assert.ok(job, "the README shows a job");
  writeFileSync(join(folder, "job.ts"), job[2]!);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("the README's job runs from the packed packages", () => {
  const out = run("npx", ["millrace", "run", "job.ts"], folder);
  assert.notEqual(out.trim(), "");
});

test("the README's job type-checks against the packed types", () => {
  const tsconfig = { compilerOptions: { module: "NodeNext", target: "ES2023", strict: true, noEmit: true, skipLibCheck: false, types: [], lib: ["ES2023"] }, files: ["job.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  run(join(root, "node_modules", ".bin", "tsc"), ["-p", join(folder, "tsconfig.json")], folder);
});

test("nothing in the packages points into the repository", () => {
  for (const name of packages) {
    const manifest = manifestOf(name);
    assert.ok(!manifest.includes(root) && !/"(?:file|link|workspace):/.test(manifest), name);
    assert.ok(!/"(pre|post)?install"/.test(manifest), `${name} has an install step`);
  }
});

test("an installation of millrace alone stays under 60 MB", () => {
  const megabytes = bytesBelow(join(folder, "node_modules")) / 1e6;
  assert.ok(megabytes < 60, `${megabytes.toFixed(1)} MB`);
});
