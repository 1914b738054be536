import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Busboy } from "@fastify/busboy";
import { misfits, type Schema } from "../schema/schema.js";
import { RestError } from "./rest-error.js";

/** Far more than any request of the API needs. */
const MAX_JSON_BYTES = 1024 ** 2;

/** Reads a body to its end. @throws 413 as soon as it is longer than `most`, whatever it announced */
export async function readBody(request: IncomingMessage, most: number = MAX_JSON_BYTES): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > most) throw tooLarge(most);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The body as JSON that fits its schema; what the schema does not know is dropped, as Flink does. @throws 400, 413 */
export async function readJson(request: IncomingMessage, schema: Schema<any>): Promise<unknown> {
  const text = (await readBody(request)).toString("utf8");
  let value: unknown;
  try {
    value = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    throw new RestError(400, "Request did not match expected format: it is not JSON.");
  }
  const known = withoutUnknown(schema, value);
  const problems = misfits(schema.json, known);
  if (problems.length > 0) throw new RestError(400, `Request did not match expected format: ${problems.slice(0, 5).join("; ")}.`);
  return known;
}

function withoutUnknown(schema: Schema<any>, value: unknown): unknown {
  const { properties } = schema.json;
  if (properties === undefined || typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => Object.hasOwn(properties, key)));
}

/**
 * Takes the one file of a multipart request. It is stored under a name made here; what the client calls it is only kept when it is a plain base
 * name, so that no `../` can lead out of the directory (CVE-2020-17518). @throws 400, 413
 */
export async function receiveFile(request: IncomingMessage, directory: string, most: number): Promise<{ readonly path: string; readonly name: string } | undefined> {
  const contentType = request.headers["content-type"] ?? "";
  if (!contentType.startsWith("multipart/form-data")) return undefined;
  if (Number(request.headers["content-length"] ?? 0) > most) throw tooLarge(most);
  let received: { readonly path: string; readonly name: string } | undefined;
  const writes: Promise<void>[] = [];
  let refusal: RestError | undefined;
  const paths: string[] = [];
  const files: { destroy(): void }[] = [];
  try {
    const parser = new Busboy({
      headers: { ...request.headers, "content-type": contentType }, preservePath: true, limits: { fileSize: most, files: 1, fields: 16, fieldSize: 64 * 1024, parts: 32 },
    });
    parser.on("file", (_field, stream, filename) => {
      if (!isBaseName(filename)) {
        refusal = new RestError(400, "The file's name must be a plain name, without a path.");
        stream.resume();
        return;
      }
      const path = join(directory, `${randomBytes(16).toString("hex")}.upload`);
      paths.push(path);
      files.push(stream);
      received = { path, name: filename };
      stream.on("limit", () => (refusal = tooLarge(most)));
      writes.push(pipeline(stream, createWriteStream(path, { flags: "wx", mode: 0o600 })));
    });
    parser.on("filesLimit", () => (refusal = new RestError(400, "Exactly 1 file must be sent.")));
    await pipeline(request, parser);
    await Promise.all(writes);
    if (refusal !== undefined) throw refusal;
    return received;
  } catch (error) {
    // When the connection ends in the middle, the parser does not end the file it is in.
    for (const file of files) file.destroy();
    await Promise.allSettled(writes);
    await Promise.all(paths.map((path) => rm(path, { force: true })));
    throw error instanceof RestError ? error : new RestError(400, "The multipart body is malformed.");
  }
}

/** No separators, no control characters, not hidden, not too long. */
export function isBaseName(name: string | undefined): name is string {
  return name !== undefined && /^[^/\\\p{Cc}]{1,200}$/u.test(name) && !name.startsWith(".");
}

function tooLarge(most: number): RestError {
  return new RestError(413, `The request is larger than ${most} bytes.`, { connection: "close" });
}
