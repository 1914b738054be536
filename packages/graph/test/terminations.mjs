// Terminates threads that do nothing but load modules with top-level await; their number is given. Without a gate it ends Node 20 after about a hundred.
import { setTimeout as pause } from "node:timers/promises";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { ModuleGate } from "@millrace/graph";

if (isMainThread) {
  const wanted = Number(process.argv[2]);
  let begun = 0;
  const terminations = async () => {
    while (begun++ < wanted) {
      const gate = new ModuleGate();
      const worker = new Worker(new URL(import.meta.url), { workerData: gate.shared });
      await new Promise((resolve) => worker.once("message", resolve));
      await pause(Math.random() * 20);
      if (process.argv[3] !== "ungated") await gate.close(pause, 60_000);
      await worker.terminate();
    }
  };
  await Promise.all([terminations(), terminations(), terminations()]);
  console.log(`${wanted} terminated`);
} else {
  const gate = new ModuleGate(workerData);
  const load = async () => {
    for (let i = 0; ; i++) await gate.load(() => import(`data:text/javascript,await 1; export default ${i}`));
  };
  parentPort.on("message", () => undefined);
  parentPort.postMessage("begun");
  void load();
}
