/**
 * Raises an alarm when a sensor is hot while the smoke level is high: `millrace run examples/fire-alarm.ts`.
 *
 * Two streams meet in one function and share its state. Arguments: `--sensors FILE`, `--smoke FILE`, `--threshold 80`.
 */
import {
  FileSource, ListStateDescriptor, ParameterTool, StreamExecutionEnvironment, Types, ValueStateDescriptor, WatermarkStrategy,
  type Collector, type KeyedCoProcessFunction, type KeyedProcessContext, type ListState, type OnTimerContext, type RuntimeContext, type ValueState,
} from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const threshold = parameters.getNumber("threshold", 80);

interface Reading {
  readonly sensorId: string;
  readonly timestamp: number;
  readonly temperature: number;
}
interface Smoke {
  readonly timestamp: number;
  readonly level: string;
}

/**
 * How two inputs interleave is chance: the function may see all smoke levels before the first temperature. So it only keeps what comes, and sets
 * an event-time timer: timers fire in the order of time, once the watermarks of *both* inputs have passed them, and by then everything is here.
 */
class FireAlarm implements KeyedCoProcessFunction<string, Reading, Smoke, string> {
  #readings!: ListState<Reading>;
  #levels!: ListState<Smoke>;
  #level!: ValueState<string>;

  open(context: RuntimeContext): void {
    this.#readings = context.getListState(new ListStateDescriptor<Reading>("hot-readings"));
    this.#levels = context.getListState(new ListStateDescriptor<Smoke>("coming-levels"));
    this.#level = context.getState(new ValueStateDescriptor("level", Types.string));
  }

  processElement1(reading: Reading, context: KeyedProcessContext<string>): void {
    if (reading.temperature <= threshold) return;
    this.#readings.add(reading);
    context.timerService.registerEventTimeTimer(reading.timestamp);
  }

  processElement2(smoke: Smoke, context: KeyedProcessContext<string>): void {
    this.#levels.add(smoke);
    context.timerService.registerEventTimeTimer(smoke.timestamp);
  }

  onTimer(timestampMs: number, _context: OnTimerContext<string>, out: Collector<string>): void {
    const levels = [...this.#levels.get()];
    const current = levels.find((smoke) => smoke.timestamp === timestampMs);
    if (current !== undefined) {
      this.#level.update(current.level);
      this.#levels.update(levels.filter((smoke) => smoke !== current));
    }
    const readings = [...this.#readings.get()];
    const now = readings.filter((reading) => reading.timestamp === timestampMs);
    if (now.length === 0) return;
    this.#readings.update(readings.filter((reading) => reading.timestamp !== timestampMs));
    if (this.#level.value() !== "HIGH") return;
    for (const { sensorId, temperature } of now) out.collect(`${new Date(timestampMs).toISOString()} FIRE? ${sensorId} ${temperature.toFixed(2)} °C in smoke`);
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();

const readings = env.fromSource<Reading>(
  FileSource.csv(parameters.get("sensors") ?? new URL("data/sensor-readings.csv", import.meta.url), {
    columns: { sensorId: "string", timestamp: "timestamp", temperature: "number" },
  }),
  WatermarkStrategy.forBoundedOutOfOrderness<Reading>("1 min").withTimestampAssigner((reading) => reading.timestamp),
  "Sensors",
);
const smoke = env.fromSource<Smoke>(
  FileSource.csv(parameters.get("smoke") ?? new URL("data/smoke-levels.csv", import.meta.url), { columns: { timestamp: "timestamp", level: "string" } }),
  WatermarkStrategy.forMonotonousTimestamps<Smoke>().withTimestampAssigner((level) => level.timestamp),
  "Smoke detector",
);

// One hall, one smoke detector: everything has the same key.
readings.connect(smoke).keyBy(() => "hall", () => "hall").process(FireAlarm).name("Fire alarm").print();

await env.execute("Fire alarm");
