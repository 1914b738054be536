import { slotProcesses } from "../../../e2e/cluster/processes.js";
import type { Member } from "../world/member.js";
import { sleep } from "../world/waiting.js";
import { HEARTBEAT_TIMEOUT_MS, LEASE_TIMEOUT_MS, type World } from "../world/world.js";
import { between, holding, pick, type Fault, type FaultContext, type FaultName } from "./fault.js";

const always = (): boolean => true;
const leader = ({ leader: member }: World): readonly Member[] => (member === undefined ? [] : [member]);
const standby = ({ jobManagers, leader: member }: World): readonly Member[] => (member === undefined ? [] : jobManagers.filter((other) => other !== member));

/** Gone, with a signal that it hears of or not, and started again. */
function ended(name: FaultName, candidates: (world: World) => readonly Member[], end: (victim: Member) => Promise<void>): Fault {
  return {
    name, applies: always,
    async strike({ world, journal, random, signal }: FaultContext) {
      const victim = pick(random, candidates(world));
      if (victim === undefined || !victim.isRunning) return;
      await holding(victim, async () => {
        journal.strike(name, victim.name);
        await end(victim);
        // At once, or late enough that the others have to do without it.
        await sleep(random() < 0.4 ? 0 : between(random, 500, 7000), signal);
        victim.start();
      });
    },
  };
}

function paused(name: FaultName, candidates: (world: World) => readonly Member[], fromMs: number, toMs: number): Fault {
  return {
    name, applies: always,
    async strike({ world, journal, random, signal }: FaultContext) {
      const victim = pick(random, candidates(world));
      if (victim === undefined || !victim.isRunning) return;
      await holding(victim, async () => {
        const pauseMs = between(random, fromMs, toMs);
        journal.strike(name, `${victim.name} for ${Math.round(pauseMs)} ms`);
        victim.pause();
        try {
          await sleep(pauseMs, signal);
        } finally {
          victim.resume();
        }
      });
    },
  };
}

/** Where slots are processes. */
const slotKilled: Fault = {
  name: "slot-killed", applies: ({ slotIsolation }) => slotIsolation === "process",
  async strike({ world, journal, random }: FaultContext) {
    const taskManager = pick(random, world.taskManagers.filter(({ pid }) => pid !== undefined));
    const slots = taskManager === undefined ? [] : slotProcesses(taskManager.pid!);
    const slot = slots[Math.floor(random() * slots.length)];
    if (slot === undefined) return;
    journal.strike("slot-killed", `process ${slot} of ${taskManager!.name}`);
    process.kill(slot, "SIGKILL");
  },
};

export const processFaults: readonly Fault[] = [
  ended("task-manager-killed", ({ taskManagers }) => taskManagers, (victim) => victim.kill()),
  ended("task-manager-stopped", ({ taskManagers }) => taskManagers, (victim) => victim.stop()),
  slotKilled,
  ended("leader-killed", leader, (victim) => victim.kill()),
  ended("leader-stopped", leader, (victim) => victim.stop()),
  ended("standby-killed", standby, (victim) => victim.kill()),
  paused("task-manager-paused", ({ taskManagers }) => taskManagers, 100, 3000),
  paused("task-manager-paused-past-heartbeat", ({ taskManagers }) => taskManagers, HEARTBEAT_TIMEOUT_MS + 1000, HEARTBEAT_TIMEOUT_MS + 5000),
  paused("job-manager-paused", ({ jobManagers }) => jobManagers, 100, 3000),
  paused("leader-paused-past-lease", leader, LEASE_TIMEOUT_MS + 3000, LEASE_TIMEOUT_MS + 8000),
];
