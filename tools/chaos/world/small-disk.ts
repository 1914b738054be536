import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** How a disk is made full here. */
export interface SmallDisk {
  /** What lies on it: checkpoints, savepoints, high availability, outputs. */
  readonly path: string;
  /** For the one who runs it. */
  readonly means: string;
  /** @param pids processes of the cluster, as they are now */
  makeFull(pids: readonly number[]): void;
  free(pids: readonly number[]): void;
  remove(): void;
}

const SIZE_MIB = 192;

/**
 * A disk that can be full: a tmpfs of its own where this process may mount one (see `namespace.ts`), so that writing fails with ENOSPC for everybody; otherwise
 * a plain folder and RLIMIT_FSIZE 0 for each process of the cluster, so that writing fails with EFBIG. Neither: refused, never left out in silence.
 */
export function smallDisk(path: string): SmallDisk {
  mkdirSync(path, { recursive: true });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE_MIB}m`, "tmpfs", path], { encoding: "utf8" });
  if (mounted.status === 0) return tmpfsDisk(path);
  const limit = spawnSync("prlimit", ["--pid", String(process.pid), "--fsize"], { encoding: "utf8" });
  if (limit.status === 0) return limitedDisk(path);
  throw new Error(`no disk can be made full here: mount says ${mounted.stderr || String(mounted.error)}, prlimit says ${limit.stderr || String(limit.error)}`);
}

function tmpfsDisk(path: string): SmallDisk {
  const ballast = join(path, "ballast");
  return {
    path, means: `a tmpfs of ${SIZE_MIB} MiB (ENOSPC)`,
    makeFull: () => {
      const file = openSync(ballast, "w");
      try {
        // Smaller and smaller, so that not one byte is left.
        for (let size = 1 << 22; size >= 1; size = size >> 4) while (wrote(file, size));
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remove: () => void spawnSync("umount", ["-l", path]),
  };
}

function wrote(file: number, size: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(size)) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}

/** The second of them. */
export function limitedDisk(path: string): SmallDisk {
  mkdirSync(path, { recursive: true });
  const limit = (pids: readonly number[], soft: string): void => {
    for (const pid of pids) spawnSync("prlimit", ["--pid", String(pid), `--fsize=${soft}:unlimited`]);
  };
  return {
    path, means: "RLIMIT_FSIZE 0 by prlimit (EFBIG): nothing may be mounted here",
    makeFull: (pids) => limit(pids, "0"), free: (pids) => limit(pids, "unlimited"), remove: () => undefined,
  };
}
