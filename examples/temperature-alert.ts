/**
 * Says when a sensor becomes too hot, and when it has cooled down: `millrace run examples/temperature-alert.ts`.
 *
 * Keyed state remembers for each sensor whether it is too hot already, so that a minute of heat is one alert and not sixty.
 * Arguments: `--input FILE`, `--threshold 90`.
 */
import {
  FileSource, ParameterTool, StreamExecutionEnvironment, Types, ValueStateDescriptor, WatermarkStrategy, functionFactory,
  type Collector, type FlatMapFunction, type RuntimeContext, type ValueState,
} from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const threshold = parameters.getNumber("threshold", 90);

interface Reading {
  readonly sensorId: string;
  readonly timestamp: number;
  readonly temperature: number;
}

class AlertOnChange implements FlatMapFunction<Reading, string> {
  readonly #threshold: number;
  #isHot!: ValueState<boolean>;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  open(context: RuntimeContext): void {
    this.#isHot = context.getState(new ValueStateDescriptor("is-hot", Types.boolean));
  }

  flatMap({ sensorId, timestamp, temperature }: Reading, out: Collector<string>): void {
    const isHot = temperature > this.#threshold;
    if (isHot === (this.#isHot.value() ?? false)) return;
    // A sensor that is not hot needs no entry: state that is cleared takes no room.
    if (isHot) this.#isHot.update(true);
    else this.#isHot.clear();
    out.collect(`${new Date(timestamp).toISOString()} ${sensorId} ${isHot ? "TOO HOT" : "cooled down"}: ${temperature.toFixed(2)} °C`);
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();

env.fromSource(
  FileSource.csv(parameters.get("input") ?? new URL("data/sensor-readings.csv", import.meta.url), {
    columns: { sensorId: "string", timestamp: "timestamp", temperature: "number" },
  }),
  // Readings are looked at in the order in which they come; no event time is needed.
  WatermarkStrategy.noWatermarks(),
  "Sensors",
)
  .keyBy("sensorId")
  // A factory, not an instance: every subtask makes its own.
  .flatMap(functionFactory(() => new AlertOnChange(threshold)))
  .name("Alert on change")
  .print();

await env.execute("Temperature alert");
