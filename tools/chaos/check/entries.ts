/** What every job of a chaos run reads, one a line: `key seq timeMs amount`. */
export interface Entry {
  readonly key: string;
  /** How many of its key came before it. */
  readonly seq: number;
  readonly timeMs: number;
  readonly amount: number;
}

const KEYS = 40;
const FIRST_MS = 1_700_000_000_000;
const STEP_MS = 2;
/** Neighbouring entries come out of order by less than this. */
export const DISORDER_MS = 100;
export const WINDOW_MS = 1000;

/** Makes entries, the same ones for the same random numbers. */
export class EntryMaker {
  readonly #random: () => number;
  readonly #next = new Map<string, number>();
  #made = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  next(): Entry {
    const key = `k${Math.floor(this.#random() * KEYS)}`;
    const seq = this.#next.get(key) ?? 0;
    this.#next.set(key, seq + 1);
    const timeMs = FIRST_MS + this.#made++ * STEP_MS + Math.floor(this.#random() * DISORDER_MS);
    return { key, seq, timeMs, amount: Math.floor(this.#random() * 1000) };
  }
}

export function formatEntry({ key, seq, timeMs, amount }: Entry): string {
  return `${key} ${seq} ${timeMs} ${amount}`;
}

export function parseEntry(line: string): Entry {
  const [key = "", seq, timeMs, amount] = line.split(" ");
  return { key, seq: Number(seq), timeMs: Number(timeMs), amount: Number(amount) };
}

/** Of an entry: its key's count and sum when it was taken. A line `key seq count sum`. */
export interface Total {
  readonly key: string;
  readonly seq: number;
  readonly count: number;
  readonly sum: number;
}

export function formatTotal({ key, seq, count, sum }: Total): string {
  return `${key} ${seq} ${count} ${sum}`;
}

export function parseTotal(line: string): Total {
  const [key = "", seq, count, sum] = line.split(" ");
  return { key, seq: Number(seq), count: Number(count), sum: Number(sum) };
}

/** One key's entries of one window. A line `key startMs count sum`. */
export interface WindowResult {
  readonly key: string;
  readonly startMs: number;
  readonly count: number;
  readonly sum: number;
}

export function formatWindow({ key, startMs, count, sum }: WindowResult): string {
  return `${key} ${startMs} ${count} ${sum}`;
}

export function parseWindow(line: string): WindowResult {
  const [key = "", startMs, count, sum] = line.split(" ");
  return { key, startMs: Number(startMs), count: Number(count), sum: Number(sum) };
}
