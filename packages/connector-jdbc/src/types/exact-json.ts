/** A number's digits without sign, point, exponent and zeros around them, and the power of ten of the last one: equal for equal values. */
function canonical(text: string): string {
  const [, whole = "", fraction = "", exponent = "0"] = /^-?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const trimmed = digits.replace(/0+$/, "");
  if (trimmed === "") return "0";
  return `${trimmed}e${Number(exponent) - fraction.length + digits.length - trimmed.length}`;
}

/** Whether a double gives these digits back: what is written is the shortest text of the double it becomes, or the same value. */
export function isExactNumber(text: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && canonical(String(value)) === canonical(text);
}

const NUMBER_OR_STRING = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Numbers that are shorter than this are exact in any case. */
const SAFE_LENGTH = 15;

/** Parses JSON. @throws for a number that a double does not hold, since it would come out as another one */
export function parseExactJson(text: string): unknown {
  for (const [token] of text.matchAll(NUMBER_OR_STRING)) {
    if (token.startsWith('"') || (token.length <= SAFE_LENGTH && !/[eE]/.test(token)) || isExactNumber(token)) continue;
    throw new Error(`the number ${token} in it does not fit a double; use types: { json: "text" }`);
  }
  return JSON.parse(text) as unknown;
}

/** The JSON text of a value. @throws for what JSON has no form for, which would be left out or become null */
export function exactJsonText(value: unknown): string {
  const text = JSON.stringify(value, function (this: unknown, key: string, changed: unknown) {
    const member = key === "" ? value : (this as Record<string, unknown>)[key];
    const kind = typeof member;
    const at = key === "" ? "" : ` ("${key}")`;
    if (kind === "number" && !Number.isFinite(member)) throw new Error(`JSON has no ${String(member)}${at}`);
    if (kind === "number" && Object.is(member, -0)) throw new Error(`JSON text of -0 is 0${at}`);
    if (kind === "bigint" || kind === "function" || kind === "symbol") throw new Error(`JSON has no ${kind}${at}`);
    if (member === undefined && (key === "" || Array.isArray(this))) throw new Error(`JSON has no undefined${at}`);
    if (member instanceof Map || member instanceof Set || ArrayBuffer.isView(member)) throw new Error(`JSON has no ${member.constructor.name}${at}`);
    return changed;
  }) as string | undefined;
  if (text === undefined) throw new Error("JSON has no undefined");
  return text;
}
