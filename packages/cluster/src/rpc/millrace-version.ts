import { MillraceError } from "@millrace/core";

/** The version of this library; every package of it has the same. */
export const MILLRACE_VERSION = "0.1.0";

/** Neighbouring releases of one major version work together (0.1.x with 0.2.x), others do not. @throws `RPC_MILLRACE_VERSION` */
export function checkMillraceVersion(other: string, who: string, own: string = MILLRACE_VERSION): void {
  const [major, minor] = numbers(own);
  const [otherMajor, otherMinor] = numbers(other);
  if (otherMajor === major && Math.abs(otherMinor - minor) <= 1) return;
  throw new MillraceError({
    code: "RPC_MILLRACE_VERSION", message: `${who} runs Millrace ${other.slice(0, 30)}, this side ${own}`,
    hint: "releases whose second number differs by one at most work together; upgrade step by step",
  });
}

function numbers(version: string): readonly [number, number] {
  const [, major, minor] = /^(\d{1,6})\.(\d{1,6})\./.exec(version) ?? [];
  return [Number(major ?? Number.NaN), Number(minor ?? Number.NaN)];
}

/** Versions of one release differ in the last number only. */
export function releaseOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
