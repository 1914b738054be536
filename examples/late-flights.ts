/**
 * Late flights per carrier and hour of scheduled departure: `millrace run examples/late-flights.ts` (or `npm run demo`).
 *
 * The input holds every flight that left New York in 2013, in the order in which they really left. Event time is the *scheduled* departure, which is
 * therefore out of order by each flight's delay. Prints the hours in which most flights of a carrier were late, as the year goes by, and the year at its end.
 *
 * Arguments: `--input FILE`, `--late-minutes 15`, `--max-disorder "2 h"`, `--min-flights 12`, `--min-share 0.9` (which hours are worth a line).
 */
import {
  FileSource, GlobalWindows, OutputTag, ParameterTool, StreamExecutionEnvironment, TumblingEventTimeWindows, WatermarkStrategy,
  type Collector, type WatermarkGenerator, type WatermarkOutput,
} from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const lateMinutes = parameters.getInt("late-minutes", 15);
const maxDisorderMs = parameters.getDuration("max-disorder", "2 h");
const minFlights = parameters.getInt("min-flights", 12);
const minShare = parameters.getNumber("min-share", 0.9);

const airlines: Readonly<Record<string, string>> = {
  "9E": "Endeavor", AA: "American", AS: "Alaska", B6: "JetBlue", DL: "Delta", EV: "ExpressJet", F9: "Frontier", FL: "AirTran", HA: "Hawaiian",
  MQ: "Envoy", OO: "SkyWest", UA: "United", US: "US Airways", VX: "Virgin America", WN: "Southwest", YV: "Mesa",
};

/**
 * A file is read far faster than life: with a watermark every 200 ms, as the built-in generators emit them, weeks would lie between two of them, and how
 * many flights are too late would depend on the machine. This one emits a watermark whenever the schedule has moved on by ten minutes, so all runs are equal.
 */
class EveryTenMinutes implements WatermarkGenerator<Flight> {
  #emittedMs = 0;
  onEvent(_flight: Flight, scheduledMs: number, output: WatermarkOutput): void {
    const nowMs = scheduledMs - (scheduledMs % 600_000);
    if (nowMs <= this.#emittedMs) return;
    this.#emittedMs = nowMs;
    output.emitWatermark(nowMs - maxDisorderMs - 1);
  }
  onPeriodicEmit(): void {}
}

interface Flight {
  readonly scheduled: number;
  readonly carrier: string;
  readonly delay_minutes: number;
}
interface CarrierHour {
  readonly carrier: string;
  readonly hourMs: number;
  readonly flights: number;
  readonly late: number;
  readonly tooLate: number;
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.enableCheckpointing("1 s");

const flights = env.fromSource<Flight>(
  FileSource.csv(parameters.get("input") ?? new URL("data/flights-2013.csv.gz", import.meta.url), {
    columns: { scheduled: "timestamp", carrier: "string", delay_minutes: "int" },
  }),
  WatermarkStrategy.forGenerator<Flight>(() => new EveryTenMinutes()).withTimestampAssigner((flight) => flight.scheduled),
  "Flights",
)
  // One compressed file is one split. A second reader would hold back the watermark until it has been told that there is none for it: sooner or later, as it comes.
  .setParallelism(1);

// Flights whose hour was already closed when they left at last. Without the tag they would be dropped, and counted in the metric numLateRecordsDropped.
const tooLate = new OutputTag<Flight>("too-late");

const perHour = flights
  .keyBy("carrier")
  .window(TumblingEventTimeWindows.of("1 h"))
  .sideOutputLateData(tooLate)
  .aggregate(
    {
      createAccumulator: () => ({ flights: 0, late: 0 }),
      add: (flight, sum) => ({ flights: sum.flights + 1, late: sum.late + (flight.delay_minutes > lateMinutes ? 1 : 0) }),
      getResult: (sum) => sum,
      merge: (a, b) => ({ flights: a.flights + b.flights, late: a.late + b.late }),
    },
    (carrier, window, [sum], out: Collector<CarrierHour>) => out.collect({ carrier, hourMs: window.startMs, flights: sum!.flights, late: sum!.late, tooLate: 0 }),
  )
  .name("Flights per carrier and hour");

perHour
  .filter(({ flights, late }) => flights >= minFlights && late / flights >= minShare)
  .map(({ carrier, hourMs, flights, late }) => `${utc(hourMs)}  ${nameOf(carrier)} ${padded(late, 3)} of ${padded(flights, 2)} late  ${bar(late / flights)}`)
  .print();

// The same hours added up per carrier until the input ends, and then put into one table.
perHour
  .union(perHour.getSideOutput(tooLate).map(({ carrier }) => ({ carrier, hourMs: 0, flights: 0, late: 0, tooLate: 1 })))
  .keyBy("carrier")
  .window(GlobalWindows.createWithEndOfStreamTrigger())
  .reduce((a, b) => ({ ...a, flights: a.flights + b.flights, late: a.late + b.late, tooLate: a.tooLate + b.tooLate }))
  .name("Year per carrier")
  .windowAll(GlobalWindows.createWithEndOfStreamTrigger())
  .apply((_window, carriers, out) => out.collect(table([...carriers])))
  .name("Table")
  .print();

await env.execute("Late flights");

function table(carriers: CarrierHour[]): string {
  const all = carriers.reduce((a, b) => ({ ...a, carrier: "all", flights: a.flights + b.flights, late: a.late + b.late, tooLate: a.tooLate + b.tooLate }));
  // A flight that came too late for its hour was late all the more.
  const share = ({ flights, late, tooLate }: CarrierHour): number => (late + tooLate) / (flights + tooLate);
  const row = (total: CarrierHour): string =>
    `${nameOf(total.carrier)} ${padded(total.flights + total.tooLate, 9)} ${padded(total.late + total.tooLate, 8)} ${padded(total.tooLate, 10)}   ${bar(share(total))}`;
  return [
    "",
    `carrier         flights     late   too late   share more than ${lateMinutes} min late`,
    ...carriers.sort((a, b) => share(b) - share(a)).map(row),
    row(all),
    "",
    `"too late" left more than ${maxDisorderMs / 3_600_000} h behind schedule, when their hour was closed: a side output counts them.`,
  ].join("\n");
}

function nameOf(carrier: string): string {
  return (airlines[carrier] ?? carrier).padEnd(14);
}
function padded(value: number, width: number): string {
  return String(value).padStart(width);
}
function utc(timestampMs: number): string {
  return new Date(timestampMs).toISOString().slice(0, 16).replace("T", " ");
}
function bar(share: number): string {
  return `${(share * 100).toFixed(0).padStart(3)} % ${"█".repeat(Math.round(share * 30))}`;
}
