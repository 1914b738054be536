import { countTexts, type Bounds } from "./guarantee.js";
import type { SinkGuaranteesOptions } from "./sink-under-test.js";

/** What may be visible after failures, in the end. */
export function boundsAfterFailures({ guarantee, idempotent = false }: Pick<SinkGuaranteesOptions<never>, "guarantee" | "idempotent">): Bounds {
  if (guarantee === "exactly-once") return () => [1, 1];
  const most = idempotent ? 1 : Number.POSITIVE_INFINITY;
  return () => [guarantee === "none" ? 0 : 1, most];
}

/**
 * The same when a job has gone back behind what was visible before: that cannot be taken back, and comes again. In real time, the last commit of a job that was
 * killed may still be on its way when it is looked: then anything may be there a second time.
 */
export function boundsAfterGoingBack(options: Pick<SinkGuaranteesOptions<never>, "guarantee" | "idempotent" | "time">, visibleBefore: readonly string[]): Bounds {
  if (options.guarantee !== "exactly-once" || options.idempotent === true) return boundsAfterFailures(options);
  const before = countTexts(visibleBefore);
  const leastMost = options.time === "real" ? 2 : 1;
  return (text) => [Math.max(1, before.get(text) ?? 0), Math.max(leastMost, 1 + (before.get(text) ?? 0))];
}
