import { createReadStream, existsSync } from "node:fs";
import { mkdir, open, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { word, wordId } from "../data/words.js";

export const repository: string = fileURLToPath(new URL("../../..", import.meta.url));
export const benchFolder: string = join(repository, "bench");

/** The files runs read, made once and kept in `bench/.cache`. */
export class BenchFiles {
  readonly folder: string = join(benchFolder, ".cache");

  /** A text of at least `bytes` as two files of about half of that each: a reader of the peer does not split a file. */
  async text(bytes: number): Promise<readonly string[]> {
    const folder = join(this.folder, `words-${bytes}`);
    const files = [join(folder, "0.txt"), join(folder, "1.txt")];
    if (files.every((file) => existsSync(file))) return files;
    await mkdir(folder, { recursive: true });
    let next = 0;
    for (const file of files) next = await writeText(file, next, bytes / 2);
    return files;
  }
}

/** Lines of ten words, from word `first` on; returns the first word that was not written. */
async function writeText(file: string, first: number, bytes: number): Promise<number> {
  const unfinished = `${file}.unfinished`;
  const out = await open(unfinished, "w");
  let next = first;
  let written = 0;
  while (written < bytes) {
    let text = "";
    while (text.length < 1 << 20 && written + text.length < bytes) {
      for (let i = 0; i < 10; i++) text += (i === 0 ? "" : " ") + word(wordId(next++));
      text += "\n";
    }
    const chunk = Buffer.from(text);
    written += chunk.length;
    await out.write(chunk);
  }
  await out.close();
  await rename(unfinished, file);
  return next;
}

/** Reads files once, so that they are in the page cache. */
export async function readAhead(files: readonly string[]): Promise<void> {
  for (const file of files) {
    await stat(file);
    for await (const _ of createReadStream(file, { highWaterMark: 1 << 22 })) continue;
  }
}
