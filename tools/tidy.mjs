// Holds the layout of the house: who may import whom, what each package.json and tsconfig.json declares, which globals pure packages may not
// touch, and the size and naming of files. Prints every violation and exits 1 when there is one.
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const violations = [];
const complain = (file, message) => violations.push(`${relative(root, file)}: ${message}`);

/** docs/ARCHITECTURE.md explains this table. */
const mayImport = {
  core: [],
  "env-node": ["core"],
  "env-sim": ["core"],
  graph: ["core"],
  datastream: ["core", "graph"],
  state: ["core"],
  runtime: ["core", "graph", "state"],
  "connector-base": ["core"],
  "connector-files": ["core"],
  "connector-kafka": ["core"],
  "connector-jdbc": ["core"],
  "connector-postgres": ["core", "connector-jdbc"],
  "connector-mysql": ["core", "connector-jdbc"],
  "format-avro": ["core", "schema-registry"],
  "format-changelog": ["core"],
  "format-parquet": ["core"],
  "format-protobuf": ["core", "schema-registry"],
  "schema-registry": ["core"],
  "fs-s3": ["core"],
  "ha-zookeeper": ["core"],
  cluster: ["core", "graph", "state", "runtime", "env-node"],
  client: ["core", "graph"],
  cli: ["core", "graph", "client", "cluster"],
  testkit: ["core", "graph", "state", "runtime", "cluster", "datastream", "env-node", "cli"],
  millrace: ["core", "graph", "datastream", "state", "runtime", "cluster", "client", "cli", "env-node", "connector-files"],
};
/** Packages that see the world only through `Env`. In `cluster` everything but the folders below. */
const pure = ["core", "graph", "datastream", "state", "runtime", "ha-zookeeper", "connector-base"];
const worldly = ["/embedded/", "/process/", "/rest/", "/metrics/", "/security/", "/inspection/"];
const isPure = (pkg, file) => pure.includes(pkg) || (pkg === "cluster" && !worldly.some((folder) => file.includes(folder)) && !file.endsWith("/index.ts"));
const forbiddenGlobals = /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|setImmediate|performance\.|process\.(?:env|argv|exit|nextTick|memoryUsage|std\w+|hrtime|cwd|on)\b|queueMicrotask)/;

/** `import … from "x"` and `export … from "x"`, `import "x"`, `import("x")`. */
const importForms = /(?:^|\n)\s*(?:import|export)\b[^;'"`]*?\bfrom\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;

/** Files over the limit of lines. This list may only shrink. */
const longFiles = JSON.parse(readFileSync(join(root, "tools/long-files.json"), "utf8"));
const MAX_LINES = 500;

function* filesBelow(directory) {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (name === "node_modules" || name === "dist" || name === "target") continue;
    if (statSync(path).isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");

function checkSource(pkg, file, imported) {
  const text = readFileSync(file, "utf8");
  const code = withoutComments(text);
  for (const match of code.matchAll(importForms)) {
    const target = match[1] ?? match[2] ?? match[3];
    if (target.startsWith("node:")) {
      if (isPure(pkg, file)) complain(file, `${target}: this package sees the world only through Env`);
    } else if (!target.startsWith(".")) {
      const name = target.startsWith("@") ? target.split("/").slice(0, 2).join("/") : target.split("/")[0];
      imported.add(name);
      if (name.startsWith("@millrace/") && !mayImport[pkg].includes(name.slice(10))) complain(file, `may not import ${name}`);
      if (name === "millrace") complain(file, "packages import each other by their scoped names, never the entry package");
    } else if (!/\.(js|json)$/.test(target)) complain(file, `relative import without .js: ${target}`);
  }
  const global = isPure(pkg, file) ? forbiddenGlobals.exec(code) : null;
  if (global) complain(file, `${global[1]}: this package sees the world only through Env`);
  if (file.endsWith("/index.ts") && pkg !== "millrace" && /^(?!\s*(export .*from|export type .*from|export \{|export type \{|\}|[A-Za-z, ]*,?$|\s*$|\/\/|\/\*|\*))/m.test(code)) complain(file, "index.ts only re-exports");
  if (/\bTODO\b|\bFIXME\b|\bXXX\b/.test(text)) complain(file, "unfinished: TODO or FIXME");
}

function checkFile(file) {
  const name = file.split("/").pop();
  const path = relative(root, file);
  if (/\.(ts|mjs)$/.test(name) && !/^[a-z0-9]+([-.][a-z0-9]+)*\.(ts|mjs)$/.test(name)) complain(file, "file names are kebab-case");
  if (/(^|\/)(utils?|helpers?|misc|common)(\/|\.ts$)/.test(path)) complain(file, "name the concept, not a drawer");
  if (!/\.(ts|mjs)$/.test(name)) return;
  const text = readFileSync(file, "utf8");
  const lines = text.split("\n").length - 1;
  const allowed = longFiles[path] ?? MAX_LINES;
  if (lines > allowed) complain(file, `${lines} lines, at most ${allowed}`);
  if (/\b(test|it|describe)\.(skip|only|todo)\(/.test(text)) complain(file, "a test is skipped or singled out");
}

function checkManifest(pkg, imported) {
  const directory = join(root, "packages", pkg);
  const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const declared = new Set(Object.keys(manifest.dependencies ?? {}));
  for (const name of imported) if (!declared.has(name)) complain(join(directory, "package.json"), `imports ${name} and does not declare it`);
  for (const name of declared) if (!imported.has(name)) complain(join(directory, "package.json"), `declares ${name} and does not import it`);
  for (const [name, version] of Object.entries(manifest.dependencies ?? {})) if (/[\^~*x<>]/.test(version)) complain(join(directory, "package.json"), `${name} is not pinned`);
  const references = JSON.parse(readFileSync(join(directory, "tsconfig.json"), "utf8")).references ?? [];
  const referenced = new Set(references.map((r) => r.path.replace("../", "")));
  for (const name of imported) {
    if (name.startsWith("@millrace/") && !referenced.has(name.slice(10))) complain(join(directory, "tsconfig.json"), `no reference to ../${name.slice(10)}`);
  }
}

for (const pkg of readdirSync(join(root, "packages"))) {
  if (mayImport[pkg] === undefined) {
    complain(join(root, "packages", pkg), "not in the table of tools/tidy.mjs");
    continue;
  }
  const imported = new Set();
  const source = join(root, "packages", pkg, "src");
  if (existsSync(source)) for (const file of filesBelow(source)) if (file.endsWith(".ts")) checkSource(pkg, file, imported);
  const bin = join(root, "packages", pkg, "bin");
  if (existsSync(bin)) {
    for (const file of filesBelow(bin)) for (const m of readFileSync(file, "utf8").matchAll(/import\(?\s*["'](@millrace\/[a-z-]+)/g)) imported.add(m[1]);
  }
  checkManifest(pkg, imported);
}
for (const folder of ["packages", "examples", "bench", "e2e", "tools"]) for (const file of filesBelow(join(root, folder))) checkFile(file);
for (const path of Object.keys(longFiles)) {
  const file = join(root, path);
  if (!existsSync(file) || readFileSync(file, "utf8").split("\n").length - 1 <= MAX_LINES) complain(join(root, "tools/long-files.json"), `${path} no longer needs its exception`);
}

if (violations.length > 0) {
  console.error(violations.sort().join("\n"));
  console.error(`\n${violations.length} violation(s) of the layout`);
  process.exit(1);
}
console.log("tidy: the layout holds");
