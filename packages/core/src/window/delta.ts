/** How far two values are apart. Flink: DeltaFunction. */
export type DeltaFunction<T> = (oldValue: T, newValue: T) => number;
