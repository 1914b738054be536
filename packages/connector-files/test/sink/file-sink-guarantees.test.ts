import { test } from "node:test";
import type { FileSystem } from "@millrace/core";
import { sinkGuarantees } from "@millrace/testkit";
import { BucketAssigners, FileSink, RollingPolicies, type RollingPolicy } from "../../src/index.js";

/** Lines of all visible parts. */
async function visibleLines(fs: FileSystem, directory: string): Promise<string[]> {
  const lines: string[] = [];
  for (const { path, isDirectory } of await fs.list(directory).catch(() => [])) {
    if (path.slice(directory.length + 1).startsWith(".")) continue;
    if (isDirectory) lines.push(...(await visibleLines(fs, path)));
    else lines.push(...new TextDecoder().decode(await fs.readFile(path)).split("\n").slice(0, -1));
  }
  return lines;
}

const policies: Readonly<Record<string, RollingPolicy>> = {
  "a part per checkpoint": RollingPolicies.onCheckpoint(),
  "parts that go on over checkpoints": RollingPolicies.default({ maxPartSizeBytes: 300, rolloverInterval: "40 ms", inactivityInterval: "20 ms" }),
};

const merged = sinkGuarantees({
  name: "FileSink, merged parts", guarantee: "exactly-once", visibleWithCheckpoint: false, seeds: 8, kills: "some",
  open: ({ directory, fs }) => ({
    sink: () => FileSink.lines<string>(directory, { rollingPolicy: RollingPolicies.onCheckpoint(), bucketAssigner: BucketAssigners.basePath(), compaction: { everyCheckpoints: 3 } }),
    read: () => visibleLines(fs, directory),
  }),
});
// What a later checkpoint has merged is gone: going back behind it is refused.
for (const { name, run } of merged) if (!/older retained|restored later/.test(name)) test(name, run);

for (const [policy, rollingPolicy] of Object.entries(policies)) {
  const cases = sinkGuarantees({
    name: `FileSink, ${policy}`, guarantee: "exactly-once", visibleWithCheckpoint: policy === "a part per checkpoint",
    open: ({ directory, fs }) => ({
      sink: () => FileSink.lines<string>(directory, { rollingPolicy, bucketCheckInterval: "10 ms", bucketAssigner: BucketAssigners.basePath() }),
      read: () => visibleLines(fs, directory),
    }),
  });
  for (const { name, run } of cases) test(name, run);
}
