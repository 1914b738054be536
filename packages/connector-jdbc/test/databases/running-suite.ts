import { after, before } from "node:test";
import { MiniCluster } from "@millrace/testkit";
import type { DatabaseUnderTest, TestDatabase } from "./test-database.js";

/** What a suite runs on, also for the tests that a dialect adds. */
export interface RunningSuite {
  readonly miniCluster: MiniCluster;
  /** Once tests run. */
  readonly database: () => TestDatabase;
}

/** A cluster for jobs and a server, from before the tests of the file that calls until after them. */
export function runningSuite({ skip, start }: DatabaseUnderTest, config: Readonly<Record<string, unknown>> = {}, prepare?: (database: TestDatabase) => Promise<unknown>): RunningSuite {
  const miniCluster = new MiniCluster({ config });
  let database: TestDatabase | undefined;
  before(async () => {
    miniCluster.start();
    if (skip !== false) return;
    database = await start();
    await prepare?.(database);
  });
  after(async () => {
    await miniCluster.stop();
    await database?.remove();
  });
  return { miniCluster, database: () => database! };
}
