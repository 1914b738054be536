import type { Member } from "../world/member.js";
import { sleep } from "../world/waiting.js";
import { HEARTBEAT_TIMEOUT_MS, LEASE_TIMEOUT_MS, type World } from "../world/world.js";
import { between, holding, pick, type Fault, type FaultContext, type FaultName } from "./fault.js";

const always = (): boolean => true;
const leader = ({ leader: member }: World): readonly Member[] => (member === undefined ? [] : [member]);
const standby = ({ jobManagers, leader: member }: World): readonly Member[] => (member === undefined ? [] : jobManagers.filter((other) => other !== member));

function killed(name: FaultName, candidates: (world: World) => readonly Member[]): Fault {
  return {
    name, applies: always,
    async strike({ world, journal, random, signal }: FaultContext) {
      const victim = pick(random, candidates(world));
      if (victim === undefined || !victim.isRunning) return;
      await holding(victim, async () => {
        journal.strike(name, victim.name);
        await victim.kill();
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

export const processFaults: readonly Fault[] = [
  killed("task-manager-killed", ({ taskManagers }) => taskManagers),
  killed("leader-killed", leader),
  killed("standby-killed", standby),
  paused("task-manager-paused", ({ taskManagers }) => taskManagers, 100, 3000),
  paused("task-manager-paused-past-heartbeat", ({ taskManagers }) => taskManagers, HEARTBEAT_TIMEOUT_MS + 1000, HEARTBEAT_TIMEOUT_MS + 5000),
  paused("job-manager-paused", ({ jobManagers }) => jobManagers, 100, 3000),
  paused("leader-paused-past-lease", leader, LEASE_TIMEOUT_MS + 3000, LEASE_TIMEOUT_MS + 8000),
];
