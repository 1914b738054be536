import assert from "node:assert/strict";
import { sinkGuarantees, type SinkGuaranteesOptions } from "@millrace/testkit";

/** The kill tests must fail for this sink, which is broken. @returns what the first failing case said */
export async function noticed<T>(options: SinkGuaranteesOptions<T>): Promise<string> {
  for (const { name, run } of sinkGuarantees(options)) {
    try {
      await run();
    } catch (error) {
      return `${name}: ${(error as Error).message}`;
    }
  }
  return assert.fail("no case noticed");
}
