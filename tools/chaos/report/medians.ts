export function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** For each time of `from` the time to the next of `to`; those that nothing followed are left out. */
export function delays(from: readonly number[], to: readonly number[]): number[] {
  return from.flatMap((time) => {
    const next = to.find((other) => other > time);
    return next === undefined ? [] : [next - time];
  });
}
