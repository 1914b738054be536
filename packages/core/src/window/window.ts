/** A half-open interval of event or processing time, [startMs, endMs). */
export class TimeWindow {
  readonly startMs: number;
  readonly endMs: number;

  constructor(startMs: number, endMs: number) {
    this.startMs = startMs;
    this.endMs = endMs;
  }
  /** Largest time stamp that still belongs to the window. */
  get maxTimestampMs(): number {
    return this.endMs - 1;
  }
  intersects(other: TimeWindow): boolean {
    return this.startMs <= other.endMs && this.endMs >= other.startMs;
  }
  cover(other: TimeWindow): TimeWindow {
    return new TimeWindow(Math.min(this.startMs, other.startMs), Math.max(this.endMs, other.endMs));
  }
  toString(): string {
    return `TimeWindow{start=${this.startMs}, end=${this.endMs}}`;
  }
}

/** The one window of `GlobalWindows`. */
export class GlobalWindow {
  static readonly instance: GlobalWindow = new GlobalWindow();
  readonly maxTimestampMs: number = Number.MAX_SAFE_INTEGER;
  private constructor() {}
  toString(): string {
    return "GlobalWindow";
  }
}

/** Any window: it has an end in time. Custom ones must be immutable and come with a {@link WindowCodec}. */
export interface Window {
  readonly maxTimestampMs: number;
}

/** A window's stable identity, used as its namespace in state; decoding gives an equal window. */
export interface WindowCodec<W extends Window> {
  encode(window: W): string;
  decode(id: string): W;
}

/** How a {@link TimeWindow} names its state. */
export const timeWindowCodec: WindowCodec<TimeWindow> = {
  encode: (window) => `${window.startMs},${window.endMs}`,
  decode: (id) => {
    const comma = id.indexOf(",");
    return new TimeWindow(Number(id.slice(0, comma)), Number(id.slice(comma + 1)));
  },
};
/** How the {@link GlobalWindow} names its state. */
export const globalWindowCodec: WindowCodec<GlobalWindow> = { encode: () => "G", decode: () => GlobalWindow.instance };

/** Start of the aligned window that holds `timestampMs`; right for negative times and offsets too. */
export function windowStart(timestampMs: number, offsetMs: number, sizeMs: number): number {
  const remainder = (timestampMs - offsetMs) % sizeMs;
  return timestampMs - (remainder < 0 ? remainder + sizeMs : remainder);
}
