// Real contender processes, driven by what they print; and the scenario that every implementation must survive.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** One contender in a process of its own. */
export class ContenderProcess {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<void>;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, ["--import", "tsx", fileURLToPath(new URL("./contender-process.ts", import.meta.url)), ...args], { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.lines.push(line);
      for (const wake of this.#waiting) wake();
    });
    // Once everything that it said has come, too.
    this.#ended = new Promise((resolve) => void this.#child.once("close", () => resolve()));
  }

  /** Waits for a line from position `from` on. Never resolves once `signal` is aborted. */
  until(pattern: RegExp, from: number = 0, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.lines.some((line, index) => index >= from && pattern.test(line))) return;
        this.#waiting.delete(look);
        resolve();
      };
      signal?.addEventListener("abort", () => this.#waiting.delete(look));
      this.#waiting.add(look);
      look();
    });
  }

  /** The tokens this process was granted, in order. */
  get tokens(): number[] {
    return this.lines.filter((line) => line.startsWith("granted ")).map((line) => Number(line.slice(8)));
  }

  get confirmed(): string[] {
    return this.lines.filter((line) => line.startsWith("appended ")).map((line) => line.slice(9));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

/** Waits until one of them has appended again, and resolves with it: it leads, or led a moment ago. */
async function leaderOf(processes: readonly ContenderProcess[]): Promise<ContenderProcess> {
  const stop = new AbortController();
  try {
    return await Promise.race(processes.map((one) => one.until(/^appended/, one.lines.length, stop.signal).then(() => one)));
  } finally {
    stop.abort();
  }
}

/**
 * The leader is killed, and a standby takes over; that one is stopped (SIGSTOP) until a third leads, goes on, and must neither write nor
 * believe for long that it leads. On a slow machine leases end by themselves, too: whoever leads then is taken. `read` gives the log at the end.
 */
export async function surviveKillAndStop(start: (name: string) => ContenderProcess, read: () => Promise<string | undefined>): Promise<void> {
  const processes = [start("a"), start("b")];
  try {
    const first = await leaderOf(processes);
    await first.kill();
    const second = processes.find((one) => one !== first)!;
    await leaderOf([second]);
    const third = start("c");
    processes.push(third);
    second.signal("SIGSTOP");
    const seen = second.lines.length;
    const believes = leads(second.lines);
    await leaderOf([third]);
    second.signal("SIGCONT");
    if (believes) await second.until(/^revoked/, seen);
    await leaderOf([second, third]);
    await Promise.all(processes.map((one) => one.kill()));

    for (const { tokens } of processes) assert.deepEqual(tokens, [...tokens].sort((x, y) => x - y), "tokens grow");
    const tokens = processes.flatMap((one) => one.tokens);
    assert.equal(new Set(tokens).size, tokens.length);
    const list = JSON.parse((await read()) ?? "[]") as string[];
    const inOrder = list.map((entry) => Number(entry.split("@")[1]));
    assert.deepEqual(inOrder, [...inOrder].sort((x, y) => x - y), "no old leader wrote after a newer one");
    for (const process of processes) for (const entry of process.confirmed) assert.ok(list.includes(entry), `${entry} was confirmed and is lost`);
    assert.equal(new Set(list).size, list.length);
  } finally {
    await Promise.all(processes.map((one) => one.kill()));
  }
}

function leads(lines: readonly string[]): boolean {
  return lines.findLastIndex((line) => line.startsWith("granted ")) > lines.lastIndexOf("revoked");
}
