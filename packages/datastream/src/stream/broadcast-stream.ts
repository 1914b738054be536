import type { BroadcastProcessFunction, KeyedBroadcastProcessFunction, KeySelector, MapStateDescriptor, ProcessFunctionSource } from "@millrace/core";
import { MillraceError } from "@millrace/core";
import type { OperatorSpec } from "@millrace/graph";
import { checkFunctionSource } from "../functions/user-function.js";
import { SingleOutputStreamOperator, type DataStream } from "./data-stream.js";
import type { KeyedStream } from "./keyed-stream.js";

/** A stream that every subtask receives, with the broadcast state it will be kept in. Only useful as the argument of `connect`. Flink: BroadcastStream. */
export class BroadcastStream<T> {
  readonly stream: DataStream<T>;
  readonly descriptors: readonly MapStateDescriptor<any, any>[];

  constructor(stream: DataStream<T>, descriptors: readonly MapStateDescriptor<any, any>[]) {
    for (const descriptor of descriptors) {
      if (descriptor?.kind === "map") continue;
      throw new MillraceError({ code: "STATE_DESCRIPTOR_INVALID", message: "broadcast() takes MapStateDescriptors", hint: "broadcast state is a map from key to value" });
    }
    this.stream = stream;
    this.descriptors = descriptors;
  }
}

/** A stream beside a broadcast one. Flink: BroadcastConnectedStream. */
export class BroadcastConnectedStream<T, B> {
  readonly stream: DataStream<T>;
  readonly broadcastStream: BroadcastStream<B>;

  constructor(stream: DataStream<T>, broadcast: BroadcastStream<B>) {
    this.stream = stream;
    this.broadcastStream = broadcast;
  }

  process<R>(fn: ProcessFunctionSource<BroadcastProcessFunction<T, B, R>>): SingleOutputStreamOperator<R> {
    checkFunctionSource(fn, "process");
    return this.addOperator<R>("Co-Process-Broadcast", { type: "broadcastProcess", fn, descriptors: this.broadcastStream.descriptors }, []);
  }

  protected addOperator<R>(name: string, spec: OperatorSpec, keySelectors: readonly (KeySelector<any, any> | undefined)[]): SingleOutputStreamOperator<R> {
    const { environment } = this.stream;
    const node = environment.addOperator({ spec, name, inputs: [this.stream.inputs, this.broadcastStream.stream.inputs], keySelectors });
    return new SingleOutputStreamOperator<R>(environment, node);
  }
}

/** A keyed stream beside a broadcast one: only the keyed side has a key, state and timers. */
export class KeyedBroadcastConnectedStream<T, B, K> extends BroadcastConnectedStream<T, B> {
  readonly #keySelector: KeySelector<T, K>;

  constructor(stream: KeyedStream<T, K>, broadcast: BroadcastStream<B>) {
    super(stream, broadcast);
    this.#keySelector = stream.keySelector;
  }

  override process<R>(fn: ProcessFunctionSource<KeyedBroadcastProcessFunction<K, T, B, R>>): SingleOutputStreamOperator<R> {
    checkFunctionSource(fn, "process");
    return this.addOperator<R>("Co-Process-Broadcast-Keyed", { type: "keyedBroadcastProcess", fn, descriptors: this.broadcastStream.descriptors }, [this.#keySelector, undefined]);
  }
}
