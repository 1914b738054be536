import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MillraceError, PROFILING_DIRECTORY, PROFILING_HISTORY_SIZE, TMP_DIRS, type Configuration } from "@millrace/core";
import { readPiece } from "./file-piece.js";
import type { ThreadProfile } from "./inspector-protocol.js";
import type { LogPiece, Profiling, ProfilingMode, ProfilingRequest } from "./process-inspection.js";
import { profilePage } from "./profile-page.js";

export interface ProfilingsInit {
  /** What is profiled; its files begin with it. */
  readonly name: string;
  /** Where files are written; without it a temporary directory that goes with this process. */
  readonly directory?: string | undefined;
  readonly temporaryParent?: string | undefined;
  /** So many are remembered. */
  readonly historySize: number;
}

/** As a configuration has it. */
export function profilingsOf(config: Configuration, name: string): ProfilingsInit {
  return { name, directory: config.get(PROFILING_DIRECTORY), temporaryParent: config.get(TMP_DIRS), historySize: config.get(PROFILING_HISTORY_SIZE) };
}

type Profile = (mode: Exclude<ProfilingMode, "LOCK">, durationMs: number) => Promise<readonly ThreadProfile[]>;

/** The profilings of one process: one at a time, each with a file, the last ones kept. Flink: ProfilingService. */
export class Profilings {
  readonly #init: ProfilingsInit;
  readonly #profile: Profile;
  /** Newest first. */
  #kept: readonly Profiling[] = [];
  #temporary: string | undefined;

  constructor(init: ProfilingsInit, profile: Profile) {
    this.#init = init;
    this.#profile = profile;
  }

  get list(): readonly Profiling[] {
    return this.#kept;
  }

  /** @throws `PROFILING_RUNS` */
  start({ mode, durationSeconds }: ProfilingRequest): Profiling {
    const { name } = this.#init;
    if (this.#kept.some(({ status }) => status === "RUNNING")) {
      throw new MillraceError({ code: "PROFILING_RUNS", message: `${name} is still under profiling`, hint: "one profiling at a time: wait until the one before has finished", recovery: "retry" });
    }
    const started: Profiling = { mode, durationSeconds, status: "RUNNING", startedMs: Date.now(), endedMs: undefined, message: undefined, file: undefined };
    if (mode === "LOCK") return this.#keep(failed(started, "Start profiler failed. LOCK: threads of V8 share no objects, so that there are no locks to wait for; WALL shows when a thread waits"));
    void this.#run(started, mode);
    return this.#keep(started);
  }

  /** @throws `PROFILE_UNKNOWN` */
  async read(name: string, offset: number): Promise<LogPiece> {
    const directory = this.#init.directory ?? this.#temporary;
    if (directory === undefined || !this.#kept.some(({ file }) => file?.name === name) || !Number.isSafeInteger(offset) || offset < 0) throw unknownProfile(name);
    return readPiece(join(directory, name), offset, () => unknownProfile(name));
  }

  /** Files in a temporary directory are gone then. */
  close(): void {
    if (this.#temporary !== undefined) rmSync(this.#temporary, { recursive: true, force: true });
  }

  async #run(started: Profiling, mode: Exclude<ProfilingMode, "LOCK">): Promise<void> {
    let ended: Profiling;
    try {
      const file = await this.#write(started, mode, await this.#profile(mode, started.durationSeconds * 1000));
      ended = { ...started, status: "FINISHED", endedMs: Date.now(), message: "Profiling Successful", file };
    } catch (error) {
      ended = failed(started, `Stop profiler failed. ${(error as Error).message}`);
    }
    this.#kept = this.#kept.map((kept) => (kept === started ? ended : kept));
  }

  async #write({ startedMs, durationSeconds }: Profiling, mode: Exclude<ProfilingMode, "LOCK">, threads: readonly ThreadProfile[]): Promise<NonNullable<Profiling["file"]>> {
    if (threads.length === 0) throw new Error("no thread answered");
    const at = new Date(startedMs).toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "_");
    const name = `${this.#init.name.replace(/[^A-Za-z0-9._-]/g, "_")}_${mode}_${at}.html`;
    const page = Buffer.from(profilePage({ title: `${this.#init.name}: ${mode}, ${durationSeconds} s from ${new Date(startedMs).toISOString()}`, name: name.replace(/\.html$/, ""), mode, threads }));
    await writeFile(join(await this.#directory(), name), page, { mode: 0o600, flag: "wx" });
    return { name, sizeBytes: page.length };
  }

  async #directory(): Promise<string> {
    const { directory, temporaryParent } = this.#init;
    if (directory === undefined && this.#temporary === undefined) {
      const temporary = resolve(temporaryParent ?? tmpdir(), `millrace-profiles-${randomBytes(8).toString("hex")}`);
      this.#temporary = temporary;
      process.once("exit", () => rmSync(temporary, { recursive: true, force: true }));
    }
    const used = directory ?? this.#temporary!;
    await mkdir(used, { recursive: true, mode: 0o700 });
    return used;
  }

  #keep(profiling: Profiling): Profiling {
    const all = [profiling, ...this.#kept];
    this.#kept = all.slice(0, this.#init.historySize);
    const directory = this.#init.directory ?? this.#temporary;
    for (const { file } of all.slice(this.#init.historySize)) {
      // A file that cannot be deleted is no reason not to profile.
      if (file !== undefined && directory !== undefined) void rm(join(directory, file.name), { force: true }).catch(() => undefined);
    }
    return profiling;
  }
}

function failed(profiling: Profiling, message: string): Profiling {
  return { ...profiling, status: "FAILED", endedMs: Date.now(), message };
}

function unknownProfile(name: string): MillraceError {
  return new MillraceError({ code: "PROFILE_UNKNOWN", message: `there is no file "${name.slice(0, 100)}" of a profiling`, hint: "GET on the profiler lists those that are kept: the last rest.profiling.history-size" });
}
