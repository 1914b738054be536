import { StreamExecutionEnvironment } from "millrace";
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1, 2, 3).map((x) => { console.log("see", x); return x; }).print();
env.execute();
