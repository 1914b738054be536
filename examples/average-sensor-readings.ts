/**
 * The average temperature of every sensor, minute by minute: `millrace run examples/average-sensor-readings.ts`.
 *
 * Arguments: `--input FILE`, `--minutes 1`.
 */
import { FileSource, ParameterTool, StreamExecutionEnvironment, TumblingEventTimeWindows, WatermarkStrategy, type Collector } from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));

interface Reading {
  readonly sensorId: string;
  readonly timestamp: number;
  readonly temperature: number;
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();

env.fromSource<Reading>(
  FileSource.csv(parameters.get("input") ?? new URL("data/sensor-readings.csv", import.meta.url), {
    columns: { sensorId: "string", timestamp: "timestamp", temperature: "number" },
  }),
  // Some readings arrive half a minute late: a window waits for them.
  WatermarkStrategy.forBoundedOutOfOrderness<Reading>("1 min").withTimestampAssigner((reading) => reading.timestamp),
  "Sensors",
)
  .keyBy("sensorId")
  .window(TumblingEventTimeWindows.of(`${parameters.getInt("minutes", 1)} min`))
  .aggregate(
    // One accumulator per sensor and window is all that is kept, however many readings there are.
    {
      createAccumulator: () => ({ sum: 0, count: 0 }),
      add: (reading, { sum, count }) => ({ sum: sum + reading.temperature, count: count + 1 }),
      getResult: ({ sum, count }) => ({ average: sum / count, count }),
      merge: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
    },
    // The aggregate does not know its key and window; this function does.
    (sensorId, window, [result], out: Collector<string>) => {
      const minute = new Date(window.startMs).toISOString().slice(11, 16);
      out.collect(`${minute} ${sensorId} ${result!.average.toFixed(2)} °C of ${result!.count} readings`);
    },
  )
  .print();

await env.execute("Average sensor readings");
