import { spawnSync } from "node:child_process";
import { chownSync } from "node:fs";

/** Who a process runs as; empty for the same user. */
export interface ServerAccount {
  readonly uid?: number;
  readonly gid?: number;
}

/** User and group that a database server runs as; it refuses to run as root. Empty when this process is nobody special: then it runs as the same user. */
export function serverAccount(user: string): ServerAccount {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(spawnSync("id", [flag, user], { encoding: "utf8" }).stdout.trim() || Number.NaN));
  if (Number.isNaN(uid!) || Number.isNaN(gid!)) throw new Error(`there is no user ${user} to run the server as`);
  return { uid: uid!, gid: gid! };
}

/** Gives a folder to that account. */
export function giveTo(account: ServerAccount, folder: string): void {
  if (account.uid !== undefined && account.gid !== undefined) chownSync(folder, account.uid, account.gid);
}
