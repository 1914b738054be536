// Real contender processes, driven by what they print; and the scenario that every implementation must survive.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** One contender in a process of its own. */
export class ContenderProcess {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  #wake: () => void = () => undefined;
  readonly #ended: Promise<void>;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, ["--import", "tsx", fileURLToPath(new URL("./contender-process.ts", import.meta.url)), ...args], { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.lines.push(line);
      this.#wake();
    });
    this.#ended = new Promise((resolve) => void this.#child.once("exit", () => resolve()));
  }

  /** Waits for a line from position `from` on; returns the position behind it. */
  async until(pattern: RegExp, from = 0): Promise<number> {
    for (;;) {
      const at = this.lines.findIndex((line, index) => index >= from && pattern.test(line));
      if (at >= 0) return at + 1;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
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

/**
 * The leader is killed, and a standby takes over; that one is stopped (SIGSTOP) until a third leads, goes on, and must neither write nor
 * believe for long that it leads. `read` gives the log at the end.
 */
export async function surviveKillAndStop(start: (name: string) => ContenderProcess, read: () => Promise<string | undefined>): Promise<void> {
  const processes = [start("a")];
  try {
    const [a] = processes as [ContenderProcess];
    await a.until(/^appended/);
    const b = start("b");
    processes.push(b);
    await a.until(/^appended/, a.lines.length);
    await a.kill();
    await b.until(/^appended/);
    const c = start("c");
    processes.push(c);
    b.signal("SIGSTOP");
    const seenOfB = b.lines.length;
    await c.until(/^appended/);
    b.signal("SIGCONT");
    await b.until(/^revoked/, seenOfB);
    await c.until(/^appended/, c.lines.length);
    await Promise.all(processes.map((one) => one.kill()));

    const tokens = [...a.tokens, ...b.tokens, ...c.tokens];
    assert.deepEqual(tokens, [...tokens].sort((x, y) => x - y), "tokens grow from leader to leader");
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
