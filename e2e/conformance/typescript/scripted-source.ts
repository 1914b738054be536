import { MAX_WATERMARK, type InputStatus, type OneInputOperator, type Output, type ReaderOutput, type Source, type SourceReader, type SourceSplit, type SplitEnumerator } from "millrace";
import type { Element, Event } from "./case.js";

/** The elements of one input, which its source emits as they are offered. */
export class Script {
  readonly #offered: Element[];
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(offered: readonly Element[] = []) {
    this.#offered = [...offered];
  }

  offer(element: Element): void {
    this.#offered.push(element);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  poll(output: ReaderOutput<Element>): InputStatus {
    const element = this.#offered.shift();
    if (element !== undefined) output.collect(element);
    if (this.#offered.length > 0) return "more-available";
    return this.#ended ? "end-of-input" : "nothing-available";
  }

  available(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#ended || this.#offered.length > 0) resolve();
    });
  }
}

/** Emits the elements of a script as records; {@link ScriptOperator} makes them what they stand for. */
export class ScriptedSource implements Source<Element, SourceSplit, null> {
  readonly boundedness = "bounded";
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = script;
  }

  createEnumerator(): SplitEnumerator<SourceSplit, null> {
    return { start: () => undefined, addReader: () => undefined, addSplitsBack: () => undefined, snapshotState: () => null };
  }

  createReader(): SourceReader<Element, SourceSplit> {
    const script = this.#script;
    return {
      start: () => undefined, addSplits: () => undefined, notifyNoMoreSplits: () => undefined, close: () => undefined,
      snapshotState: () => [],
      pollNext: (output) => script.poll(output),
      available: () => script.available(),
    };
  }
}

/** Turns the elements of a script into records, watermarks and statuses, exactly as written; the last watermark is the source's own. */
export class ScriptOperator implements OneInputOperator<Element, Event> {
  processRecord(element: Element, _timestampMs: number, out: Output<Event>): void {
    if ("t" in element) out.collect({ c: "", a: 0, b: 0, ...element.v }, element.t);
    else if ("w" in element) out.emitWatermark(element.w);
    else if ("idle" in element) out.emitStatus(element.idle);
  }

  processWatermark(timestampMs: number, out: Output<Event>): void {
    if (timestampMs === MAX_WATERMARK) out.emitWatermark(timestampMs);
  }
}
