// A private ZooKeeper for tests: on a free port of the loopback, in a temporary folder, gone when it is stopped.
// Takes Debian's `zookeeper` package, or any distribution that ZOOKEEPER_HOME names; needs `java`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.js";
import { ServerProcess } from "../server-process.js";
import { startOnFreePort } from "../start-on-free-port.js";

const DEBIAN_JAR = "/usr/share/java/zookeeper.jar";

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

/** A server; `start` it, `stop` it (data stays), `remove` it. */
export class ZooKeeperServer {
  readonly port: number;
  readonly #directory: string;
  readonly #process: ServerProcess;

  private constructor(port: number) {
    this.port = port;
    this.#directory = mkdtempSync(join(tmpdir(), "millrace-zookeeper-"));
    const config = join(this.#directory, "zoo.cfg");
    writeFileSync(config, [
      "tickTime=200", `dataDir=${join(this.#directory, "data")}`, `clientPort=${port}`, "clientPortAddress=127.0.0.1", "admin.enableServer=false",
      "minSessionTimeout=400", "maxSessionTimeout=120000", "maxClientCnxns=0", "4lw.commands.whitelist=ruok", "forceSync=no",
    ].join("\n"));
    this.#process = new ServerProcess({
      name: "ZooKeeper", command: "java", args: ["-Xmx128m", "-cp", classPath()!, "org.apache.zookeeper.server.ZooKeeperServerMain", config], ready: () => this.#answers(),
    });
  }

  /** Starts one on a free port. */
  static start(): Promise<ZooKeeperServer> {
    return startOnFreePort(async () => new ZooKeeperServer(await freePort()));
  }

  /** Starts it (again, on the same port and data). */
  start(): Promise<void> {
    return this.#process.start();
  }

  get quorum(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The end of what it printed. */
  get output(): string {
    return this.#process.output;
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  /** Ends the process (SIGKILL by default, like a crash). */
  stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    return this.#process.stop(signal);
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
