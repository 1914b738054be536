// A private ZooKeeper for tests: on a free port of the loopback, in a temporary folder, gone when it is stopped.
// Takes Debian's `zookeeper` package, or any distribution that ZOOKEEPER_HOME names; needs `java`.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DEBIAN_JAR = "/usr/share/java/zookeeper.jar";
const START_LIMIT_MS = 120_000;

/** Why ZooKeeper cannot be had here; `undefined` when it can. Under CI that is an error: there nothing is skipped. */
export function zookeeperMissing(): string | undefined {
  const why = classPath() === undefined
    ? "ZooKeeper is not installed (Debian: apt-get install zookeeper; or set ZOOKEEPER_HOME)"
    : spawnSync("java", ["-version"]).status !== 0 ? "`java` is not installed" : undefined;
  if (why !== undefined && process.env["CI"]) throw new Error(`${why}, and under CI no test is skipped`);
  return why;
}

function classPath(): string | undefined {
  const home = process.env["ZOOKEEPER_HOME"];
  if (home !== undefined && home !== "") return existsSync(join(home, "lib")) ? `${home}/lib/*:${home}/*` : undefined;
  return existsSync(DEBIAN_JAR) ? DEBIAN_JAR : undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => void server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server; `start` it, `stop` it (data stays), `remove` it. The process is a child and never outlives its parent's `remove`. */
export class ZooKeeperServer {
  readonly #directory = mkdtempSync(join(tmpdir(), "millrace-zookeeper-"));
  #child: ChildProcess | undefined;
  port = 0;

  /** Starts one on a free port. */
  static async start(): Promise<ZooKeeperServer> {
    const server = new ZooKeeperServer();
    // Between the choice of a port and its use somebody else may take it.
    for (let attempt = 1; ; attempt++) {
      server.port = await freePort();
      try {
        await server.restart();
        return server;
      } catch (error) {
        await server.stop();
        if (attempt === 3) {
          await server.remove();
          throw error;
        }
      }
    }
  }

  get quorum(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it again, on the same port and data. */
  async restart(): Promise<void> {
    const config = join(this.#directory, "zoo.cfg");
    writeFileSync(config, [
      "tickTime=200", `dataDir=${join(this.#directory, "data")}`, `clientPort=${this.port}`, "clientPortAddress=127.0.0.1", "admin.enableServer=false",
      "minSessionTimeout=400", "maxSessionTimeout=120000", "maxClientCnxns=0", "4lw.commands.whitelist=ruok", "forceSync=no",
    ].join("\n"));
    const child = spawn("java", ["-Xmx128m", "-cp", classPath()!, "org.apache.zookeeper.server.ZooKeeperServerMain", config], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output = (output + String(data)).slice(-4000)));
    const limit = Date.now() + START_LIMIT_MS;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || Date.now() > limit) throw new Error(`ZooKeeper did not start: ${output}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Ends the process (SIGKILL by default, like a crash). */
  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGCONT");
    child.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, "127.0.0.1");
      let answer = "";
      socket.on("connect", () => socket.end("ruok"));
      socket.on("data", (data: Buffer) => (answer += String(data)));
      socket.on("error", () => undefined);
      // While it starts it may accept a connection and never say anything.
      socket.setTimeout(500, () => socket.destroy());
      socket.on("close", () => resolve(answer === "imok"));
    });
  }
}
