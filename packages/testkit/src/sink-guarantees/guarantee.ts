/** What a sink promises when something fails. `none` is what is left: what was on its way may be lost, and may come twice. */
export type SinkGuarantee = "exactly-once" | "at-least-once" | "none";

/** How often each text is there. */
export function countTexts(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/** How often each expected text may be there. */
export type Bounds = (text: string) => readonly [least: number, most: number];

/** What is wrong with what is visible, in words; `undefined` when nothing is. */
export function wrongWith(visible: readonly string[], expected: readonly string[], bounds: Bounds): string | undefined {
  const counts = countTexts(visible);
  const lost: string[] = [];
  const doubled: string[] = [];
  for (const text of expected) {
    const count = counts.get(text) ?? 0;
    const [least, most] = bounds(text);
    if (count < least) lost.push(text);
    if (count > most) doubled.push(`${text} (${count} times)`);
    counts.delete(text);
  }
  const problems = [some("lost", lost), some("too often", doubled), some("never written", [...counts.keys()])].filter((problem) => problem !== "");
  return problems.length === 0 ? undefined : problems.join("; ");
}

function some(what: string, texts: readonly string[]): string {
  if (texts.length === 0) return "";
  return `${what}: ${texts.slice(0, 5).join(", ")}${texts.length > 5 ? ` and ${texts.length - 5} more` : ""}`;
}
