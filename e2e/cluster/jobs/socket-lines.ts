import { StreamExecutionEnvironment } from "millrace";

const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.socketTextStream("127.0.0.1", port).map((line) => `heard ${line}`).print();
await env.execute("Lines of a socket");
