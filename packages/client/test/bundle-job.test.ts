import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, realpath, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundleJob } from "../src/index.js";

let project: string;

before(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), "millrace-bundle-")));
  await mkdir(join(project, "node_modules", "left-pad"), { recursive: true });
  await symlink(fileURLToPath(new URL("../../millrace", import.meta.url)), join(project, "node_modules", "millrace"));
  await writeFile(join(project, "node_modules", "left-pad", "package.json"), JSON.stringify({ name: "left-pad", version: "1.0.0", type: "module", exports: "./index.js" }));
  await writeFile(join(project, "node_modules", "left-pad", "index.js"), "export const where = import.meta.url;\n");
  await writeFile(join(project, "helper.ts"), "export const helper: string = import.meta.url;\nexport enum Colour { Red = 3 }\n");
  await writeFile(join(project, "job.ts"), [
    'import { readFileSync } from "node:fs";', 'import { where } from "left-pad";', 'import { helper, Colour } from "./helper.js";',
    "export const facts: Record<string, unknown> = { where, helper, colour: Colour.Red, url: import.meta.url, dirname: import.meta.dirname, reads: typeof readFileSync };",
    'export const fail = (): never => { throw new Error("from the job"); };', "",
  ].join("\n"));
});
after(() => rm(project, { recursive: true }));

test("a bundle holds the job's own files; packages are imported from where the job finds them", async () => {
  const artifact = await bundleJob(join(project, "job.ts"));
  assert.ok(artifact.file.startsWith(join(project, "node_modules", ".cache", "millrace")));
  const { job } = (await import(artifact.url)) as { job: { facts: Record<string, unknown> } };
  assert.deepEqual({ ...job.facts }, {
    where: pathToFileURL(join(project, "node_modules", "left-pad", "index.js")).href, helper: pathToFileURL(join(project, "helper.ts")).href,
    colour: 3, url: pathToFileURL(join(project, "job.ts")).href, dirname: project, reads: "function",
  });
});

test("the source map names the sources by their real paths", async () => {
  const { file } = await bundleJob(join(project, "job.ts"));
  const [, encoded] = /sourceMappingURL=data:application\/json;base64,(.*)/.exec(await readFile(file, "utf8"))!;
  const map = JSON.parse(Buffer.from(encoded!, "base64").toString()) as { sources: string[] };
  const sources = map.sources.map((source) => new URL(source, pathToFileURL(file))).filter(({ protocol }) => protocol === "file:").map((url) => fileURLToPath(url));
  assert.ok(sources.includes(join(project, "job.ts")) && sources.includes(join(project, "helper.ts")), String(sources));
});

test("the cached bundle is used until one of its files changes, and is named by its content", async () => {
  const first = await bundleJob(join(project, "job.ts"));
  const { ino } = await stat(first.file);
  await utimes(first.file, new Date(1000), new Date(1000));
  assert.deepEqual(await bundleJob(join(project, "job.ts")), first);
  const after = await stat(first.file);
  assert.equal(after.ino, ino, "it was not written again");
  assert.ok(after.mtimeMs > 1000, "it counts as used");
  await writeFile(join(project, "helper.ts"), "export const helper: string = import.meta.url;\nexport enum Colour { Red = 4 }\n");
  const second = await bundleJob(join(project, "job.ts"));
  assert.notEqual(second.file, first.file);
});

test("what does not compile or resolve is reported with file, line and column", async () => {
  await writeFile(join(project, "bad.ts"), 'import { x } from "./nowhere.js";\nexport { x };\n');
  await assert.rejects(bundleJob(join(project, "bad.ts")), (error: { code: string; message: string; location: object }) => {
    assert.equal(error.code, "JOB_DOES_NOT_COMPILE");
    assert.deepEqual(error.location, { file: join(project, "bad.ts"), line: 1, column: 19 });
    return /nowhere/.test(error.message);
  });
  await writeFile(join(project, "missing.ts"), 'import "no-such-package";\n');
  await assert.rejects(bundleJob(join(project, "missing.ts")), { code: "JOB_DOES_NOT_COMPILE" });
  await assert.rejects(bundleJob(join(project, "none.ts")), { code: "JOB_FILE_NOT_FOUND" });
});

test("a job uses the bundled library if millrace is all it imports of it", async () => {
  const library = { millrace: "file:///library/millrace.mjs", slot: "file:///library/slot.mjs", program: "file:///library/program.mjs" };
  const bundle = async (name: string, text: string) => {
    await writeFile(join(project, name), text);
    const artifact = await bundleJob(join(project, name), library);
    assert.deepEqual(await bundleJob(join(project, name), library), artifact, "the same from the cache");
    return { library: artifact.library, text: await readFile(artifact.file, "utf8") };
  };
  const plain = await bundle("plain.ts", 'import { duration } from "millrace";\nimport type { Clock } from "@millrace/core";\nexport const ms = duration("1 s");\nexport type C = Clock;\n');
  assert.equal(plain.library, library);
  assert.match(plain.text, /from "file:\/\/\/library\/millrace\.mjs"/);
  await mkdir(join(project, "node_modules", "plugin"), { recursive: true });
  await writeFile(join(project, "node_modules", "plugin", "package.json"), JSON.stringify({ name: "plugin", type: "module", exports: "./index.js", peerDependencies: { "@millrace/core": "*" } }));
  await writeFile(join(project, "node_modules", "plugin", "index.js"), "export const plugin = 1;\n");
  for (const other of ["@millrace/core", "plugin"]) {
    const direct = await bundle(`with-${other.replace(/\W/g, "")}.ts`, `import { duration } from "millrace";\nimport * as other from "${other}";\nexport const all = [duration, other];\n`);
    assert.equal(direct.library, undefined);
    assert.doesNotMatch(direct.text, /file:\/\/\/library/);
  }
});

