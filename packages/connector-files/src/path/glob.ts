/** One path segment of a glob: fixed text, a pattern, or `**` (any number of directories, none included). */
export type GlobSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "pattern"; readonly matches: (name: string) => boolean }
  | { readonly kind: "globstar" };

/** Tells whether a path holds unescaped `*`, `?` or `{…}`. */
export function isGlob(path: string): boolean {
  return /(?<!\\)(?:\*|\?|\{[^}]*\})/.test(path);
}

/**
 * Parses a glob into one list of segments per brace alternative.
 *
 * `*` and `?` stay within a segment, `**` as a whole segment spans directories, `{a,b}` are alternatives and may nest, `\` takes the next character
 * literally. Names that start with a dot only match patterns that do so, too, as in a shell.
 */
export function parseGlob(pattern: string): GlobSegment[][] {
  return expandBraces(pattern).map((one) => one.split("/").filter((s) => s !== "").map(toSegment));
}

function toSegment(text: string): GlobSegment {
  if (text === "**") return { kind: "globstar" };
  if (!/[*?]/.test(text.replace(/\\./g, ""))) return { kind: "literal", text: text.replace(/\\(.)/g, "$1") };
  let source = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === "*") source += "[^/]*";
    else if (c === "?") source += "[^/]";
    else source += (c === "\\" && i + 1 < text.length ? text[++i]! : c).replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  }
  const expression = new RegExp(`^${source}$`, "su");
  const dotted = text.startsWith(".");
  return { kind: "pattern", matches: (name) => (dotted || !name.startsWith(".")) && expression.test(name) };
}

/** Replaces the first top-level `{a,b}` by each of its alternatives, then goes on with what comes out. */
function expandBraces(pattern: string): string[] {
  let depth = 0;
  let open = -1;
  let commas: number[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === "\\") i++;
    else if (c === "{") {
      if (depth++ === 0) [open, commas] = [i, []];
    } else if (c === "," && depth === 1) commas.push(i);
    else if (c === "}" && depth > 0 && --depth === 0) {
      const cuts = [open, ...commas, i];
      return cuts.slice(1).flatMap((cut, k) => expandBraces(pattern.slice(0, open) + pattern.slice(cuts[k]! + 1, cut) + pattern.slice(i + 1)));
    }
  }
  return [pattern];
}
