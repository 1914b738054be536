import { spawn, spawnSync } from "node:child_process";

const MARK = "MILLRACE_CHAOS_NAMESPACE";

/** Ways into a mount namespace of one's own: as root, and as anybody where users may have namespaces. */
const WAYS: readonly (readonly string[])[] = [["-m"], ["-U", "-m", "--map-current-user", "--keep-caps"]];

/**
 * Starts this program again in a mount namespace of its own where that is possible, so that what it mounts is seen by nobody else and goes with it, however it
 * ends. Resolves with that program's exit code; with `undefined` when this is that program, or there is no such thing here.
 */
export async function inOwnNamespace(): Promise<number | undefined> {
  if (process.env[MARK] !== undefined) return undefined;
  const way = WAYS.find((options) => spawnSync("unshare", [...options, "true"]).status === 0);
  if (way === undefined) return undefined;
  const child = spawn("unshare", [...way, process.execPath, ...process.execArgv, ...process.argv.slice(1)], { stdio: "inherit", env: { ...process.env, [MARK]: "1" } });
  // A terminal tells the child by itself, others do not.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
