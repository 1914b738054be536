import { StreamExecutionEnvironment } from "millrace";

StreamExecutionEnvironment.getExecutionEnvironment().fromData(1).print();
