import type { CoGroupFn, KeySelector, Window } from "@millrace/core";
import { checkPlainFunction, type NotAsync } from "../functions/user-function.js";
import type { DataStream, SingleOutputStreamOperator } from "./data-stream.js";
import { WindowPair, WindowPairWhere } from "./window-pair.js";

/** `a.coGroup(b)`: both streams' records of a key and window, together. Go on with `where`. Flink: CoGroupedStreams. */
export class CoGroupedStreams<A, B> {
  readonly #first: DataStream<A>;
  readonly #second: DataStream<B>;

  constructor(first: DataStream<A>, second: DataStream<B>) {
    this.#first = first;
    this.#second = second;
  }

  /** The key of the first stream: a selector or a field. */
  where<K>(selector: KeySelector<A, K> & NotAsync<K>): WindowPairWhere<A, B, K, "coGroup">;
  where<F extends keyof A & string>(field: F): WindowPairWhere<A, B, A[F], "coGroup">;
  where(key: unknown): WindowPairWhere<A, B, any, "coGroup"> {
    return new WindowPairWhere(this.#first, this.#second, this.#first.selectorOf([key], "where"), (settings) => new CoGroupWindow(settings));
  }
}

/** A window coGroup, complete but for its function. */
export class CoGroupWindow<A, B, K, W extends Window> extends WindowPair<A, B, K, W> {
  /** Called once per key and window that has a record on either side. */
  apply<R>(fn: CoGroupFn<A, B, R>): SingleOutputStreamOperator<R> {
    checkPlainFunction(fn, "apply");
    return this.build<R>("Window CoGroup", { coGroup: fn });
  }
}
