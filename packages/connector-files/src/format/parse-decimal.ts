export const POWERS_OF_TEN: readonly number[] = Array.from({ length: 16 }, (_, i) => 10 ** i);

/**
 * The value of a plain decimal (`-12.50`: sign, at most 15 digits, at most one dot) that lies in `text` from `from` to `to`; `undefined` for anything else.
 *
 * Saves making a string per field. Exact: both the digits as an integer and the power of ten are doubles without error, so their quotient is the correctly
 * rounded value (Clinger, "How to read floating point numbers accurately", 1990).
 */
export function parseDecimal(text: string, from: number, to: number, integer: boolean): number | undefined {
  let i = from;
  const negative = text.charCodeAt(i) === 45;
  if (negative) i++;
  if (to - i > 16) return undefined;
  let digits = 0;
  let count = 0;
  let dot = -1;
  for (; i < to; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      digits = digits * 10 + digit;
      count++;
    } else if (digit === -2 && dot < 0 && !integer) dot = i;
    else return undefined;
  }
  if (count === 0 || count > 15) return undefined;
  const value = dot < 0 ? digits : digits / POWERS_OF_TEN[to - dot - 1]!;
  // The sign of a zero is kept in a number and means nothing in an int.
  return negative && !(integer && value === 0) ? -value : value;
}
