// What is kept of profilings, and how they are shown. Real ones are taken in ../rest/profiler.test.ts.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import type { ThreadProfile } from "../../src/inspection/inspector-protocol.js";
import type { Profiling, StackNode } from "../../src/inspection/process-inspection.js";
import { profilePage } from "../../src/inspection/profile-page.js";
import { allocationTree, timeTree, type RawCpuProfile, type RawHeapNode } from "../../src/inspection/profile-threads.js";
import { Profilings } from "../../src/inspection/profilings.js";

const thread: ThreadProfile = { threadId: 0, name: "main", tree: '{"name":"(root)","value":0,"children":[]}', profile: "{}" };

function dataOf(page: string): { readonly head: Readonly<Record<string, string>>; readonly threads: readonly { readonly tree: StackNode }[] } {
  return JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1]!) as ReturnType<typeof dataOf>;
}

async function ended(profilings: Profilings): Promise<Profiling> {
  while (profilings.list[0]!.status === "RUNNING") await new Promise((resolve) => setImmediate(resolve));
  return profilings.list[0]!;
}

test("the last ones are kept with their files, which only this user can read; no other file of the directory is read", async () => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-profilings-"));
  try {
    writeFileSync(join(directory, "secret.html"), "secret");
    const profilings = new Profilings({ name: "tm:1/2", directory, historySize: 2 }, async () => [thread]);
    const modes = ["CPU", "ALLOC", "WALL", "ITIMER"] as const;
    for (const mode of modes) {
      profilings.start({ mode, durationSeconds: 1 });
      const { status, message, file } = await ended(profilings);
      assert.deepEqual([status, message], ["FINISHED", "Profiling Successful"]);
      assert.match(file!.name, new RegExp(`^tm_1_2_${mode}_\\d{4}-\\d\\d-\\d\\d_\\d\\d_\\d\\d_\\d\\d\\.html$`));
      assert.equal(statSync(join(directory, file!.name)).mode & 0o777, 0o600);
      assert.equal((await profilings.read(file!.name, 0)).bytes.length, file!.sizeBytes);
      assert.equal((await profilings.read(file!.name, file!.sizeBytes)).bytes.length, 0);
    }
    assert.deepEqual(profilings.list.map(({ mode }) => mode), ["ITIMER", "WALL"]);
    const kept = profilings.list.map(({ file }) => file!.name);
    while (readdirSync(directory).length > 3) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(readdirSync(directory).sort(), [...kept, "secret.html"].sort());
    for (const name of ["secret.html", `../${directory.split("/").at(-1)}/secret.html`, "", "."]) await assert.rejects(profilings.read(name, 0), { code: "PROFILE_UNKNOWN" }, name);
    for (const offset of [-1, 0.5, Number.NaN]) await assert.rejects(profilings.read(kept[0]!, offset), { code: "PROFILE_UNKNOWN" });
    profilings.close();
    assert.equal(readdirSync(directory).length, 3);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("without a directory there is a temporary one, which goes", async () => {
  const temporaryParent = mkdtempSync(join(tmpdir(), "millrace-profilings-"));
  try {
    const profilings = new Profilings({ name: "p", temporaryParent, historySize: 2 }, async () => [thread]);
    profilings.start({ mode: "CPU", durationSeconds: 1 });
    assert.equal((await ended(profilings)).status, "FINISHED");
    assert.equal(readdirSync(temporaryParent).length, 1);
    profilings.close();
    assert.equal(readdirSync(temporaryParent).length, 0);
  } finally {
    rmSync(temporaryParent, { recursive: true, force: true });
  }
});

test("what fails says why, and one runs at a time", async () => {
  let fail = (_error: Error): void => undefined;
  const profilings = new Profilings({ name: "p", historySize: 10 }, () => new Promise((_, reject) => (fail = reject)));
  profilings.start({ mode: "CPU", durationSeconds: 1 });
  assert.throws(() => profilings.start({ mode: "CPU", durationSeconds: 1 }), { code: "PROFILING_RUNS" });
  fail(new Error("the inspector thread has ended"));
  const { status, message } = await ended(profilings);
  assert.deepEqual([status, message], ["FAILED", "Stop profiler failed. the inspector thread has ended"]);
  await assert.rejects(profilings.read("p_CPU.html", 0), { code: "PROFILE_UNKNOWN" });
});

const frame = (functionName: string): RawCpuProfile["nodes"][number]["callFrame"] => ({ functionName, url: "", lineNumber: 0, columnNumber: 0 });

test("trees: waiting counts with WALL only, equal frames are one, the largest is first", () => {
  const nodes: RawCpuProfile["nodes"] = [
    { id: 1, callFrame: frame("(root)"), children: [2, 3, 4, 6] }, { id: 2, callFrame: frame("a"), hitCount: 1 }, { id: 3, callFrame: frame("(idle)"), hitCount: 5 },
    { id: 4, callFrame: frame("b"), hitCount: 1, children: [5] }, { id: 5, callFrame: frame("c"), hitCount: 2 }, { id: 6, callFrame: frame("b"), hitCount: 1, children: [7] },
    { id: 7, callFrame: frame("c"), hitCount: 1 },
  ];
  const b = { name: "b", value: 5, children: [{ name: "c", value: 3, children: [] }] };
  assert.deepEqual(timeTree({ nodes }, "CPU"), { name: "(root)", value: 6, children: [b, { name: "a", value: 1, children: [] }] });
  assert.equal(timeTree({ nodes }, "WALL").value, 11);
  const head: RawHeapNode = { callFrame: frame("(root)"), selfSize: 0, children: [{ callFrame: frame("a"), selfSize: 10, children: [] }, { callFrame: frame("none"), selfSize: 0, children: [] }] };
  assert.deepEqual(allocationTree(head), { name: "(root)", value: 10, children: [{ name: "a", value: 10, children: [] }] });
});

test("names of functions are text in the page, whatever they are, and its script can be read", () => {
  const evil = "</script><script>alert(1)</script><!--";
  const tree = JSON.stringify({ name: evil, value: 1, children: [] }).replaceAll("<", "\\u003c");
  const page = profilePage({ title: evil, name: "x", mode: "CPU", threads: [{ threadId: 0, name: evil, tree, profile: "{}" }] });
  assert.equal(page.match(/<\/script>/g)!.length, 2);
  assert.equal(dataOf(page).threads[0]!.tree.name, evil);
  assert.equal(dataOf(page).head["title"], evil);
  const [, script] = [...page.matchAll(/<script>(.*?)<\/script>/gs)][0]!;
  assert.throws(() => runInNewContext(script!, {}), /document is not defined/);
});
