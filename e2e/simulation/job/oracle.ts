import { eventAt, type Event, type JobSpec, type PipelineSpec, type Stage } from "./job-spec.js";

/** What every sink of a job must have committed in the end, by sink, sorted: computed one record after the other, without the engine. */
export function expectedOutput({ pipelines }: JobSpec): readonly (readonly string[])[] {
  return pipelines.flatMap(outputOf);
}

function outputOf({ sources, stages, sinks }: PipelineSpec): readonly (readonly string[])[] {
  let events: readonly Event[] = sources.flatMap((source) =>
    Array.from({ length: source.splits }, (_, split) => Array.from({ length: source.recordsPerSplit }, (_, position) => eventAt(source, split, position))).flat());
  const after: (readonly Event[])[] = [events];
  for (const stage of stages) {
    events = apply(stage, events);
    after.push(events);
  }
  return sinks.map((count) => after[count]!.map(format).sort());
}

export function format({ key, at, value }: Event): string {
  return `${key}|${at}|${value}`;
}

function apply(stage: Stage, events: readonly Event[]): readonly Event[] {
  switch (stage.kind) {
    case "map": return events.map((event) => mapped(stage, event));
    case "filter": return events.filter((event) => event.value % stage.modulus !== 0);
    case "flatMap": return events.flatMap((event) => copies(stage, event));
    case "exchange":
    case "async":
    case "holdProcessing": return events;
    case "hold": return events.map((event) => ({ ...event, at: event.at + stage.delayMs }));
    case "window": return windows(stage.sizeMs, events);
    case "dedupe": return [...new Map(events.map((event) => [format(event), event])).values()];
    case "count": return counts(events);
  }
}

export function mapped({ factor, add }: Extract<Stage, { kind: "map" }>, event: Event): Event {
  return { ...event, value: (event.value * factor + add) % 1000 };
}

/** None, one or two of a record, some of them alike. */
export function copies({ modulus }: Extract<Stage, { kind: "flatMap" }>, event: Event): readonly Event[] {
  const rest = event.value % modulus;
  return rest === 0 ? [event, event] : rest === 1 ? [event, { ...event, key: `${event.key}'` }] : [event];
}

function windows(sizeMs: number, events: readonly Event[]): readonly Event[] {
  const sums = new Map<string, Event>();
  for (const { key, at, value } of events) {
    const end = Math.floor(at / sizeMs) * sizeMs + sizeMs - 1;
    const sum = sums.get(`${key} ${end}`)?.value ?? 0;
    sums.set(`${key} ${end}`, { key, at: end, value: sum + value });
  }
  return [...sums.values()];
}

/** The nth record of a key gives n: which one is the nth does not show. */
function counts(events: readonly Event[]): readonly Event[] {
  const seen = new Map<string, number>();
  return events.map(({ key }) => {
    const value = (seen.get(key) ?? 0) + 1;
    seen.set(key, value);
    return { key, at: 0, value };
  });
}
