import {
  DataGeneratorSource, FileSource, functionFactory, ListStateDescriptor, MALFORMED_RECORDS, RateLimiterStrategy, ValueStateDescriptor, WatermarkStrategy,
  type Collector, type KeyedProcessContext, type KeyedProcessFunction, type ProcessFunction, type RuntimeContext, type StreamExecutionEnvironment, type ValueState,
} from "millrace";

/*
 * Jobs with one mistake each. A test runs them in its own thread with `cases.x(env)` and `env.execute()`, and on worker threads by running this module with
 * the name of the case as its argument.
 */
type Case = (env: StreamExecutionEnvironment) => void;

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}

class Doubler {
  map(value: number): number {
    return value * 2;
  }
}

class ReadsKeyedState implements ProcessFunction<number, number> {
  open(context: RuntimeContext): void {
    context.getState(new ValueStateDescriptor<number>("count"));
  }
  processElement(): void {}
}

class ReadsStateInOpen implements KeyedProcessFunction<number, number, number> {
  open(context: RuntimeContext): void {
    context.getState(new ValueStateDescriptor<number>("count")).value();
  }
  processElement(): void {}
}

class OpensOneNameTwice implements KeyedProcessFunction<number, number, number> {
  open(context: RuntimeContext): void {
    context.getState(new ValueStateDescriptor<number>("seen"));
    context.getListState(new ListStateDescriptor<number>("seen"));
  }
  processElement(): void {}
}

class KeepsInState implements KeyedProcessFunction<number, number, number> {
  readonly #kept: unknown;
  #state!: ValueState<unknown>;
  constructor(kept: unknown) {
    this.#kept = kept;
  }
  open(context: RuntimeContext): void {
    this.#state = context.getState(new ValueStateDescriptor<unknown>("kept"));
  }
  processElement(value: number, _context: KeyedProcessContext<number>, out: Collector<number>): void {
    this.#state.update(this.#kept);
    out.collect(value);
  }
}

const key = (selected: unknown): Case => (env) => env.fromData(1, 2).map((n) => ({ n })).name("Rows").keyBy<any>(() => selected).map((row) => row.n).discard();

const timestamp = (assigned: unknown): Case => (env) =>
  env.fromData("a", "b").assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps<string>().withTimestampAssigner(() => assigned as number)).name("Times").discard();

/** The bad record is one of many, and not the first. */
const record = (bad: () => unknown): Case => (env) =>
  env.fromSequence(0, 99).setParallelism(1).map<unknown>((n) => (n === 57 ? { row: { inside: [bad()] } } : { row: { inside: [n] } })).name("Rows").rebalance().map((row) => row).discard();

const kept = (bad: unknown): Case => (env) => {
  env.enableCheckpointing(20).configure({ "restart-strategy.type": "none" });
  const source = new DataGeneratorSource((index) => index, 10_000, RateLimiterStrategy.perSecond(1000));
  env.fromSource(source, WatermarkStrategy.noWatermarks(), "numbers").keyBy((n) => n % 2).process(() => new KeepsInState(bad)).name("Keeper").discard();
};

