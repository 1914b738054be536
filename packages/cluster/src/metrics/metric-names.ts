import type { JobVertex } from "@millrace/graph";

/** A metric's name as REST queries know it: Flink's reply for what would break their syntax. */
export function queryName(name: string): string {
  return name.replace(/[ :,]/g, "_");
}

/** What a reported name of a task belongs to: the task itself, or one of its operators. */
export interface ScopedName {
  readonly operator: JobVertex["operators"][number] | undefined;
  readonly metric: string;
}

/** Takes `operator.metric` apart. Operators' names may hold dots, so the longest one that fits wins. */
export function scopedName(vertex: JobVertex, name: string): ScopedName {
  let found: JobVertex["operators"][number] | undefined;
  for (const operator of vertex.operators) {
    if (name.startsWith(`${operator.name}.`) && operator.name.length > (found?.name.length ?? -1)) found = operator;
  }
  return found === undefined ? { operator: undefined, metric: name } : { operator: found, metric: name.slice(found.name.length + 1) };
}

/** The name under which REST shows a task's metric: an operator's name loses its dots, too. */
export function taskMetricName(vertex: JobVertex, name: string): string {
  const { operator, metric } = scopedName(vertex, name);
  return operator === undefined ? queryName(name) : `${queryName(operator.name).replaceAll(".", "_")}.${queryName(metric)}`;
}
