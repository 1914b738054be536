/** The course of a simulation as a hash, and as lines when they are kept. */
export class Trace {
  readonly #keepsLines: boolean;
  readonly lines: string[] = [];
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  constructor(keepsLines: boolean) {
    this.#keepsLines = keepsLines;
  }

  /** Mixes a number into the hash. */
  number(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ (this.#low >>> 15) ^ value, 0x85ebca6b);
  }

  /** Mixes a line into the hash. @param nowUs virtual time */
  line(nowUs: number, text: string): void {
    for (let i = 0; i < text.length; i++) this.#low = Math.imul(this.#low ^ text.charCodeAt(i), 0x01000193);
    this.number(nowUs);
    if (this.#keepsLines) this.lines.push(`${(nowUs / 1000).toFixed(3).padStart(11)} ${text}`);
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    return (this.#low >>> 0).toString(16).padStart(8, "0") + (this.#high >>> 0).toString(16).padStart(8, "0");
  }
}
