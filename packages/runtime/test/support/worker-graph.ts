import type { SinkWriterContext } from "@millrace/core";
import { GraphBuilder } from "./graph-builder.js";
import { listSource } from "./list-source.js";

/** A job that worker threads load: counts words, and sends the counts back. */
export const RECORDS = 20_000;
export const KEYS = 101;

interface Counted {
  readonly key: string;
  readonly count: number;
}

const builder = new GraphBuilder();
const half = RECORDS / 2;
const splits = [0, 1].map((part) => Array.from({ length: half }, (_, i) => part * half + i));
const source = builder.add(listSource({ splits, chunk: () => 500 }), [], { parallelism: 2 });
const keyed = builder.add({ type: "map", fn: (value: number): Counted => ({ key: `key-${value % KEYS}`, count: 1 }) }, [{ from: source }], { parallelism: 2 });
const reduced = builder.add({ type: "keyedReduce", fn: (a: Counted, b: Counted) => ({ key: a.key, count: a.count + b.count }) }, [{ from: keyed, keySelector: (value: Counted) => value.key }], { parallelism: 2 });
const sink = {
  createWriter: (context: SinkWriterContext) => {
    let held: unknown[] = [];
    const send = (): void => {
      if (held.length > 0) context.collect!("counts", held);
      held = [];
    };
    return { write: (value: unknown) => void (held.push(value) === 1000 && send()), flush: send, close: () => undefined };
  },
};
builder.add({ type: "sink", sink: sink as never }, [{ from: reduced }], { parallelism: 2 });

export const graph = builder.graph;
export const jobGraph = builder.jobGraph();
