import type { MetricSample } from "./metric-samples.js";

/** The content type of Prometheus' text exposition format. */
export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Samples in Prometheus' text format, named as Flink's reporter names them: `flink_` in front, everything but letters, digits and colons an underscore.
 * Histograms are summaries. https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function prometheusText(samples: readonly MetricSample[], options: { readonly filterLabelCharacters?: boolean } = {}): string {
  const families = new Map<string, { summary: boolean; readonly lines: Map<string, string> }>();
  for (const { name, labels, value, quantile } of samples) {
    const isCount = name.endsWith("_count");
    const metric = metricName(isCount ? name.slice(0, -6) : name);
    let family = families.get(metric);
    if (family === undefined) families.set(metric, (family = { summary: false, lines: new Map() }));
    if (quantile !== undefined || isCount) family.summary = true;
    const text = labelText({ ...labels, ...(quantile === undefined ? {} : { quantile: String(quantile) }) }, options.filterLabelCharacters ?? true);
    // Each line may stand only once: two operators of one name in one task share theirs.
    family.lines.set(`${metric}${isCount ? "_count" : ""}${text}`, number(value));
  }
  const blocks = [...families].map(([metric, { summary, lines }]) => [
    `# HELP ${metric} ${metric.replace(/^flink_/, "").replaceAll("_", " ")}`, `# TYPE ${metric} ${summary ? "summary" : "gauge"}`, ...[...lines].map(([line, value]) => `${line} ${value}`),
  ].join("\n"));
  return blocks.length === 0 ? "" : `${blocks.join("\n")}\n`;
}

function metricName(name: string): string {
  return `flink_${name.replace(/[^a-zA-Z0-9:_]/g, "_")}`;
}

/** Flink replaces what is unusual in label values, too, unless `filterLabelValueCharacters` is off. */
function labelText(labels: Readonly<Record<string, string>>, filter: boolean): string {
  const parts = Object.entries(labels).map(([key, value]) => {
    const shown = filter ? value.replace(/[^a-zA-Z0-9:_]/g, "_") : value;
    return `${key}="${shown.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
  });
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function number(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
