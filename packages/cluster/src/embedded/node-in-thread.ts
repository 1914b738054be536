import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogSink } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import { InThreadExecutor, type InThreadOptions } from "../in-thread/in-thread-executor.js";
import { consoleLog } from "./console-log.js";

/** An executor that runs jobs in this thread of a Node process, in the real world. `log` defaults to {@link consoleLog}. */
export function nodeInThreadExecutor({ log = consoleLog, ...options }: Partial<InThreadOptions> & { readonly log?: LogSink } = {}): InThreadExecutor {
  return new InThreadExecutor({ env: { ...createNodeEnv(), log }, temporaryDirectory: join(tmpdir(), "millrace-checkpoints"), ...options });
}
