import { below, random } from "./random.js";

/** The id of word `n` of a text: small ones come often. */
export function wordId(n: number): number {
  return below(random(n, 0), below(random(n, 1), 100_000) + 1);
}

/** `ж` in front of some, then the id's digits in base 26 as letters, lowest first. */
export function word(id: number): string {
  let text = id % 100 === 7 ? "ж" : "";
  let rest = id;
  do {
    text += String.fromCharCode(97 + (rest % 26));
    rest = Math.floor(rest / 26);
  } while (rest > 0);
  return text;
}

/** Calls `take` for each word of a line: words are separated by spaces. */
export function eachWord(line: string, take: (text: string) => void): void {
  let from = 0;
  while (from < line.length) {
    let to = line.indexOf(" ", from);
    if (to < 0) to = line.length;
    if (to > from) take(line.slice(from, to));
    from = to + 1;
  }
}
