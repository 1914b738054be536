import { SourceMap } from "node:module";
import type { SourceMapPayload } from "node:module";

/** Declarations of the bundle's own scope: esbuild writes them all at the beginning of a line. */
const BUNDLED_DECLARATION = /^var (?=[\p{ID_Start}$_[{])/u;
/** What they were in the source. A `const enum` merges with itself, so it has to stay a `var`. */
const SOURCE_DECLARATION = /^(export\s+(default\s+)?)?((abstract\s+)?class\b|let\b|const\b(?!\s+enum\b))/;

/**
 * Gives the bundle's top-level `const`, `let` and `class` back what esbuild takes from them when it bundles: that they cannot be used before their
 * line has run. Without it a function that uses a variable from after `await env.execute()` would read `undefined` in a slot, where that line never
 * runs, and the job would give wrong results.
 *
 * A declaration is found by its text and by where the source map says it comes from, so nothing inside a template literal is touched. `var` becomes
 * `let`, which is as long, so that the source map stays true.
 */
export function keepTemporalDeadZone(code: string, sourceMap: SourceMapPayload): string {
  const map = new SourceMap(sourceMap);
  const sources = new Map(sourceMap.sources.map((name, at) => [name, sourceMap.sourcesContent[at]?.split("\n") ?? []]));
  const lines = code.split("\n");
  for (let line = 0; line < lines.length; line++) {
    if (!BUNDLED_DECLARATION.test(lines[line]!)) continue;
    const entry = map.findEntry(line, 0);
    if (!("originalSource" in entry) || entry.generatedLine !== line || entry.generatedColumn !== 0) continue;
    const original = sources.get(entry.originalSource)?.[entry.originalLine]?.slice(entry.originalColumn);
    if (original !== undefined && SOURCE_DECLARATION.test(original)) lines[line] = `let${lines[line]!.slice(3)}`;
  }
  return lines.join("\n");
}
