/** What a page of results says of one work: lines of Markdown as they are. */
export interface EarlierWork {
  readonly figures: readonly string[];
  readonly costs: string;
  /** What it is, its size, and what command made it. */
  readonly about: string;
}

/** A page of results, taken apart so that some of its works can be replaced. */
export interface EarlierResults {
  readonly works: ReadonlyMap<string, EarlierWork>;
  /** Flink's configuration, as text. */
  readonly config: string | undefined;
  /** What somebody wrote below. */
  readonly remarks: string;
}

const CONFIG = /^```json\n([\s\S]*?)\n```\n?/m;

/** Reads what {@link import("./results-page.js").resultsPage} has written, by this version or by the one that named a command for the whole page. */
export function parseResults(page: string): EarlierResults {
  const figures = new Map<string, string[]>();
  const costs = new Map<string, string>();
  const about = new Map<string, string>();
  const madeBy = /^Made by (`[^`]*`): medians of (\d+ runs?)/m.exec(page);
  const config = CONFIG.exec(page);
  const head = config === null ? page : page.slice(0, config.index);
  let section: "figures" | "costs" | undefined;
  let work = "";
  let end = 0;
  for (const { 0: line, index } of head.matchAll(/^.*$/gm)) {
    const cells = line.startsWith("|") ? line.split(/(?<!\\)\|/).map((cell) => cell.trim()) : undefined;
    const item = /^- `([^`]+)`: (.*)$/.exec(line);
    if (cells === undefined) section = undefined;
    if (cells?.[1] === "work") section = cells[2] === "figure" ? "figures" : "costs";
    else if (section === "figures" && !line.startsWith("|--")) {
      work = cells![1] || work;
      figures.set(work, [...(figures.get(work) ?? []), line]);
    } else if (section === "costs" && !line.startsWith("|--")) costs.set(cells![1]!, line);
    else if (item !== null) {
      about.set(item[1]!, item[2]!.includes("; by `") || madeBy === null ? line : `${line}; by ${madeBy[1]}, ${madeBy[2]} of each side`);
      end = index + line.length;
    }
  }
  const remarks = config === null ? head.slice(end) : page.slice(config.index + config[0].length);
  return {
    config: config?.[1], remarks: remarks.trim(),
    works: new Map([...about].map(([name, line]) => [name, { figures: figures.get(name) ?? [], costs: costs.get(name) ?? "", about: line }])),
  };
}
