import type { JdbcParameter } from "@millrace/connector-jdbc";

/** What of `pg`'s connection is needed to send rows; its types do not tell it. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** `COPY … FROM STDIN` of rows that are all there, in the form that `pg` takes queries of others' making in (Submittable). */
export class CopyIn {
  readonly done: Promise<void>;
  readonly #text: string;
  readonly #data: Buffer;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(text: string, data: Buffer) {
    this.#text = text;
    this.#data = data;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** All at once: a server that refuses the statement passes over rows that come behind it, and a thread that is busy with records would be late with them. */
  submit(connection: unknown): void {
    const copy = connection as CopyConnection;
    copy.query(this.#text);
    copy.sendCopyFromChunk(this.#data);
    copy.endCopyFrom();
  }

  handleCopyInResponse(): void {}

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#resolve();
  }

  handleError(error: unknown): void {
    this.#reject(error);
  }
}

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Rows in COPY's text format. @param isPlain of which columns no text has anything to escape */
export function copyText(rows: readonly (readonly JdbcParameter[])[], isPlain: readonly boolean[]): Buffer {
  let text = "";
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      if (i > 0) text += "\t";
      const value = row[i] as string | null;
      text += value === null ? "\\N" : isPlain[i]! || !SPECIAL.test(value) ? value : value.replace(/[\\\n\r\t]/g, (special) => ESCAPES[special]!);
    }
    text += "\n";
  }
  return Buffer.from(text);
}
