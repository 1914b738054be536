/**
 * The visits of each user, out of their clicks: `millrace run examples/click-sessions.ts`.
 *
 * A session ends when its user has not clicked for a while. Arguments: `--input FILE`, `--gap "15 min"`.
 */
import { EventTimeSessionWindows, FileSource, ParameterTool, StreamExecutionEnvironment, WatermarkStrategy, type Collector } from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const gap = parameters.getDuration("gap", "15 min");

interface Click {
  readonly user: string;
  readonly page: string;
  readonly timestamp: number;
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();

env.fromSource(
  FileSource.jsonLines<Click>(parameters.get("input") ?? new URL("data/clicks.jsonl", import.meta.url)),
  WatermarkStrategy.forBoundedOutOfOrderness<Click>("5 s").withTimestampAssigner((click) => click.timestamp),
  "Clicks",
)
  .keyBy("user")
  // Every click opens a window as long as the gap; windows that touch are merged.
  .window(EventTimeSessionWindows.withGap(gap))
  .aggregate(
    {
      createAccumulator: () => ({ clicks: 0, checkedOut: false }),
      add: (click, session) => ({ clicks: session.clicks + 1, checkedOut: session.checkedOut || click.page === "/checkout" }),
      getResult: (session) => session,
      merge: (a, b) => ({ clicks: a.clicks + b.clicks, checkedOut: a.checkedOut || b.checkedOut }),
    },
    (user, window, [session], out: Collector<string>) => {
      const minutes = (window.endMs - gap - window.startMs) / 60_000;
      const start = new Date(window.startMs).toISOString().slice(11, 19);
      out.collect(`${start} ${user} ${session!.clicks} clicks in ${minutes.toFixed(1)} min${session!.checkedOut ? ", checked out" : ""}`);
    },
  )
  .name("Sessions")
  .print();

await env.execute("Click sessions");
