import { isMainThread, threadId } from "node:worker_threads";
import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1).map((n) => n).name(`Map of ${String(isMainThread)} ${threadId}`).discard();
await env.execute();
