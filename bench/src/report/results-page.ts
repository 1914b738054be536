import type { WorkResult } from "../run-work.js";
import type { Size } from "../work.js";
import { works } from "../works/index.js";
import type { EarlierResults, EarlierWork } from "./earlier-results.js";
import { machine } from "./machine.js";
import { flinkConfig, tablesOf } from "./summary.js";
import { markdownTable } from "./table.js";

/** `bench/RESULTS.md`: what was run where, and what it gave. Works that were not run keep what was written of them before. */
export function resultsPage(results: readonly WorkResult[], command: string, runs: number, earlier: EarlierResults): string {
  const sections = new Map<string, EarlierWork>(earlier.works);
  for (const result of results) sections.set(result.work.name, sectionOf(result, command, runs));
  const inOrder = works.flatMap(({ name }) => sections.get(name) ?? []);
  const { figures, costs } = tablesOf([]);
  const newConfig = flinkConfig(results);
  const config = newConfig === undefined ? earlier.config : JSON.stringify(newConfig, null, 2);
  return `# What the benchmark gave

Medians of the runs of each side, in turns; below the tables is said what each work is, and which command made its rows. How it is measured: [README.md](README.md).

${markdownTable(["", ""], Object.entries(machine()))}

${[markdownTable(figures.header, []), ...inOrder.flatMap((section) => section.figures)].join("\n")}

${[markdownTable(costs.header, []), ...inOrder.map((section) => section.costs)].join("\n")}

${inOrder.map((section) => section.about).join("\n")}
${config === undefined ? "" : `\nFlink's configuration in the first of its runs:\n\n\`\`\`json\n${config}\n\`\`\`\n`}${earlier.remarks === "" ? "" : `\n${earlier.remarks}\n`}`;
}

function sectionOf(result: WorkResult, command: string, runs: number): EarlierWork {
  const { figures, costs } = tablesOf([result]);
  const { work, size } = result;
  return {
    figures: rows(figures), costs: rows(costs)[0]!,
    about: `- \`${work.name}\`: ${work.title}; ${sizeOf(size)}; by \`${command}\`, ${runs} run${runs === 1 ? "" : "s"} of each side`,
  };
}

function rows({ header, rows: cells }: { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] }): readonly string[] {
  return markdownTable(header, cells).split("\n").slice(2);
}

function sizeOf({ textBytes, records, keys }: Size): string {
  const amount = textBytes > 0 ? `${textBytes / 1e6} MB of text` : records < 1e6 ? `${records} records` : `${records / 1e6} M records`;
  return `${amount}${keys === undefined ? "" : `, ${keys} keys`}`;
}
