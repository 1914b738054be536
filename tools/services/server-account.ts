import { spawnSync } from "node:child_process";
import { chownSync } from "node:fs";

/** User and group that a database server runs as; it refuses to run as root. Empty when this process is nobody special: then it runs as the same user. */
export function serverAccount(user: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(spawnSync("id", [flag, user], { encoding: "utf8" }).stdout.trim() || Number.NaN));
  if (Number.isNaN(uid!) || Number.isNaN(gid!)) throw new Error(`there is no user ${user} to run the server as`);
  return { uid: uid!, gid: gid! };
}

/** Gives a folder to that account. */
export function giveTo(account: { readonly uid?: number; readonly gid?: number }, folder: string): void {
  if (account.uid !== undefined && account.gid !== undefined) chownSync(folder, account.uid, account.gid);
}
