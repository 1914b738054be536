import { StreamExecutionEnvironment } from "millrace";
const env = StreamExecutionEnvironment.getExecutionEnvironment(;
