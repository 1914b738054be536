import {
  StreamExecutionEnviroment,
} from "millrace";

StreamExecutionEnviroment.getExecutionEnvironment();
