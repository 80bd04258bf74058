// Clojure's `hash` (hasheq), exactly, as int32. Values are taken apart by value.js; here are the numbers.
const { imul } = Math;
const GOLDEN_RATIO = 0x9e3779b9 | 0;

function mixK1(k) {
  k = imul(k, 0xcc9e2d51);
  return imul((k << 15) | (k >>> 17), 0x1b873593);
}

function mixH1(h, k) {
  h ^= k;
  return (imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function fmix(h, length) {
  h ^= length;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Murmur3.hashInt: a step of the hash of strings, not the hash of a number. */
export function hashInt(k) {
  return k === 0 ? 0 : fmix(mixH1(0, mixK1(k)), 4);
}

/** Hash of the integer with these halves, if it fits 64 bits. */
export function hashLong(lo, hi) {
  if ((lo | hi) === 0) return 0;
  // mixH1(mixH1(0, mixK1(lo)), mixK1(hi)) and fmix, written out: calls would use up what the compiler inlines in a look-up.
  let h = imul(lo, 0xcc9e2d51);
  h = imul((h << 15) | (h >>> 17), 0x1b873593);
  let k = imul(hi, 0xcc9e2d51);
  k = imul((k << 15) | (k >>> 17), 0x1b873593);
  h = (imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) ^ k;
  h = (imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) ^ 8;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Hash of an integer that a double holds exactly. */
export function hashSafeInteger(n) {
  const hi = Math.floor(n / 0x100000000);
  return hashLong((n - hi * 0x100000000) | 0, hi | 0);
}

const scratch = new Float64Array(1);
const halves = new Int32Array(scratch.buffer);

/** Hash of a double. Both zeros have 0, all NaNs the same. */
export function hashDouble(x) {
  if (x === 0) return 0;
  if (x !== x) return 0x7ff80000;
  scratch[0] = x;
  return halves[0] ^ halves[1];
}

/** Java's String.hashCode. */
export function javaStringHash(s) {
  let h = 0;
  for (let i = 0; i < s.length; i++) h = (imul(31, h) + s.charCodeAt(i)) | 0;
  return h;
}

/** Hash of a string. */
export function hashString(s) {
  return hashInt(javaStringHash(s));
}

/** Murmur3.hashUnencodedChars. */
export function hashUnencodedChars(s) {
  let h = 0;
  for (let i = 1; i < s.length; i += 2) h = mixH1(h, mixK1(s.charCodeAt(i - 1) | (s.charCodeAt(i) << 16)));
  if ((s.length & 1) === 1) h ^= mixK1(s.charCodeAt(s.length - 1));
  return fmix(h, 2 * s.length);
}

/** Clojure's Util.hashCombine. */
export function hashCombine(seed, hash) {
  return seed ^ (hash + GOLDEN_RATIO + (seed << 6) + (seed >> 2));
}

/** Hash of a symbol; `namespace` is null if it has none. */
export function hashSymbol(namespace, name) {
  return hashCombine(hashUnencodedChars(name), namespace === null ? 0 : javaStringHash(namespace));
}

/** Hash of a keyword. */
export function hashKeyword(namespace, name) {
  return (hashSymbol(namespace, name) + GOLDEN_RATIO) | 0;
}

/** Murmur3.mixCollHash. */
export function mixCollection(hash, count) {
  return fmix(mixH1(0, mixK1(hash)), count);
}

/** Hash of a map's entry. */
export function hashEntry(keyHash, valueHash) {
  return mixCollection((imul(imul(31, 1) + keyHash, 31) + valueHash) | 0, 2);
}

/** BigInteger.hashCode. */
export function javaBigIntHash(n) {
  let rest = n < 0n ? -n : n;
  const digits = [];
  for (; rest !== 0n; rest >>= 32n) digits.push(Number(rest & 0xffffffffn) | 0);
  let h = 0;
  for (let i = digits.length - 1; i >= 0; i--) h = (imul(31, h) + digits[i]) | 0;
  return n < 0n ? -h | 0 : h;
}

/** Hash of an integer of any size. */
export function hashBigInt(n) {
  if (BigInt.asIntN(64, n) !== n) return javaBigIntHash(n);
  return hashLong(Number(BigInt.asIntN(32, n)), Number(BigInt.asIntN(32, n >> 32n)));
}

/** Long.hashCode of a BigInt of 64 bits. */
export function foldLong(n) {
  return Number(BigInt.asIntN(32, n ^ (n >> 32n)));
}

/** Arrays.hashCode of bytes: they are values in a slab, so equal contents hash alike. */
export function hashBytes(bytes) {
  let h = 1;
  for (let i = 0; i < bytes.length; i++) h = (imul(31, h) + ((bytes[i] << 24) >> 24)) | 0;
  return h;
}
