import { createReadStream } from "node:fs";

/** Reads files of lines in blocks of about a megabyte that end with a line. */
export async function eachBlock(paths: readonly string[], take: (block: string) => void): Promise<void> {
  for (const path of paths) {
    let rest = "";
    for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 20 })) {
      const text = rest + (chunk as string);
      const end = text.lastIndexOf("\n") + 1;
      take(text.slice(0, end));
      rest = text.slice(end);
    }
  }
}