export const cases = {
  keyUndefined: key(undefined),
  keyNaN: key(Number.NaN),
  keyInfinite: key(Number.POSITIVE_INFINITY),
  keyMap: key(new Map([[1, 2]])),
  keyInstance: key(new Money(5)),
  keyNested: key({ id: [1, Number.NaN] }),

  timestampUndefined: timestamp(undefined),
  timestampNaN: timestamp(Number.NaN),
  timestampFraction: timestamp(1.5),
  timestampInfinite: timestamp(Number.POSITIVE_INFINITY),
  timestampText: timestamp("2020-01-01"),

  recordFunction: record(() => () => 1),
  recordSymbol: record(() => Symbol("s")),
  recordInstance: record(() => new Money(1)),
  recordPromise: record(() => Promise.resolve(1)),
  stateFunction: kept(() => 1),
  stateInstance: kept(new Money(1)),

  throwsInMap: (env) => env.fromSequence(1, 9).setParallelism(1).rebalance().map((n) => parse(n)).name("Parser").setParallelism(2).discard(),
  throwsText: (env) =>
    env.fromData(1).map<number>(() => {
      throw "just a text";
    }).name("Thrower").discard(),
  throwsInOpen: (env) =>
    env.fromData(1).map(functionFactory(() => ({
      open: (): void => {
        throw new Error("no connection");
      },
      map: (n: number) => n,
    }))).name("Opener").discard(),

  stateNotKeyed: (env) => env.fromData(1).process(ReadsKeyedState).name("Reader").discard(),
  stateWithoutKey: (env) => env.fromData(1).keyBy((n) => n).process(ReadsStateInOpen).name("Reader").discard(),
  stateOfTwoKinds: (env) => env.fromData(1).keyBy((n) => n).process(OpensOneNameTwice).name("Reader").discard(),

  promiseReturned: (env) => env.fromData(1).map(((n: number) => Promise.resolve(n)) as never).name("Looker").discard(),
  asyncFunction: (env) => env.fromData(1).map((async (n: number) => n) as never).discard(),
  asyncFilter: (env) => env.fromData(1).filter(((n: number) => Promise.resolve(n > 0)) as never).name("Asker").discard(),
  functionInstance: (env) => env.fromData(1).map(new Doubler() as never).discard(),
  processInstance: (env) => env.fromData(1).keyBy((n) => n).process(new KeepsInState(1) as never).discard(),
  functionMissing: (env) => env.fromData(1).map(undefined as never).discard(),
  duplicateUid: (env) => env.fromData(1).map((n) => n).uid("same").name("First").filter(() => true).uid("same").name("Second").discard(),
  partitionOutside: (env) => env.fromData(1).partitionCustom(() => 7, (n) => n).map((n) => n).setParallelism(2).discard(),

  configKey: (env) => void env.configure("paralelism.default", 2),
  configValue: (env) => void env.configure("parallelism.default", "many"),
  parallelismZero: (env) => void env.setParallelism(0),
  parallelismFraction: (env) => env.fromData(1).map((n) => n).setParallelism(1.5).discard(),
  parallelismAboveMaximum: (env) => env.fromData(1).map((n) => n).setParallelism(8).setMaxParallelism(4).discard(),
  parallelismHuge: (env) => void env.setParallelism(40_000),

  fileMissing: (env) => env.fromSource(FileSource.lines(process.env["BAD_INPUT_MISSING"]!), WatermarkStrategy.noWatermarks(), "lines").discard(),
  csvMalformed: (env) =>
    env.fromSource(FileSource.csv(process.env["BAD_INPUT_CSV"]!, { columns: { name: "string", age: "int" } }), WatermarkStrategy.noWatermarks(), "people").map((row) => row.age).discard(),
  jsonMalformed: (env) => env.fromSource(FileSource.jsonLines(process.env["BAD_INPUT_JSON"]!), WatermarkStrategy.noWatermarks(), "events").discard(),

  csvSkipped: (env) => {
    const source = FileSource.csv(process.env["BAD_INPUT_CSV"]!, { columns: { name: "string", age: "int" }, onError: "skip" });
    env.fromSource(source, WatermarkStrategy.noWatermarks(), "people").map((row) => row.name).print("kept");
  },
  csvToSideOutput: (env) => {
    const source = FileSource.csv(process.env["BAD_INPUT_CSV"]!, { columns: { name: "string", age: "int" }, onError: "side-output" });
    const people = env.fromSource(source, WatermarkStrategy.noWatermarks(), "people");
    people.map((row) => row.name).print("kept");
    people.getSideOutput(MALFORMED_RECORDS).map(({ line, column, text }) => `${line}:${column} ${text}`).print("malformed");
  },

  emptyGraph: () => undefined,
} satisfies Record<string, Case>;

function parse(n: number): number {
  if (n === 6) throw new RangeError(`cannot parse ${n}`);
  return n;
}

export default (env: StreamExecutionEnvironment): void => void cases[process.argv[2] as keyof typeof cases](env);
