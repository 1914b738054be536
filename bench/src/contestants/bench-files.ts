import { createReadStream, existsSync } from "node:fs";
import { mkdir, open, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetWriter } from "@millrace/format-parquet";
import { parquetColumns, parquetRow } from "../data/parquet-rows.js";
import { csvLine, jsonLine, row } from "../data/rows.js";
import { word, wordId } from "../data/words.js";

export const repository: string = fileURLToPath(new URL("../../..", import.meta.url));
export const benchFolder: string = join(repository, "bench");

/** The files runs read, made once and kept in `bench/.cache`. */
export class BenchFiles {
  readonly folder: string = join(benchFolder, ".cache");

  /** A text of at least `bytes` as two files of about half of that each: a reader of the peer does not split a file. */
  text(bytes: number): Promise<readonly string[]> {
    let next = 0;
    return this.#twoFiles("words", bytes, () => {
      let line = "";
      for (let i = 0; i < 10; i++) line += (i === 0 ? "" : " ") + word(wordId(next++));
      return `${line}\n`;
    });
  }

  /** Rows, as CSV without a header or as lines of JSON, in two files likewise. */
  rows(format: "csv" | "json", bytes: number): Promise<readonly string[]> {
    let next = 0;
    return this.#twoFiles(format, bytes, () => (format === "csv" ? csvLine : jsonLine)(row(next++)));
  }

  /** Rows of twelve columns in two Parquet files, the first with the lower half of the ids. */
  async parquet(records: number): Promise<readonly string[]> {
    const folder = join(this.folder, `parquet-${records}`);
    const files = [join(folder, "0.parquet"), join(folder, "1.parquet")];
    if (files.every((file) => existsSync(file))) return files;
    await mkdir(folder, { recursive: true });
    const half = Math.ceil(records / 2);
    await writeParquet(files[0]!, 0, half);
    await writeParquet(files[1]!, half, records);
    return files;
  }

  async #twoFiles(kind: string, bytes: number, line: () => string): Promise<readonly string[]> {
    const folder = join(this.folder, `${kind}-${bytes}`);
    const files = [join(folder, "0.txt"), join(folder, "1.txt")];
    if (files.every((file) => existsSync(file))) return files;
    await mkdir(folder, { recursive: true });
    for (const file of files) await writeLines(file, bytes / 2, line);
    return files;
  }
}

async function writeParquet(file: string, from: number, to: number): Promise<void> {
  const unfinished = `${file}.unfinished`;
  const out = await open(unfinished, "w");
  const writer = parquetWriter(parquetColumns).createWriter();
  for (let index = from; index < to; index++) {
    writer.addElement(parquetRow(index));
    if (writer.encodedBytes > 1 << 20) await out.write(writer.takeBytes());
  }
  await out.write(writer.finish());
  await out.close();
  await rename(unfinished, file);
}

/** Whole lines, at least `bytes` of them. */
async function writeLines(file: string, bytes: number, line: () => string): Promise<void> {
  const unfinished = `${file}.unfinished`;
  const out = await open(unfinished, "w");
  let written = 0;
  while (written < bytes) {
    let text = "";
    while (text.length < 1 << 20 && written + text.length < bytes) text += line();
    const chunk = Buffer.from(text);
    written += chunk.length;
    await out.write(chunk);
  }
  await out.close();
  await rename(unfinished, file);
}

/** Reads files once, so that they are in the page cache. */
export async function readAhead(files: readonly string[]): Promise<void> {
  for (const file of files) {
    await stat(file);
    for await (const _ of createReadStream(file, { highWaterMark: 1 << 22 })) continue;
  }
}
