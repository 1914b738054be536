import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalCluster, until } from "./processes.js";

/* Senders add windows up before the exchange by themselves where it leaves the process (decision 42), which their metrics show. */
const job = fileURLToPath(new URL("./jobs/sums-windows.ts", import.meta.url));

for (const { what, taskManagers, slots, combines } of [
  { what: "between two TaskManagers sums go over the network", taskManagers: 2, slots: "1", combines: true },
  { what: "between the slots of one TaskManager every record goes", taskManagers: 1, slots: "2", combines: false },
]) test(what, async () => {
  const cluster = await LocalCluster.start(taskManagers, { "taskmanager.numberOfTaskSlots": slots });
  try {
    const get = async (path: string): Promise<any> => (await fetch(`${cluster.restUrl}${path}`)).json();
    const { code, output } = await cluster.run("run", "-d", "-m", cluster.address, "-p", "2", job);
    assert.equal(code, 0, output);
    const jobId = /JobID ([0-9a-f]{32})/.exec(output)![1]!;
    const { vertices } = await get(`/jobs/${jobId}`);
    const [numbers, sums] = ["numbers", "sums"].map((name) => vertices.find((vertex: { readonly name: string }) => vertex.name.includes(name)).id);
    const of = async (vertexId: string, subtask: number): Promise<Readonly<Record<string, number>>> => {
      const names = ["numRecordsIn", "numRecordsOut", "numRecordsCombined", "numSumsOut"];
      const answers: readonly { readonly id: string; readonly value: string }[] = await get(`/jobs/${jobId}/vertices/${vertexId}/metrics?get=${names.map((name) => `${subtask}.${name}`).join()}`);
      return Object.fromEntries(answers.map(({ id, value }) => [id.slice(2), Number(value)]));
    };
    const metrics = async (vertexId: string): Promise<readonly Readonly<Record<string, number>>[]> => Promise.all([of(vertexId, 0), of(vertexId, 1)]);
    // Several windows of each sender are over, and what they got has arrived.
    await until(async () => (await metrics(numbers)).every(({ numRecordsOut }) => numRecordsOut! > 8000) && (await metrics(sums)).every(({ numRecordsIn }) => numRecordsIn! > 20));
    const sent = await metrics(numbers);
    for (const { numRecordsOut, numRecordsCombined, numSumsOut } of sent) {
      if (!combines) {
        assert.deepEqual([numRecordsCombined, numSumsOut], [undefined, undefined]);
        continue;
      }
      assert.ok(numRecordsCombined! > numRecordsOut! / 2 && numSumsOut! > 0 && numSumsOut! * 20 < numRecordsCombined!, JSON.stringify(sent));
    }
    const total = (all: readonly Readonly<Record<string, number>>[], name: string): number => all.reduce((sum, one) => sum + one[name]!, 0);
    // The windows get as many as were sent: all records, or few sums.
    const received = total(await metrics(sums), "numRecordsIn");
    const produced = total(await metrics(numbers), "numRecordsOut");
    assert.equal(received * 20 < produced, combines, `${received} of ${produced}`);
  } finally {
    await cluster.stop();
  }
});
