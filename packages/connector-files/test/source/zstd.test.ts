import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isMillraceError, type FileReader, type FileSystem, type MillraceError } from "@millrace/core";
import { LocalFileSystem } from "@millrace/env-node";
import { openDecompressed } from "../../src/source/compression.js";
import { withTempDir, writeFiles } from "../support/temp-dir.js";

/** Made by `zstd` 1.5: of text with and without a checksum, of one block and of several, and one that is stored as it is. */
const sample = (name: string): Buffer => readFileSync(new URL(`../../../../testdata/zstd/${name}`, import.meta.url));
const text = Array.from({ length: 10_000 }, (_, i) => `line ${i} of ${(i * 2654435761) % 1000003}\n`).join("");
const SKIPPABLE = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]);

/** Gives the file in pieces of so many bytes. */
class Slow extends LocalFileSystem {
  readonly #pieceBytes: number;

  constructor(pieceBytes: number) {
    super();
    this.#pieceBytes = pieceBytes;
  }

  override async read(path: string, fromByte?: number): Promise<FileReader> {
    const reader = await super.read(path, fromByte);
    return { read: (maxBytes, into) => reader.read(Math.min(maxBytes, this.#pieceBytes), into), close: () => reader.close() };
  }
}

async function content(path: string, fs: FileSystem = new LocalFileSystem()): Promise<string> {
  const reader = await openDecompressed(fs, path, "zstd", 0);
  const pieces: Uint8Array[] = [];
  try {
    for (let piece = await reader.read(1 << 16); piece !== undefined; piece = await reader.read(1 << 16)) pieces.push(piece.slice());
  } finally {
    await reader.close();
  }
  return Buffer.concat(pieces).toString("latin1");
}

async function refusal(path: string): Promise<MillraceError> {
  const error = await content(path).then(() => undefined, (thrown: unknown) => thrown);
  assert.ok(isMillraceError(error), `it was read: ${String(error)}`);
  assert.equal(error.code, "FILE_CORRUPT");
  assert.equal(error.location?.file, path);
  return error;
}

const names = ["checked.zst", "unchecked.zst", "streamed.zst", "stored.zst", "small.zst"] as const;

test("files of the zstd command are read in pieces of any size, several frames and skippable ones among them", () =>
  withTempDir(async (dir) => {
    const small = "hello\n";
    const [all] = writeFiles(dir, { "all.zst": Buffer.concat(names.flatMap((name) => [SKIPPABLE, sample(name)])) });
    const stored = sample("stored.bin").toString("latin1");
    for (const pieceBytes of [1 << 20, 4096, 997]) assert.equal(await content(all!, new Slow(pieceBytes)), text + text + text + stored + small, `${pieceBytes} bytes at a time`);
    const [tiny] = writeFiles(dir, { "tiny.zst": Buffer.concat([sample("small.zst"), SKIPPABLE, sample("small.zst"), sample("stored.zst")]) });
    for (const pieceBytes of [1, 3, 17]) assert.equal(await content(tiny!, new Slow(pieceBytes)), small + small + stored, `${pieceBytes} bytes at a time`);
  }));

test("content that was changed is refused by its checksum, with file and frame", () =>
  withTempDir(async (dir) => {
    // Of a stored block, every byte decompresses to something.
    const frame = sample("stored.zst");
    for (const at of [20, frame.length >> 1, frame.length - 5, frame.length - 1]) {
      const damaged = Buffer.from(frame);
      damaged[at]! ^= 1;
      const [path] = writeFiles(dir, { "damaged.zst": Buffer.concat([sample("small.zst"), SKIPPABLE, damaged]) });
      const { message } = await refusal(path!);
      assert.match(message, new RegExp(`frame 3, which begins at byte ${sample("small.zst").length + SKIPPABLE.length}: its content does not have the checksum`));
    }
  }));

test("any bit that is turned over in a file with a checksum is found out, or changes nothing", () =>
  withTempDir(async (dir) => {
    const frame = sample("checked.zst");
    for (let at = 0; at < frame.length; at += 4001) {
      for (const bit of [0, 3, 7]) {
        const damaged = Buffer.from(frame);
        damaged[at]! ^= 1 << bit;
        const [path] = writeFiles(dir, { "damaged.zst": damaged });
        const read = await content(path!).catch((error: unknown) => assert.ok(isMillraceError(error) && error.code === "FILE_CORRUPT", String(error)));
        if (read !== undefined) assert.ok(read === text, `bit ${bit} of byte ${at}`);
      }
    }
  }));

test("a length that is not that of the content, a torn file, a dictionary, and what is behind the last frame are refused", () =>
  withTempDir(async (dir) => {
    const frame = sample("unchecked.zst");
    assert.equal(frame[4]! >> 6, 2, "it tells its length in four bytes");
    const wrongLength = Buffer.from(frame);
    wrongLength.writeUInt32LE(text.length + 1, 5);
    const dictionary = Buffer.concat([frame.subarray(0, 4), Buffer.from([frame[4]! | 1]), Buffer.from([7]), frame.subarray(5)]);
    const [length, torn, tornChecksum, withDictionary, behind] = writeFiles(dir, {
      "length.zst": wrongLength, "torn.zst": frame.subarray(0, frame.length - 100), "torn-checksum.zst": sample("checked.zst").subarray(0, -2), "dictionary.zst": dictionary,
      "behind.zst": Buffer.concat([frame, Buffer.from("more")]),
    });
    assert.match((await refusal(length!)).message, new RegExp(`frame 1, which begins at byte 0: its content has ${text.length} bytes instead of ${text.length + 1}`));
    assert.match((await refusal(torn!)).message, /frame 1, which begins at byte 0: the file ends in the middle of it/);
    assert.match((await refusal(tornChecksum!)).message, /the file ends in the middle of it/);
    assert.match((await refusal(withDictionary!)).message, /dictionary/);
    assert.match((await refusal(behind!)).message, new RegExp(`frame 2, which begins at byte ${frame.length}: .*no frame begins there`));
  }));
