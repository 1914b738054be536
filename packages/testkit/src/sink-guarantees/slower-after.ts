import { RateLimiterStrategy } from "@millrace/datastream";

const TIMES_SLOWER = 10;

/** So many records a second over all subtasks; after the first `records`, counted over all subtasks and attempts, a tenth of that. */
export function slowerAfter(records: number, perSecond: number): RateLimiterStrategy {
  let taken = 0;
  return {
    createRateLimiter(context) {
      const fast = RateLimiterStrategy.perSecond(perSecond).createRateLimiter(context);
      const slow = RateLimiterStrategy.perSecond(perSecond / TIMES_SLOWER).createRateLimiter(context);
      return {
        take: (wanted) => {
          const permits = taken < records ? fast.take(Math.min(wanted, records - taken)) : slow.take(wanted);
          taken += permits;
          return permits;
        },
        available: () => (taken < records ? fast : slow).available(),
      };
    },
  };
}
