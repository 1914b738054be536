import { OutputTag, type Collector, type DataStream, type ProcessJoinContext } from "millrace";
import type { Event, Job, Pipeline } from "./case.js";
import { assignerOf } from "./windows.js";

const keyOf = (event: Event): string => event.k;
const sides = (job: Job): [DataStream<Event>, DataStream<Event>] => [job.input("left"), job.input("right")];
const ids = (events: Iterable<Event>): number[] => [...events].map((event) => event.id).sort((a, b) => a - b);

const leftLate: OutputTag<Event> = new OutputTag<Event>("left-late");
const rightLate: OutputTag<Event> = new OutputTag<Event>("right-late");

export const joinPipelines: Readonly<Record<string, Pipeline>> = {
  "window-join": (job, { assigner, allowedLateness }) => {
    const [left, right] = sides(job);
    const joined = left.join(right).where(keyOf).equalTo(keyOf).window(assignerOf(assigner));
    if (allowedLateness !== undefined) joined.allowedLateness(allowedLateness);
    return { main: joined.apply((a: Event, b: Event) => ({ k: a.k, left: a.id, right: b.id })) };
  },
  "co-group": (job, { assigner, allowedLateness }) => {
    const [left, right] = sides(job);
    const grouped = left.coGroup(right).where(keyOf).equalTo(keyOf).window(assignerOf(assigner));
    if (allowedLateness !== undefined) grouped.allowedLateness(allowedLateness);
    return {
      main: grouped.apply((lefts: Iterable<Event>, rights: Iterable<Event>, out: Collector<unknown>) => {
        const [a, b] = [[...lefts], [...rights]];
        out.collect({ k: (a[0] ?? b[0]!).k, left: ids(a), right: ids(b) });
      }),
    };
  },
  "interval-join": (job, params) => {
    const [left, right] = sides(job);
    const joined = left.keyBy(keyOf).intervalJoin(right.keyBy(keyOf)).between(params.lower, params.upper);
    if (params.lowerExclusive === true) joined.lowerBoundExclusive();
    if (params.upperExclusive === true) joined.upperBoundExclusive();
    if (params.sideOutputLate === true) joined.sideOutputLeftLateData(leftLate).sideOutputRightLateData(rightLate);
    const main = joined.process(() => ({
      processElement(a: Event, b: Event, context: ProcessJoinContext, out: Collector<unknown>): void {
        out.collect({ k: a.k, left: a.id, right: b.id, leftTime: context.leftTimestamp, rightTime: context.rightTimestamp, time: context.timestamp });
      },
    }));
    return params.sideOutputLate === true ? { main, sides: { "left-late": main.getSideOutput(leftLate), "right-late": main.getSideOutput(rightLate) } } : { main };
  },
};
