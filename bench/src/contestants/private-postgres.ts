import { spawnSync } from "node:child_process";
import { PostgresServer } from "../../../tools/services/postgres/postgres-server.js";

/** One server for all runs of a work. It shares the benchmark's cores with whoever is measured. */
let running: Promise<PostgresServer> | undefined;
let made = 0;

export function postgres(): Promise<PostgresServer> {
  running ??= PostgresServer.start();
  return running;
}

/** What a statement gives. @throws what the server says */
export async function sql(text: string, input: string = ""): Promise<string> {
  const { status, stdout, stderr } = spawnSync("psql", ["-tA", "-v", "ON_ERROR_STOP=1", (await postgres()).url, "-c", text], { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`${text}: ${stderr}`);
  return stdout.trim();
}

/** An empty table for rows. */
export async function emptyTable(hasKey: boolean = false): Promise<string> {
  const name = `rows_${made++}`;
  await sql(`create table ${name} (id bigint${hasKey ? " primary key" : ""}, sensor text, celsius double precision, at timestamp)`);
  return name;
}

export async function stopPostgres(): Promise<void> {
  const server = running;
  running = undefined;
  await (await server?.catch(() => undefined))?.remove();
}
