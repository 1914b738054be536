import { isMainThread, threadId } from "node:worker_threads";
import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1).map((value) => value).name(`Map in ${isMainThread} ${threadId}`).print();
await env.execute();
