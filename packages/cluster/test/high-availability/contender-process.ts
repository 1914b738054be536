// A JobManager as far as an election sees one, as a process: stands for election and appends to the log in the store while it leads.
// Tells on standard output: `granted TOKEN`, `revoked`, `appended N TOKEN` (confirmed), `refused N TOKEN CODE`.
import { processOptions, Configuration, isMillraceError, type Coordination } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import { FileCoordination } from "../../src/high-availability/file/file-coordination.js";

const [kind, place, name, ...pairs] = process.argv.slice(2);
const env = { ...createNodeEnv(), log: { write: () => undefined } };
const coordination = await connect();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
let leading: number | undefined;

async function connect(): Promise<Coordination> {
  if (kind === "file") return new FileCoordination({ env, directory: place!, leaseTimeoutMs: 2000, leaseIntervalMs: 200 });
  const { createCoordination } = (await import("@millrace/ha-zookeeper" as string)) as { createCoordination: (e: typeof env, c: Configuration, id: string) => Coordination };
  return createCoordination(env, Configuration.of({ "high-availability.zookeeper.quorum": place!, ...Object.fromEntries(pairs.map((pair) => pair.split("="))) }, processOptions), "processes");
}

async function append(token: number): Promise<void> {
  const leads = (): boolean => leading === token;
  for (let i = 0; leads(); i++) {
    const id = `${name}-${token}-${i}`;
    try {
      const stored = await coordination.store.get("log");
      const value = JSON.stringify([...(JSON.parse(stored?.value ?? "[]") as string[]), `${id}@${token}`]);
      await coordination.store.commit(token, [{ type: "put", key: "log", value, expect: stored?.version ?? "absent" }]);
      say(`appended ${id}@${token}`);
    } catch (error) {
      say(`refused ${id}@${token} ${isMillraceError(error) ? error.code : String(error)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

coordination.elect(name!, {
  granted: (token) => {
    leading = token;
    say(`granted ${token}`);
    void append(token);
  },
  revoked: () => {
    leading = undefined;
    say("revoked");
  },
  failed: (error) => say(`failed ${error.message}`),
});
