// Runs every code block of README.md and docs/. Fences say what a block is:
//   ```ts                a complete module: type-checked, then run
//   ```ts file=job.ts    the same, kept under that name for the shell blocks of its page
//   ```ts shown          type-checked together with the rest, not run (say why in the text around it)
//   ```sh                run in the page's folder, must exit 0
//   ```sh shown          for people's machines only (installs, servers)
// Other languages (json, text, yaml) are not run.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const workspace = join(root, ".millrace", "code-blocks");

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly flags: readonly string[];
  readonly text: string;
}

function pages(): string[] {
  const found = ["README.md"];
  const visit = (directory: string): void => {
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name);
      if (statSync(path).isDirectory()) visit(path);
      else if (name.endsWith(".md")) found.push(relative(root, path));
    }
  };
  visit(join(root, "docs"));
  return found.filter((page) => existsSync(join(root, page)));
}

function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const lines = readFileSync(join(root, page), "utf8").split("\n");
  for (let i = 0; i < lines.length; i++) {
    const open = /^```(\w+)\s*(.*)$/.exec(lines[i]!);
    if (open === null) continue;
    const start = i + 1;
    while (i + 1 < lines.length && lines[i + 1] !== "```") i++;
    blocks.push({ page, line: start, language: open[1]!, flags: open[2]!.split(/\s+/).filter(Boolean), text: `${lines.slice(start, i + 1).join("\n")}\n` });
    i++;
  }
  return blocks;
}

const folderOf = (page: string): string => join(workspace, page.replaceAll("/", "-").replace(/\.md$/, ""));

function fileOf(block: Block): string {
  const named = block.flags.find((flag) => flag.startsWith("file="));
  return join(folderOf(block.page), named === undefined ? `block-${block.line}.ts` : named.slice(5));
}

function run(command: string, args: readonly string[], cwd: string): void {
  const path = `${join(root, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`;
  const result = spawnSync(command, args, { cwd, encoding: "utf8", env: { ...process.env, PATH: path, NODE_OPTIONS: "" }, maxBuffer: 64 << 20 });
  assert.equal(result.status, 0, `${command} ${args.join(" ")}\n${result.stdout}\n${result.stderr}`);
}

const all = pages().flatMap(blocksOf);
rmSync(workspace, { recursive: true, force: true });
for (const page of new Set(all.map((block) => block.page))) {
  mkdirSync(folderOf(page), { recursive: true });
  cpSync(join(root, "examples", "data"), join(folderOf(page), "data"), { recursive: true });
}
for (const block of all) if (block.language === "ts") writeFileSync(fileOf(block), block.text);

test("every TypeScript block compiles", () => {
  const config = { extends: join(root, "tsconfig.test.json"), include: [`${workspace}/**/*.ts`], exclude: [] };
  writeFileSync(join(workspace, "tsconfig.json"), JSON.stringify(config));
  run("tsc", ["-p", join(workspace, "tsconfig.json")], root);
});

for (const block of all) {
  if (block.flags.includes("shown")) continue;
  if (block.language === "ts") test(`${block.page}:${block.line} runs`, () => run(process.execPath, ["--import", "tsx", fileOf(block)], folderOf(block.page)));
  if (block.language === "sh") test(`${block.page}:${block.line} runs`, () => run("bash", ["-euo", "pipefail", "-c", block.text], folderOf(block.page)));
}
