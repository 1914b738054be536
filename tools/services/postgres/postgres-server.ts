// A private PostgreSQL with logical WAL and two-phase commit: on a free port of the loopback, in a temporary folder, gone when it is removed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.js";
import { giveTo, serverAccount } from "../server-account.js";
import { PrivateServer, prepareData } from "../private-server.js";
import { ServerProcess } from "../server-process.js";
import { startOnFreePort } from "../start-on-free-port.js";

const DEBIAN_FOLDER = "/usr/lib/postgresql";

/** The newest Debian package's programs, or those of POSTGRES_HOME. */
function binaries(): string | undefined {
  const home = process.env["POSTGRES_HOME"];
  if (home !== undefined && home !== "") return existsSync(join(home, "bin/initdb")) ? join(home, "bin") : undefined;
  if (!existsSync(DEBIAN_FOLDER)) return undefined;
  const versions = readdirSync(DEBIAN_FOLDER).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(DEBIAN_FOLDER, version, "bin")).find((folder) => existsSync(join(folder, "initdb")));
}

/** Why PostgreSQL cannot be had here; `undefined` when it can. Under CI that is an error: there nothing is skipped. */
export function postgresMissing(): string | undefined {
  const why = binaries() === undefined ? "PostgreSQL is not installed (Debian: apt-get install postgresql; or set POSTGRES_HOME)" : undefined;
  if (why !== undefined && process.env["CI"]) throw new Error(`${why}, and under CI no test is skipped`);
  return why;
}

export interface PostgresOptions {
  /** Settings over those of this server, as in `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What a process calls itself; PostgreSQL's say whom they serve. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** Some may be gone. */
function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** A server; database `postgres`, user `postgres`, password `secret`. */
export class PostgresServer extends PrivateServer {
  static start(options: PostgresOptions = {}): Promise<PostgresServer> {
    return startOnFreePort(() => PostgresServer.#prepare(options));
  }

  static async #prepare({ settings = {} }: PostgresOptions): Promise<PostgresServer> {
    const missing = postgresMissing();
    if (missing !== undefined) throw new Error(missing);
    const folder = binaries()!;
    const account = serverAccount("postgres");
    const directory = mkdtempSync(join(tmpdir(), "millrace-postgres-"));
    giveTo(account, directory);
    const data = join(directory, "data");
    const passwordFile = join(directory, "password");
    writeFileSync(passwordFile, "secret\n");
    prepareData(account, directory, join(folder, "initdb"), ["-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", `--pwfile=${passwordFile}`, "--no-sync"]);
    const port = await freePort();
    const all = {
      port: String(port), listen_addresses: "127.0.0.1", unix_socket_directories: directory, wal_level: "logical", max_prepared_transactions: "64", max_wal_senders: "8", max_replication_slots: "8",
      max_connections: "100", shared_buffers: "64MB", ...settings,
    };
    const server = new ServerProcess({
      name: "PostgreSQL", command: join(folder, "postgres"), args: ["-D", data, ...Object.entries(all).flatMap(([key, value]) => ["-c", `${key}=${value}`])],
      spawn: { ...account, cwd: directory },
      ready: async () => spawnSync(join(folder, "pg_isready"), ["-q", "-h", "127.0.0.1", "-p", String(port)]).status === 0,
    });
    return new PostgresServer(directory, port, server);
  }

  /** `postgres://user:password@host:port/database`. */
  get url(): string {
    return `postgres://postgres:secret@127.0.0.1:${this.port}/postgres`;
  }

  /** The postmaster and all its children, as when the machine goes. */
  override async kill(): Promise<void> {
    // So that it makes no more of them.
    this.process.pause();
    const children = this.#children();
    await this.process.stop();
    signal(children, "SIGKILL");
    // A new server does not start while one of the old one's is left.
    while (children.some((pid) => commandOf(pid) !== "")) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Kills the server process of one connection: the postmaster then ends all others, and recovers. @returns false when there is none */
  killBackend(random: () => number): boolean {
    const backends = this.#children().filter((pid) => / 127\.0\.0\.1\(/.test(commandOf(pid)));
    const victim = backends[Math.floor(random() * backends.length)];
    if (victim !== undefined) signal([victim], "SIGKILL");
    return victim !== undefined;
  }

  /** With all its children: each connection has a process of its own. */
  override pause(): void {
    super.pause();
    signal(this.#children(), "SIGSTOP");
  }

  override resume(): void {
    signal(this.#children(), "SIGCONT");
    super.resume();
  }

  /** (Linux.) */
  #children(): readonly number[] {
    const { pid } = this.process;
    if (pid === undefined) return [];
    try {
      return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter((each) => each !== "").map(Number);
    } catch {
      return [];
    }
  }

  override remove(): Promise<void> {
    // Its children live on for a moment when the postmaster alone is killed, and write into the folder.
    return super.remove("SIGQUIT");
  }
}
