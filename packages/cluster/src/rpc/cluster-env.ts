import type { Env } from "@millrace/core";

/** The world as cluster processes need it: beside `Env`, names that nobody can guess, and content hashes. */
export interface ClusterEnv extends Env {
  /** Random bytes as lower-case hexadecimal digits, fit for secrets. */
  randomHex(bytes: number): string;
  sha256Hex(bytes: Uint8Array): string;
}