test("a name that the library does not export is refused where it is imported, with the nearest one", async () => {
  const file = join(project, "typo.ts");
  await writeFile(file, 'import { duration,\n  StreamExecutionEnviroment } from "millrace";\nexport const all = [duration, StreamExecutionEnviroment];\n');
  const library = { millrace: "file:///library/millrace.mjs", slot: "file:///library/slot.mjs", program: "file:///library/program.mjs" };
  for (const used of [undefined, library]) {
    await assert.rejects(bundleJob(file, used), {
      code: "JOB_IMPORT_UNKNOWN", message: `${file}:2:3: "millrace" does not export "StreamExecutionEnviroment"`, hint: 'did you mean "StreamExecutionEnvironment"?',
      location: { file, line: 2, column: 3 },
    });
  }
  await writeFile(file, 'import { Duration, duration, type Clock } from "millrace";\nexport const ms: Duration = duration(3);\nexport type C = Clock;\n');
  assert.match(await readFile((await bundleJob(file, library)).file, "utf8"), /from "file:\/\/\/library\/millrace\.mjs"/, "types do not count");
});

test("names that are known to be exported are not asked for", async () => {
  const file = join(project, "known.ts");
  const library = { millrace: "file:///library/millrace.mjs", slot: "file:///library/slot.mjs", program: "file:///library/program.mjs", exports: ["StreamExecutionEnvironment", "onlyThere"] };
  await writeFile(file, 'import { onlyThere } from "millrace";\nexport const all = [onlyThere];\n');
  assert.equal((await bundleJob(file, library)).library, library);
  await writeFile(file, 'import { duration } from "millrace";\nexport const all = [duration];\n');
  await assert.rejects(bundleJob(file, library), { code: "JOB_IMPORT_UNKNOWN" });
});

test("a variable of the job cannot be read before its line has run, nor anything in a template literal changed", async () => {
  await writeFile(join(project, "dead-zone.ts"), [
    'const enum Level { Low = 1 }', 'enum Colour { Red = 3 }', 'export const text = `', 'var offset = 1;', 'const other = 2;', '`;',
    'export const early = (): number => offset + limit + new Late().value + nested;', 'export var hoisted = Level.Low + Colour.Red;',
    'export const tries: string[] = [];', 'const attempt = (): void => { try { early(); } catch (error) { tries.push((error as Error).message); } };',
    'attempt();', 'const offset = 10;', 'attempt();', 'let limit = 1;', 'attempt();', 'export class Late { static self = Late; value = 1; }', 'attempt();', 'const { nested } = { nested: 5 };',
    'export default class Job { job = Job; }', 'limit = 2;', 'export const names = import.meta.url;', '',
  ].join("\n"));
  const { job } = (await import((await bundleJob(join(project, "dead-zone.ts"))).url)) as { job: Record<string, unknown> & { early(): number } };
  assert.deepEqual(job["tries"], ["offset", "limit", "Late", "nested"].map((name) => `Cannot access '${name}' before initialization`));
  assert.equal(job.early(), 18);
  assert.equal(job["hoisted"], 4);
  assert.equal(job["text"], "\nvar offset = 1;\nconst other = 2;\n");
});

test("a missing file comes with the nearest name in its directory", async () => {
  await assert.rejects(bundleJob(join(project, "jbo.ts")), (error: { message: string; hint: string; cause: unknown }) => {
    assert.deepEqual([error.message, error.hint, error.cause], [`there is no file "${join(project, "jbo.ts")}"`, 'did you mean "job.ts"?', undefined]);
    return true;
  });
  await assert.rejects(bundleJob(join(project, "no-folder", "job.ts")), { code: "JOB_FILE_NOT_FOUND", message: /there is no directory/ });
});

test("artifacts that nobody used for a week are removed, but for the newest twenty", async () => {
  const cache = join(project, "node_modules", ".cache", "millrace");
  const old = Array.from({ length: 30 }, (_, i) => join(cache, `${i.toString(16).padStart(32, "0")}.mjs`));
  for (const [i, file] of old.entries()) {
    await writeFile(file, "");
    await utimes(file, 1000 + i, 1000 + i);
  }
  const recent = join(cache, `${"f".repeat(32)}.mjs`);
  await writeFile(recent, "");
  await writeFile(join(project, "fresh.ts"), "export const fresh = 1;\n");
  const { file } = await bundleJob(join(project, "fresh.ts"));
  const artifacts = (await readdir(cache)).filter((name) => name.endsWith(".mjs"));
  assert.equal(artifacts.length, 20);
  assert.ok(artifacts.includes(basename(file)) && artifacts.includes(basename(recent)) && !artifacts.includes(basename(old[0]!)));
});
