import type { FaultName } from "../faults/fault.js";

/** What has happened in a run, line by line, and how often. */
export class Journal {
  readonly startedMs: number = performance.now();
  readonly lines: string[] = [];
  readonly struck = new Map<FaultName, number>();
  readonly strikeTimesMs: number[] = [];
  /** Processes that nobody killed. */
  endings = 0;
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  note(text: string): void {
    const line = `${new Date().toISOString()} ${((performance.now() - this.startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`;
    this.lines.push(line);
    this.#onLine(line);
  }

  /** A fault that has taken effect. */
  strike(fault: FaultName, what: string): void {
    this.struck.set(fault, (this.struck.get(fault) ?? 0) + 1);
    this.strikeTimesMs.push(performance.now());
    this.note(`${fault}: ${what}`);
  }

  endedByItself(name: string, code: number | NodeJS.Signals | null): void {
    this.endings++;
    this.note(`${name} ended by itself with ${code}; it is started again`);
  }

  get strikes(): number {
    return [...this.struck.values()].reduce((sum, count) => sum + count, 0);
  }
}
