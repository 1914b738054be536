import { Console } from "node:console";
import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

type Level = "info" | "error";

/**
 * Takes what the code in this thread writes to the console, stdout and stderr, and passes it on as whole lines under the label of the task that
 * wrote them. Until {@link open} it is dropped: what a job's module prints while it is re-run was printed before, when it was planned.
 */
export class UserOutput {
  readonly #write: (level: Level, line: string) => void;
  readonly #label: () => string | undefined;
  #isOpen = false;

  constructor(write: (level: Level, line: string) => void, label: () => string | undefined) {
    this.#write = write;
    this.#label = label;
    const out = this.#stream("info");
    const err = this.#stream("error");
    globalThis.console = new Console({ stdout: out, stderr: err });
    process.stdout.write = out.write.bind(out) as typeof process.stdout.write;
    process.stderr.write = err.write.bind(err) as typeof process.stderr.write;
  }

  open(): void {
    this.#isOpen = true;
  }

  /** One buffer per label, since the tasks of a thread take turns. */
  #stream(level: Level): Writable {
    const unfinished = new Map<string | undefined, { readonly decoder: StringDecoder; text: string }>();
    return new Writable({
      decodeStrings: true,
      write: (chunk: Buffer, _, done) => {
        const label = this.#label();
        let rest = unfinished.get(label);
        if (rest === undefined) unfinished.set(label, (rest = { decoder: new StringDecoder("utf8"), text: "" }));
        const lines = (rest.text + rest.decoder.write(chunk)).split("\n");
        rest.text = lines.pop()!;
        if (this.#isOpen) for (const line of lines) this.#write(level, label === undefined ? line : `[${label}] ${line}`);
        done();
      },
    });
  }
}
