import { StreamExecutionEnvironment } from "millrace";
import { rate } from "./throws-when-loaded.js";

StreamExecutionEnvironment.getExecutionEnvironment().fromData(rate).print();
