/**
 * What happens to readings that come late: `millrace run examples/late-data.ts`.
 *
 * A window fires when the watermark passes its end. A late reading fires it again as long as the allowed lateness lasts; later ones go to a side output.
 * With `-D execution.runtime-mode=BATCH` nothing is ever late. Arguments: `--input FILE`, `--max-disorder "5 s"`, `--allowed-lateness "15 s"`.
 */
import {
  FileSource, OutputTag, ParameterTool, StreamExecutionEnvironment, TumblingEventTimeWindows, Types, ValueStateDescriptor, WatermarkStrategy,
  type Collector, type ProcessWindowContext, type ProcessWindowFunction, type TimeWindow, type WatermarkGenerator, type WatermarkOutput,
} from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const maxDisorderMs = parameters.getDuration("max-disorder", "5 s");

interface Reading {
  readonly sensorId: string;
  readonly timestamp: number;
  readonly temperature: number;
}

/** Emits a watermark after every reading. `forBoundedOutOfOrderness` does it every 200 ms, and this file is read in less: nothing would be late. */
class AfterEveryReading implements WatermarkGenerator<Reading> {
  #newestMs = 0;
  onEvent(_reading: Reading, timestampMs: number, output: WatermarkOutput): void {
    this.#newestMs = Math.max(this.#newestMs, timestampMs);
    output.emitWatermark(this.#newestMs - maxDisorderMs - 1);
  }
  onPeriodicEmit(): void {}
}

const firingsDescriptor = new ValueStateDescriptor("firings", Types.number);

class Hottest implements ProcessWindowFunction<Reading, string, string, TimeWindow> {
  process(sensorId: string, context: ProcessWindowContext<TimeWindow>, [hottest]: Iterable<Reading>, out: Collector<string>): void {
    // State per key and window; it goes when the window goes, that is, after the allowed lateness.
    const firings = context.windowState.getState(firingsDescriptor);
    const firing = (firings.value() ?? 0) + 1;
    firings.update(firing);
    const window = new Date(context.window.startMs).toISOString().slice(11, 16);
    out.collect(`${window} ${sensorId} ${hottest!.temperature.toFixed(2)} °C${firing === 1 ? "" : `, update ${firing - 1}`}`);
  }
  clear(context: ProcessWindowContext<TimeWindow>): void {
    context.windowState.getState(firingsDescriptor).clear();
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();
const tooLate = new OutputTag<Reading>("too-late");

const hottest = env.fromSource<Reading>(
  FileSource.csv(parameters.get("input") ?? new URL("data/sensor-readings.csv", import.meta.url), {
    columns: { sensorId: "string", timestamp: "timestamp", temperature: "number" },
  }),
  WatermarkStrategy.forGenerator<Reading>(() => new AfterEveryReading()).withTimestampAssigner((reading) => reading.timestamp),
  "Sensors",
)
  // One reader: with more, a reading is late or not by how far the slowest of them has come, and every run would differ.
  .setParallelism(1)
  .keyBy("sensorId")
  .window(TumblingEventTimeWindows.of("1 min"))
  .allowedLateness(parameters.getDuration("allowed-lateness", "15 s"))
  .sideOutputLateData(tooLate)
  .reduce((a, b) => (b.temperature > a.temperature ? b : a), Hottest);

hottest.print();
hottest.getSideOutput(tooLate).map((reading) => `${reading.sensorId} ${new Date(reading.timestamp).toISOString()} came too late`).print("late");

await env.execute("Late data");
