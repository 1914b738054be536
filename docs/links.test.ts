// Links between the pages lead somewhere: files exist, and so do the headings that anchors name.
import { test } from "node:test";
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = ["README.md", "CONTRIBUTING.md", ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, "");
const anchorOf = (heading: string): string => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-");

function anchorsOf(file: string): string[] {
  return [...withoutCode(readFileSync(file, "utf8")).matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1]!));
}

for (const page of pages) {
  test(`links of ${page}`, () => {
    const file = join(root, page);
    const broken: string[] = [];
    for (const [, target] of withoutCode(readFileSync(file, "utf8")).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [path, anchor] = target!.split("#");
      const linked = path === "" ? file : join(dirname(file), path!);
      if (!existsSync(linked)) broken.push(`${target}: there is no ${relative(root, linked)}`);
      else if (anchor !== undefined && !anchorsOf(linked).includes(anchor)) broken.push(`${target}: there is no such heading`);
    }
    assert.deepEqual(broken, []);
  });
}
