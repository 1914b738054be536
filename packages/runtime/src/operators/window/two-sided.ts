import type { Evictor, OnMergeContext, TimestampedValue, Trigger, Window, WindowAssigner } from "@millrace/core";

/** A record of one of the two inputs of a window join. Flink: TaggedUnion. */
export interface TwoSided {
  readonly isLeft: boolean;
  readonly value: unknown;
}

/** Lets an assigner see the records themselves. */
export function twoSidedAssigner(assigner: WindowAssigner<unknown, Window>): WindowAssigner<TwoSided, Window> {
  const { mergeWindows } = assigner;
  return {
    isEventTime: assigner.isEventTime,
    windowCodec: assigner.windowCodec,
    assignWindows: (record, timestampMs, context) => assigner.assignWindows(record.value, timestampMs, context),
    getDefaultTrigger: () => twoSidedTrigger(assigner.getDefaultTrigger()),
    ...(mergeWindows === undefined ? {} : { mergeWindows: (windows, merge) => mergeWindows.call(assigner, windows, merge) }),
  };
}

/** Lets a trigger see the records themselves. */
export function twoSidedTrigger(trigger: Trigger<unknown, Window>): Trigger<TwoSided, Window> {
  const { onMerge } = trigger;
  return {
    onElement: (record, timestampMs, window, context) => trigger.onElement(record.value, timestampMs, window, context),
    onEventTime: (timestampMs, window, context) => trigger.onEventTime(timestampMs, window, context),
    onProcessingTime: (timestampMs, window, context) => trigger.onProcessingTime(timestampMs, window, context),
    clear: (window, context) => trigger.clear(window, context),
    ...(onMerge === undefined ? {} : { onMerge: (window: Window, context: OnMergeContext) => onMerge.call(trigger, window, context) }),
  };
}

/** Lets an evictor see the records of both sides themselves, in order of arrival. */
export function twoSidedEvictor(evictor: Evictor<unknown, Window>): Evictor<TwoSided, Window> {
  const through = (
    elements: readonly TimestampedValue<TwoSided>[], evict: (shown: readonly TimestampedValue<unknown>[]) => readonly TimestampedValue<unknown>[],
  ): readonly TimestampedValue<TwoSided>[] => {
    const shown = new Map(elements.map((element) => [{ value: element.value.value, timestampMs: element.timestampMs }, element]));
    return evict([...shown.keys()]).map((kept) => shown.get(kept as never)!);
  };
  return {
    evictBefore: (elements, window, context) => through(elements, (shown) => evictor.evictBefore(shown, window, context)),
    evictAfter: (elements, window, context) => through(elements, (shown) => evictor.evictAfter(shown, window, context)),
  };
}
