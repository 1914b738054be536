/** A table as text: columns as wide as they must be, the first to the left, the others as told. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[], align: "left" | "right" = "right"): string {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 || align === "left" ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join("  ").trimEnd();
  return [line(header), widths.map((width) => "─".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}

/** The same as Markdown. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), `|${header.map((_, column) => (column === 0 ? "---|" : "---:|")).join("")}`, ...rows.map(line)].join("\n");
}

/** `4.21 M`, `310 k`: three digits that count. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const [scaled, unit] = value >= 1e9 ? [value / 1e9, " G"] : value >= 1e6 ? [value / 1e6, " M"] : value >= 1e3 ? [value / 1e3, " k"] : [value, ""];
  return `${scaled >= 100 ? scaled.toFixed(0) : scaled >= 10 ? scaled.toFixed(1) : scaled.toFixed(2)}${unit}`;
}

export function formatRatio(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(value >= 10 ? 1 : 2)} ×` : "–";
}

export function formatNumber(value: number, unit: string, digits: number = 2): string {
  return Number.isFinite(value) ? `${value.toFixed(digits)} ${unit}` : "–";
}
