import type { WorkResult } from "../run-work.js";
import { machine } from "./machine.js";
import { flinkConfig, tablesOf } from "./summary.js";
import { markdownTable } from "./table.js";

/** `bench/RESULTS.md`: what was run where, and what it gave. */
export function resultsPage(results: readonly WorkResult[], command: string, runs: number): string {
  const { figures, costs } = tablesOf(results);
  const config = flinkConfig(results);
  return `# What the benchmark gave

Made by \`${command}\`: medians of ${runs} run${runs === 1 ? "" : "s"} of each side, in turns. How it is measured: [README.md](README.md).

${markdownTable(["", ""], Object.entries(machine()))}

${markdownTable(figures.header, figures.rows)}

${markdownTable(costs.header, costs.rows)}

${results.map(({ work, size }) => `- \`${work.name}\`: ${work.title}; ${size.textBytes > 0 ? `${size.textBytes / 1e6} MB of text` : `${size.records / 1e6} M records`}${size.keys === undefined ? "" : `, ${size.keys} keys`}`).join("\n")}
${config === undefined ? "" : `\nFlink's configuration in the first of its runs:\n\n\`\`\`json\n${JSON.stringify(config, null, 2)}\n\`\`\`\n`}`;
}
