import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { MemoryFileSystem } from "@millrace/testkit";
import { BLOB_PIECE_BYTES, BlobStore, BlobUpload, MAX_BLOB_BYTES } from "../../src/index.js";

const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function store(): { blobs: BlobStore; fs: MemoryFileSystem } {
  const fs = new MemoryFileSystem();
  return { blobs: new BlobStore({ fs, sha256Hex }, "/blobs"), fs };
}

test("a blob comes back in whole and in pieces", async () => {
  const { blobs } = store();
  const bytes = Uint8Array.from({ length: 2 * BLOB_PIECE_BYTES + 10 }, (_, i) => i % 251);
  const key = sha256Hex(bytes);
  assert.equal(await blobs.has(key), false);
  await blobs.put(key, bytes);
  assert.equal(await blobs.has(key), true);
  assert.equal(sha256Hex(await blobs.get(key)), key);
  const upload = new BlobUpload();
  for (let offset = 0; offset < bytes.length; ) {
    const piece = await blobs.readPiece(key, offset);
    assert.equal(piece.sizeBytes, bytes.length);
    upload.append(offset, piece.bytes);
    offset += piece.bytes.length;
  }
  assert.equal(sha256Hex(upload.finish()), key);
});

test("content must be what the key says, when it is stored and when it is read", async () => {
  const { blobs, fs } = store();
  const bytes = Uint8Array.of(1, 2, 3);
  const key = sha256Hex(bytes);
  await assert.rejects(blobs.put(key, Uint8Array.of(1)), { code: "BLOB_CORRUPT" });
  await blobs.put(key, bytes);
  await fs.writeAtomic(blobs.path(key), Uint8Array.of(9));
  await assert.rejects(blobs.get(key), { code: "BLOB_CORRUPT" });
  await assert.rejects(blobs.get("0".repeat(64)), { code: "BLOB_NOT_FOUND" });
  await assert.rejects(blobs.readPiece("0".repeat(64), 0), { code: "BLOB_NOT_FOUND" });
});

test("no key can name another file", async () => {
  const { blobs } = store();
  for (const key of ["../../etc/passwd", "..%2f..%2fetc", "/etc/passwd", "", "a".repeat(63), `${"a".repeat(63)}/`, "A".repeat(64), `${"a".repeat(64)}\n`, undefined, 7, ["a".repeat(64)]]) {
    await assert.rejects(async () => blobs.has(key as string), { code: "BLOB_KEY_INVALID" });
  }
});

test("pieces come in order, none is too long, and neither is the whole", () => {
  const upload = new BlobUpload();
  upload.append(0, new Uint8Array(10));
  assert.throws(() => upload.append(0, new Uint8Array(10)), { code: "BLOB_PIECE_INVALID" });
  assert.throws(() => upload.append(11, new Uint8Array(10)), { code: "BLOB_PIECE_INVALID" });
  assert.throws(() => upload.append(10, new Uint8Array(BLOB_PIECE_BYTES + 1)), { code: "BLOB_PIECE_INVALID" });
  const large = new BlobUpload();
  const piece = new Uint8Array(BLOB_PIECE_BYTES);
  let offset = 0;
  while (offset < MAX_BLOB_BYTES) {
    large.append(offset, piece);
    offset += piece.length;
  }
  assert.throws(() => large.append(offset, Uint8Array.of(1)), { code: "BLOB_TOO_LARGE" });
});
