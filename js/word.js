// Numbers in words (docs/format.md, section 2) as two int32, by arithmetic: BigInts are 20 times slower.
import { DESC_STRING, INLINE_STRING_MAX } from './layout.js';

const TWO31 = 0x80000000;
const scratch = new Float64Array(1);
const halves = new Int32Array(scratch.buffer);
const pair = new BigInt64Array(scratch.buffer);

// 2^(e - 1075) for the sign and exponent bits: mantissa * POWERS[bits] is the double. Only the exponents of flonums are used.
const POWERS = new Float64Array(4096);
for (let e = 768; e < 1280; e++) {
  POWERS[e] = 2 ** (e - 1075);
  POWERS[e + 2048] = -(2 ** (e - 1075));
}

/** Value of an integer word: a number if it is safe, else a BigInt. */
export function integerOf(lo, hi) {
  if (hi === 0) return lo >>> 1;
  if (hi === -1) return (lo >>> 1) | TWO31;
  if (hi >= -0x400000 && hi < 0x400000 && !(hi === -0x400000 && lo === 1)) return hi * TWO31 + (lo >>> 1);
  return (BigInt(hi) << 31n) + BigInt(lo >>> 1);
}

/** Value of a double word. */
export function flonumOf(lo, hi) {
  const l = (lo & ~3) | (2 - (hi >>> 31));
  const a = (l >>> 3) | (hi << 29);
  const b = (hi >>> 3) | (l << 29);
  return ((b & 0xfffff | 0x100000) * 0x100000000 + (a >>> 0)) * POWERS[b >>> 20];
}

/** The double with these bits. */
export function doubleOfBits(lo, hi) {
  halves[0] = lo;
  halves[1] = hi;
  return scratch[0];
}

/** The integer with these 64 bits: a number if it is safe, else a BigInt. */
export function longOfBits(lo, hi) {
  halves[0] = lo;
  halves[1] = hi;
  return narrow(pair[0]);
}

/** A number if it is safe, else the BigInt. */
export function narrow(n) {
  return n >= -9007199254740991n && n <= 9007199254740991n ? Number(n) : n;
}

/** The BigInt with these 64 bits. */
export function bigOfBits(lo, hi) {
  halves[0] = lo;
  halves[1] = hi;
  return pair[0];
}

/** Low half of the word of a safe integer. */
export function integerLow(n) {
  return ((n - Math.floor(n / TWO31) * TWO31) << 1) | 1;
}

/** High half of the word of a safe integer. */
export function integerHigh(n) {
  return Math.floor(n / TWO31) | 0;
}

/** Text of an inline string, keeping to its 0 to 7 bytes. `decode` is for what isn't ASCII. */
export function inlineText(lo, hi, decode) {
  const n = ((lo & 0xff) - DESC_STRING) >> 3;
  const a = (lo >>> 8) & 0xff;
  const b = (lo >>> 16) & 0xff;
  const c = lo >>> 24;
  const d = hi & 0xff;
  const e = (hi >>> 8) & 0xff;
  const f = (hi >>> 16) & 0xff;
  const g = hi >>> 24;
  if ((a | b | c | d | e | f | g) > 127) return decode(Uint8Array.of(a, b, c, d, e, f, g).subarray(0, n), 0, n);
  switch (n) {
    case 0: return '';
    case 1: return String.fromCharCode(a);
    case 2: return String.fromCharCode(a, b);
    case 3: return String.fromCharCode(a, b, c);
    case 4: return String.fromCharCode(a, b, c, d);
    case 5: return String.fromCharCode(a, b, c, d, e);
    case 6: return String.fromCharCode(a, b, c, d, e, f);
    default: return String.fromCharCode(a, b, c, d, e, f, g);
  }
}

/** Is this the descriptor of an inline string? */
export function isInlineText(lo) {
  return (lo & 0xc7) === DESC_STRING && ((lo & 0xff) - DESC_STRING) >> 3 <= INLINE_STRING_MAX;
}
