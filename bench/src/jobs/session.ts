import { EventTimeSessionWindows } from "millrace";
import { fold, foldLong, HASH_START } from "../data/checksum.js";
import { ChecksumSink } from "./checksum-sink.js";
import { benchEnvironment } from "./bench-environment.js";
import { parameters, records } from "./job-parameters.js";
import { countAndSum, readings, type CountAndSum, type MutableCountAndSum } from "./readings.js";

interface Session {
  readonly key: number;
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly sum: number;
}

const env = benchEnvironment();
readings(env, records, parameters.getInt("keys", 100_000), 100, 0)
  .keyBy((record) => record.key)
  .window(EventTimeSessionWindows.withGap("3 s"))
  .aggregate<MutableCountAndSum, CountAndSum, Session>(countAndSum, (key, window, results, out) => {
    for (const { count, sum } of results) out.collect({ key, start: window.startMs, end: window.endMs, count, sum });
  })
  .sinkTo(new ChecksumSink<Session>((r) => foldLong(foldLong(foldLong(foldLong(fold(HASH_START, r.key), r.start), r.end), r.count), r.sum)));
await env.execute("sessions");
