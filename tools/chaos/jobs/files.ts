import { BucketAssigners, FileSink, FileSource, ParameterTool, RollingPolicies, StreamExecutionEnvironment, type DataStream } from "millrace";
import { byTime, entriesOf, totalsOf, windowsOf } from "./stages.js";

/* Files that come one by one → running totals and event-time windows → files, exactly once. */
const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const env = StreamExecutionEnvironment.getExecutionEnvironment();
const toFiles = (lines: DataStream<string>, name: string): void =>
  void lines.sinkTo(FileSink.lines<string>(parameters.required(name), { bucketAssigner: BucketAssigners.basePath(), rollingPolicy: RollingPolicies.onCheckpoint() })).uid(`${name} files`);

const lines = env.fromSource(FileSource.lines(parameters.required("input"), { splitSizeBytes: 8000 }).monitorContinuously("500 ms"), byTime, "Files");
lines.uid("input");
const entries = entriesOf(lines);
const { windows, late } = windowsOf(entries);
toFiles(totalsOf(entries), "totals");
toFiles(windows, "windows");
toFiles(late, "late");
await env.execute("chaos: files");
