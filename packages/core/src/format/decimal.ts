import { MillraceError } from "../errors/millrace-error.js";

/** The text of a decimal: `decimalText(-1250n, 2)` is `"-12.50"`. Exact; always `scale` digits behind the point. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return (unscaled * 10n ** BigInt(-scale)).toString();
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/**
 * The unscaled value of a decimal: `unscaledDecimal("-12.5", 2)` is `-1250n`. Takes plain decimal text, a `bigint`, or a `number` (by its shortest decimal form).
 * @throws `DECIMAL_INVALID` for what is no decimal, or has more digits behind the point than `scale`, or more in all than `precision`: nothing is rounded
 */
export function unscaledDecimal(value: string | number | bigint, scale: number, precision: number): bigint {
  const text = typeof value === "number" && Number.isInteger(value) ? BigInt(value).toString() : String(value);
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match ?? [];
  if (match === null || whole + fraction === "") throw invalid(text, "it is no decimal number");
  let unscaled = BigInt(whole + fraction);
  const shift = scale - fraction.length + Number(exponent);
  if (shift >= 0) unscaled *= 10n ** BigInt(shift);
  else {
    const factor = 10n ** BigInt(-shift);
    if (unscaled % factor !== 0n) throw invalid(text, `it has more than ${scale} digits behind the point`);
    unscaled /= factor;
  }
  if (unscaled >= 10n ** BigInt(precision)) throw invalid(text, `it has more than ${precision} digits`);
  return sign === "-" ? -unscaled : unscaled;
}

/** The integer that big-endian two's complement bytes stand for. */
export function bigintOfBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

/** Big-endian two's complement: in `length` bytes, or in as few as it takes. @throws RangeError when `length` bytes do not hold it */
export function bytesOfBigint(value: bigint, length?: number): Uint8Array {
  let size = 1;
  while (BigInt.asIntN(size * 8, value) !== value) size++;
  if (length !== undefined && size > length) throw new RangeError(`${value} does not fit into ${length} bytes`);
  const bytes = new Uint8Array(length ?? size);
  let rest = value;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

function invalid(text: string, why: string): MillraceError {
  return new MillraceError({ code: "DECIMAL_INVALID", message: `${JSON.stringify(text.slice(0, 80))} does not fit the decimal: ${why}`, hint: "round it, or give the type more digits" });
}
