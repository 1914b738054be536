/** The keys behind `key-golden.json`, in its order. Only append: what is there is frozen. */
export function keySamples(): unknown[] {
  const keys: unknown[] = [null, true, false, "", 0, 1, -1, "1", 1n, "0", 0n];
  for (const n of [127, 128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 0.1, -0.1, 1.5, 1e300, 5e-324]) keys.push(n);
  for (const big of [-1n, 2n ** 31n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 128n, -(10n ** 40n)]) keys.push(big);
  for (let i = 0; i < 60; i++) keys.push((i + 1) * 7919, `user-${i}`);
  for (let length = 1; length <= 20; length++) keys.push("abcdefghijklmnopqrstuvwxyz".slice(0, length));
  keys.push("é", "naïve", "ÿÿÿÿÿ", "Ā", "€", "日本語", "日本語です", "\ud83d\ude00", "\ud800", "\udc00", "\ud800a", "a\u0000b", "\u0000", "\ufeff", "x".repeat(1000), "€".repeat(333));
  keys.push(new Date(0), new Date(1_700_000_000_000), new Date(-1), new Date(8.64e15));
  keys.push([], [1], ["1"], [1, 2], [2, 1], [[1], 2], [[1, 2]], ["a", null, true], [[]], [[[]]], ["ab", "c"], ["a", "bc"], [1, "1", 1n]);
  keys.push({}, { a: 1 }, { a: "1" }, { a: 1, b: 2 }, { b: 1, a: 2 }, { a: { b: [1, { c: null }] } }, { "": 0 }, { "€": 1, "\u00e9": 2, z: 3 }, { user: "user-1", day: 20 });
  for (let i = 0; i < 20; i++) keys.push([`user-${i}`, i], { id: i, region: i % 2 === 0 ? "eu" : "us" }, i / 7 + 0.01);
  return keys;
}
