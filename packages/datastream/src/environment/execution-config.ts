import { AUTO_WATERMARK_INTERVAL, FREEZE_RECORDS, type ConfigOption, type DurationLike } from "@millrace/core";
import type { ParameterTool } from "../parameters/parameter-tool.js";

/** Settings of the job that are not those of an operator. A view: what is set here is set in the environment. Flink: ExecutionConfig. */
export class ExecutionConfig {
  readonly #set: <T>(option: ConfigOption<T>, value: unknown) => void;
  #parameters: Readonly<Record<string, string>> = {};

  constructor(set: <T>(option: ConfigOption<T>, value: unknown) => void) {
    this.#set = set;
  }

  /** Text by name that every rich function can read as `RuntimeContext.jobParameters`. */
  setGlobalJobParameters(parameters: ParameterTool | Readonly<Record<string, string>>): this {
    this.#parameters = typeof (parameters as ParameterTool).toMap === "function" ? (parameters as ParameterTool).toMap() : { ...(parameters as Record<string, string>) };
    return this;
  }
  get globalJobParameters(): Readonly<Record<string, string>> {
    return this.#parameters;
  }
  setAutoWatermarkInterval(interval: DurationLike): this {
    this.#set(AUTO_WATERMARK_INTERVAL, interval);
    return this;
  }
  /** Freezes records once emitted, so that changing one later throws where it happens. */
  setFreezeRecords(freeze: boolean): this {
    this.#set(FREEZE_RECORDS, freeze);
    return this;
  }
}
