import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { MillraceError } from "@millrace/core";
import { isRole, roles, type Identity, type Role } from "./roles.js";

const HASH = /^sha256:([0-9a-f]{64})$/;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

interface StoredToken extends Identity {
  readonly hash: Buffer;
}

/**
 * The tokens of a tokens file: one a line, `name role sha256:HASH`, `#` begins a comment. The file holds no token, only hashes; a token is 256 random
 * bits, so a plain hash cannot be searched. Others must not be able to write the file.
 */
export class Tokens {
  readonly #tokens: readonly StoredToken[];

  private constructor(tokens: readonly StoredToken[]) {
    this.#tokens = tokens;
  }

  /** @throws `TOKENS_FILE_INVALID` with the line */
  static read(path: string): Tokens {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
      if (process.platform !== "win32" && (statSync(path).mode & 0o022) !== 0) throw invalid(path, "others than its owner may write it", "chmod 600");
    } catch (cause) {
      if (cause instanceof MillraceError) throw cause;
      throw invalid(path, (cause as Error).message, "make one with `millrace token NAME --role viewer --file FILE`");
    }
    const tokens = text.split("\n").flatMap((line, index): StoredToken[] => {
      const parts = line.replace(/#.*/, "").trim().split(/\s+/);
      if (parts.length === 1 && parts[0] === "") return [];
      const [name = "", role = "", hash = ""] = parts;
      const match = HASH.exec(hash);
      if (parts.length !== 3 || !NAME.test(name) || !isRole(role) || match === null) throw invalid(path, `line ${index + 1} is not "name role sha256:HASH"`, `the role is one of ${roles.join(", ")}`);
      return [{ name, role, hash: Buffer.from(match[1]!, "hex") }];
    });
    return new Tokens(tokens);
  }

  /** Whose token this is. Takes the same time wherever, and whether, it is found. */
  find(token: string): Identity | undefined {
    const hash = hashOf(token);
    let found: StoredToken | undefined;
    for (const candidate of this.#tokens) if (timingSafeEqual(candidate.hash, hash)) found = candidate;
    return found === undefined ? undefined : { name: found.name, role: found.role };
  }
}

/** Makes a token, adds its hash to the file, and returns the token: the only time it can be read. */
export function addToken(path: string, name: string, role: Role): string {
  if (!NAME.test(name)) throw new MillraceError({ code: "TOKEN_NAME_INVALID", message: `"${name}" cannot be a token's name`, hint: "letters, digits, dots, dashes; at most 64" });
  const token = randomBytes(32).toString("base64url");
  const isNew = !existsSync(path);
  appendFileSync(path, `${name} ${role} sha256:${hashOf(token).toString("hex")}\n`, { mode: 0o600 });
  if (isNew) chmodSync(path, 0o600);
  return token;
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function invalid(path: string, what: string, hint: string): MillraceError {
  return new MillraceError({ code: "TOKENS_FILE_INVALID", message: `the tokens file "${path}" cannot be used: ${what}`, hint, location: { file: path, option: "security.rest.tokens-file" } });
}
