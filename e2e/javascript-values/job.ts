import {
  ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor,
  type CheckpointedFunction, type CheckpointListener, type Collector, type DataStream, type KeyedProcessContext, type KeyedProcessFunction, type ListState, type MapState,
  type RuntimeContext, type StreamExecutionEnvironment, type ValueState,
} from "millrace";
import { describe, groups, keys } from "./values.js";

interface Row {
  readonly index: number;
  readonly value: unknown;
}
interface Kept extends Row {
  readonly group: string;
  readonly kept: unknown;
  readonly listed: unknown;
  readonly mapped: unknown;
}

interface Turn {
  readonly group: string;
  readonly index: number;
}

const turns: readonly Turn[] = Object.entries(groups).flatMap(([group, values]) => values.map((_, index) => ({ group, index })));
const ROUNDS_AFTER_RESTORE = 3;
const ROUND_MS = 5;

/** One value after the other, round and round, until the job was restored. */
async function* rounds(position: number): AsyncGenerator<Turn> {
  const end = position === 0 ? Number.POSITIVE_INFINITY : position + ROUNDS_AFTER_RESTORE * turns.length;
  for (let i = position; i < end; i++) {
    yield turns[i % turns.length]!;
    if (i % turns.length === 0) await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }
}

/**
 * Keeps the first value of each key in state of three kinds, and gives it back with every later one. Fails once, when a checkpoint holds them all, so that
 * they are read back from one.
 */
class KeepFirst implements KeyedProcessFunction<number, Row, Kept>, CheckpointedFunction, CheckpointListener {
  readonly #group: string;
  readonly #fails: boolean;
  #value!: ValueState<{ held: unknown }>;
  #list!: ListState<unknown>;
  #map!: MapState<string, unknown>;
  #attempt = 0;
  #firstRoundOver = false;
  #snapshots = 0;
  #checkpointed = false;

  constructor(group: string, fails: boolean) {
    this.#group = group;
    this.#fails = fails;
  }
  open(context: RuntimeContext): void {
    this.#value = context.getState(new ValueStateDescriptor<{ held: unknown }>("value"));
    this.#list = context.getListState(new ListStateDescriptor<unknown>("list"));
    this.#map = context.getMapState(new MapStateDescriptor<string, unknown>("map"));
    this.#attempt = context.attemptNumber;
  }
  initializeState(): void {}
  snapshotState(): void {
    if (this.#firstRoundOver) this.#snapshots++;
  }
  notifyCheckpointComplete(): void {
    if (this.#snapshots > 0) this.#checkpointed = true;
  }
  processElement({ index, value }: Row, _context: KeyedProcessContext<number>, out: Collector<Kept>): void {
    if (this.#fails && this.#checkpointed && this.#attempt === 0) throw new Error("fails once");
    const first = this.#value.value();
    if (first === undefined) {
      this.#value.update({ held: value });
      this.#list.add(value);
      this.#map.put("only", value);
      return;
    }
    this.#firstRoundOver = true;
    if (this.#attempt > 0) out.collect({ group: this.#group, index, value, kept: first.held, listed: [...this.#list.get()][0], mapped: this.#map.get("only") });
  }
}

/** Every value of every group goes through a map, a key, state, a checkpoint, and out; prints what it is then. */
export function build(env: StreamExecutionEnvironment): void {
  env.configure({
    "execution.checkpointing.interval": 10, "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 3, "restart-strategy.fixed-delay.delay": 0,
  });
  const source = env.fromAsyncIterable(rounds);
  const streams = Object.entries(groups).map(([group, values], i) =>
    source.filter((turn) => turn.group === group).map(({ index }): Row => ({ index, value: values[index]!() }))
      .keyBy("index").process(() => new KeepFirst(group, i === 0)));
  const kept: DataStream<Kept> = streams[0]!.union(...streams.slice(1));
  kept.rebalance().map(({ group, index, value, kept: first, listed, mapped }) => `${group} ${index} ${[value, first, listed, mapped].map(describe).join(" | ")}`).print("value");

  const all = keys.flatMap((same, id) => same.map((key) => ({ id, key })));
  env.fromData(all).rebalance().keyBy((row) => row.key as string).reduce((a, b) => ({ id: a.id, key: a.key, count: ((a as { count?: number }).count ?? 1) + ((b as { count?: number }).count ?? 1) }))
    .rebalance().map((row) => `${row.id} ${(row as { count?: number }).count ?? 1}`).print("key");
}

export default build;
