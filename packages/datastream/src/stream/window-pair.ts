import { MillraceError, type DurationLike, type Evictor, type KeySelector, type Trigger, type Window, type WindowAssigner } from "@millrace/core";
import type { WindowJoinSpec } from "@millrace/graph";
import type { NotAsync } from "../functions/user-function.js";
import type { CoGroupWindow } from "./co-grouped-streams.js";
import { SingleOutputStreamOperator, type DataStream } from "./data-stream.js";
import type { JoinWindow } from "./joined-streams.js";
import { WindowSettings, type AssignerOf } from "./window-settings.js";

/** Which kind of window pair the chain of calls ends in. */
export type PairKind = "join" | "coGroup";
type PairWindow<Kind extends PairKind, A, B, K, W extends Window> = Kind extends "join" ? JoinWindow<A, B, K, W> : CoGroupWindow<A, B, K, W>;

/** What a window join or coGroup is made of. */
export interface PairSettings<A, B, K, W extends Window> {
  readonly first: DataStream<A>;
  readonly second: DataStream<B>;
  readonly firstKey: KeySelector<A, K>;
  readonly secondKey: KeySelector<B, K>;
  readonly assigner: WindowAssigner<A | B, W>;
}
type PairFactory = (settings: PairSettings<any, any, any, any>) => any;

/** Waits for the key of the second stream. */
export class WindowPairWhere<A, B, K, Kind extends PairKind> {
  readonly #first: DataStream<A>;
  readonly #second: DataStream<B>;
  readonly #firstKey: KeySelector<A, K>;
  readonly #create: PairFactory;

  constructor(first: DataStream<A>, second: DataStream<B>, firstKey: KeySelector<A, K>, create: PairFactory) {
    if (first.environment !== second.environment) {
      throw new MillraceError({ code: "ENVIRONMENT_MIXED", message: "the joined streams belong to different environments", hint: "build one job with one environment" });
    }
    this.#first = first;
    this.#second = second;
    this.#firstKey = firstKey;
    this.#create = create;
  }

  /** The key of the second stream: a selector or a field, of the first key's type. */
  equalTo(selector: KeySelector<B, K> & NotAsync<K>): WindowPairEqual<A, B, K, Kind>;
  equalTo<F extends keyof B & string>(field: B[F] extends K ? F : never): WindowPairEqual<A, B, K, Kind>;
  equalTo(key: unknown): WindowPairEqual<A, B, K, Kind> {
    const secondKey = this.#second.selectorOf([key], "equalTo");
    return new WindowPairEqual((assigner) => this.#create({ first: this.#first, second: this.#second, firstKey: this.#firstKey, secondKey, assigner }));
  }
}

/** Waits for the windows. */
export class WindowPairEqual<A, B, K, Kind extends PairKind> {
  readonly #create: (assigner: WindowAssigner<any, any>) => any;

  constructor(create: (assigner: WindowAssigner<any, any>) => any) {
    this.#create = create;
  }

  window<W extends Window>(assigner: AssignerOf<A | B, W>): PairWindow<Kind, A, B, K, W> {
    return this.#create(assigner);
  }
}

/** The settings that window join and coGroup share. */
export class WindowPair<A, B, K, W extends Window> {
  readonly #settings: PairSettings<A, B, K, W>;
  readonly #window: WindowSettings<A | B, W>;

  constructor(settings: PairSettings<A, B, K, W>) {
    this.#settings = settings;
    this.#window = new WindowSettings<A | B, W>(settings.assigner);
  }

  trigger(trigger: Trigger<A | B, W>): this {
    this.#window.setTrigger(trigger);
    return this;
  }
  evictor(evictor: Evictor<any, W>): this {
    this.#window.setEvictor(evictor);
    return this;
  }
  allowedLateness(lateness: DurationLike): this {
    this.#window.setAllowedLateness(lateness);
    return this;
  }

  protected build<R>(name: string, result: Pick<WindowJoinSpec, "join" | "flatJoin" | "coGroup">): SingleOutputStreamOperator<R> {
    const { first, second, firstKey, secondKey, assigner } = this.#settings;
    const { trigger, evictor, allowedLatenessMs } = this.#window;
    const { environment } = first;
    const node = environment.addOperator({
      spec: { type: "windowJoin", assigner, ...(trigger === undefined ? {} : { trigger }), ...(evictor === undefined ? {} : { evictor }), allowedLatenessMs, ...result },
      name,
      inputs: [environment.keyedStream(first, firstKey).inputs, environment.keyedStream(second, secondKey).inputs],
      keySelectors: [firstKey, secondKey],
    });
    return new SingleOutputStreamOperator<R>(environment, node);
  }
}
