import type { FlatJoinFn, JoinFn, KeySelector } from "@millrace/core";
import { checkPlainFunction, type NotAsync } from "../functions/user-function.js";
import type { DataStream, SingleOutputStreamOperator } from "./data-stream.js";
import { WindowPair, WindowPairWhere } from "./window-pair.js";
import type { Window } from "@millrace/core";

/** `a.join(b)`: inner join of two streams by key and window. Go on with `where`. Flink: JoinedStreams. */
export class JoinedStreams<A, B> {
  readonly #first: DataStream<A>;
  readonly #second: DataStream<B>;

  constructor(first: DataStream<A>, second: DataStream<B>) {
    this.#first = first;
    this.#second = second;
  }

  /** The key of the first stream: a selector or a field. */
  where<K>(selector: KeySelector<A, K> & NotAsync<K>): WindowPairWhere<A, B, K, "join">;
  where<F extends keyof A & string>(field: F): WindowPairWhere<A, B, A[F], "join">;
  where(key: unknown): WindowPairWhere<A, B, any, "join"> {
    return new WindowPairWhere(this.#first, this.#second, this.#first.selectorOf([key], "where"), (settings) => new JoinWindow(settings));
  }
}

/** A window join, complete but for its function. */
export class JoinWindow<A, B, K, W extends Window> extends WindowPair<A, B, K, W> {
  /** Called for every pair of one key and window; its result is emitted, or, with a third parameter, what it gives to the collector. */
  apply<R>(fn: FlatJoinFn<A, B, R>): SingleOutputStreamOperator<R>;
  apply<R>(fn: JoinFn<A, B, R> & NotAsync<R>): SingleOutputStreamOperator<R>;
  apply<R>(fn: JoinFn<A, B, R> | FlatJoinFn<A, B, R>): SingleOutputStreamOperator<R> {
    checkPlainFunction(fn, "apply");
    return this.build<R>("Window Join", fn.length > 2 ? { flatJoin: fn as FlatJoinFn<A, B, R> } : { join: fn as JoinFn<A, B, R> });
  }
}
