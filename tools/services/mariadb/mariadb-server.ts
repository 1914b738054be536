// A private MariaDB with a row-based binary log and GTIDs: on a free port of the loopback, in a temporary folder, gone when it is removed.
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.js";
import { giveTo, serverAccount } from "../server-account.js";
import { PrivateServer, prepareData } from "../private-server.js";
import { ServerProcess } from "../server-process.js";
import { startOnFreePort } from "../start-on-free-port.js";

/** Why MariaDB cannot be had here; `undefined` when it can. Under CI that is an error: there nothing is skipped. */
export function mariadbMissing(): string | undefined {
  const why = spawnSync("mariadbd", ["--version"]).status !== 0 ? "MariaDB is not installed (Debian: apt-get install mariadb-server)" : undefined;
  if (why !== undefined && process.env["CI"]) throw new Error(`${why}, and under CI no test is skipped`);
  return why;
}

export interface MariadbOptions {
  /** Options of `mariadbd` over those of this server. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A server; database `test`, user `root`, password `secret`. */
export class MariadbServer extends PrivateServer {
  static start(options: MariadbOptions = {}): Promise<MariadbServer> {
    return startOnFreePort(() => MariadbServer.#prepare(options));
  }

  static async #prepare({ settings = {} }: MariadbOptions): Promise<MariadbServer> {
    const missing = mariadbMissing();
    if (missing !== undefined) throw new Error(missing);
    const account = serverAccount("mysql");
    const directory = mkdtempSync(join(tmpdir(), "millrace-mariadb-"));
    giveTo(account, directory);
    const data = join(directory, "data");
    prepareData(account, directory, "mariadb-install-db", ["--no-defaults", `--datadir=${data}`, `--tmpdir=${directory}`, "--skip-test-db", "--auth-root-authentication-method=normal"]);
    // A server that starts clears the folder of temporary files, also of the tables of others.
    const small = ["--no-defaults", `--datadir=${data}`, `--tmpdir=${directory}`, "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M"];
    prepareData(account, directory, "mariadbd", [...small, "--bootstrap"], "FLUSH PRIVILEGES;\nCREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY 'secret';\nGRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\nCREATE DATABASE test;\n");
    const port = await freePort();
    const all = {
      port: String(port), "bind-address": "127.0.0.1", socket: join(directory, "socket"), "server-id": "1", "log-bin": "binlog", "binlog-format": "ROW", "binlog-row-metadata": "FULL", "binlog-row-image": "FULL",
      "gtid-strict-mode": "1", "skip-name-resolve": "1", ...settings,
    };
    const process = new ServerProcess({
      name: "MariaDB", command: "mariadbd", args: [...small, ...Object.entries(all).map(([key, value]) => `--${key}=${value}`)], spawn: { ...account, cwd: directory },
      ready: async () => spawnSync("mariadb-admin", ["--no-defaults", "-h", "127.0.0.1", "-P", String(port), "-u", "root", "-psecret", "ping"]).status === 0,
    });
    return new MariadbServer(directory, port, process);
  }

  /** `mysql://user:password@host:port/database`. */
  get url(): string {
    return `mysql://root:secret@127.0.0.1:${this.port}/test`;
  }
}
