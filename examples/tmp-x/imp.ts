import { StreamExecutionEnvironmnt } from "millrace";
StreamExecutionEnvironmnt.getExecutionEnvironment();
