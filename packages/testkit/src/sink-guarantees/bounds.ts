import { countTexts, type Bounds } from "./guarantee.js";
import type { SinkGuaranteesOptions } from "./sink-under-test.js";

/** What may be visible after failures, in the end. */
export function boundsAfterFailures({ guarantee, idempotent = false }: Pick<SinkGuaranteesOptions<never>, "guarantee" | "idempotent">): Bounds {
  if (guarantee === "exactly-once") return () => [1, 1];
  const most = idempotent ? 1 : Number.POSITIVE_INFINITY;
  return () => [guarantee === "none" ? 0 : 1, most];
}

/** The same when a job has gone back behind what was committed before: that cannot be taken back, and comes again. */
export function boundsAfterGoingBack(options: Pick<SinkGuaranteesOptions<never>, "guarantee" | "idempotent">, committedBefore: readonly string[]): Bounds {
  if (options.guarantee !== "exactly-once" || options.idempotent === true) return boundsAfterFailures(options);
  const before = countTexts(committedBefore);
  return (text) => [Math.max(1, before.get(text) ?? 0), 1 + (before.get(text) ?? 0)];
}
