import type { Direction } from "../../services/proxy/tcp-proxy.js";
import type { Link } from "../world/links.js";
import { sleep } from "../world/waiting.js";
import type { World } from "../world/world.js";
import { between, holding, pick, type Fault, type FaultContext, type FaultName } from "./fault.js";

const always = (): boolean => true;
const SERVICES = [" Kafka", " ZooKeeper", " PostgreSQL"];
const amongMembers = ({ links }: World): readonly Link[] => links.filter(({ name }) => !SERVICES.some((service) => name.endsWith(service)));
const toPostgres = ({ links }: World): readonly Link[] => links.filter(({ name }) => name.endsWith(" PostgreSQL"));
const toKafka = ({ links }: World): readonly Link[] => links.filter(({ name }) => name.endsWith(" Kafka"));
const toZooKeeper = ({ links }: World): readonly Link[] => links.filter(({ name }) => name.endsWith(" ZooKeeper"));
const used = (links: readonly Link[]): readonly Link[] => links.filter(({ connections }) => connections > 0);
/** Short, longer than nobody notices, and longer than heartbeats last. */
const silenceMs = (random: () => number): number => (random() < 0.4 ? between(random, 500, 4000) : between(random, 9000, 16_000));

/** Nothing passes for a while; then everything that was held does, or its connections are gone. */
function blackHole(name: FaultName, candidates: (world: World) => readonly Link[], directions: readonly Direction[]): Fault {
  return {
    name, applies: (world) => candidates(world).length > 0,
    async strike({ world, journal, random, signal }: FaultContext) {
      const link = pick(random, used(candidates(world)));
      if (link === undefined) return;
      await holding(link, async () => {
        const direction = directions[Math.floor(random() * directions.length)]!;
        const ms = silenceMs(random);
        const survive = random() < 0.6;
        journal.strike(name, `${link.name}, ${direction === "both" ? "both ways" : direction}, for ${Math.round(ms)} ms, its ${link.connections} connections ${survive ? "live on" : "are lost"}`);
        link.hold(direction);
        try {
          await sleep(ms, signal);
          if (!survive) link.reset();
        } finally {
          link.clear();
        }
      });
    },
  };
}

const torn: Fault = {
  name: "connections-torn", applies: always,
  async strike({ world, journal, random, signal }: FaultContext) {
    const link = pick(random, used(world.links));
    if (link === undefined) return;
    await holding(link, async () => {
      const bytes = link.bytes;
      journal.strike("connections-torn", `${link.tear(random)} of ${link.name}`);
      await sleep(between(random, 500, 2000), signal);
      // Those that nothing came through in the meantime.
      if (link.bytes === bytes) link.reset();
    });
  },
};

const slow: Fault = {
  name: "link-slow", applies: always,
  async strike({ world, journal, random, signal }: FaultContext) {
    const link = pick(random, used(world.links));
    if (link === undefined) return;
    await holding(link, async () => {
      const delayMs = Math.round(between(random, 20, 1200));
      const ms = between(random, 2000, 10_000);
      journal.strike("link-slow", `${link.name}, ${delayMs} ms later each way, for ${Math.round(ms)} ms`);
      link.delay(delayMs);
      try {
        await sleep(ms, signal);
      } finally {
        link.clear();
      }
    });
  },
};

export const networkFaults: readonly Fault[] = [
  torn, slow,
  blackHole("link-black-holed-one-way", amongMembers, ["forward", "backward"]),
  blackHole("link-black-holed", amongMembers, ["both"]),
  blackHole("zookeeper-cut-off", toZooKeeper, ["forward", "backward", "both"]),
  blackHole("broker-cut-off", toKafka, ["forward", "backward", "both"]),
  blackHole("database-cut-off", toPostgres, ["forward", "backward", "both"]),
];
