import {
  // @ts-expect-error: the point of this job.
  StreamExecutionEnviroment,
} from "millrace";

StreamExecutionEnviroment.getExecutionEnvironment();
