// Clojure's `compare`, the natural order of values: nil first; numbers by value across their types, beside a double as doubles; strings by UTF-16 units;
// keywords and symbols by namespace (none first), then name; vectors by length, then by element. What has no order is an error.
import { EveError, typeError } from './error.js';
import { K, ORDER } from './kind.js';
import { elements, kindIn, sameWord, sizeOf } from './value.js';
import { enter, leave, recall, remember } from './walk.js';

/** Longest integer whose decimal digits are asked for, or that is a part of a ratio or decimal, in bits: their arithmetic takes more than linear time. */
const DIGITS_BITS_MAX = 1 << 20;

const NAMES = [
  'nil', 'a boolean', 'an integer', 'a double', 'a char', 'a string', 'a keyword', 'a symbol', 'a big integer', 'a ratio', 'a decimal', 'a UUID', 'a date',
  'an instant', 'a byte array', 'a map', 'a set', 'a vector', 'a list',
];

/** Negative, 0 or positive, as a is before, the same as or beyond b. A NaN is 0 beside any number, as in Clojure. */
export function compare(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return signOf(a, b);
  if (typeof a === 'string' && typeof b === 'string') return signOf(a, b);
  const x = kindIn(a);
  const y = kindIn(b);
  if (a === b || sameWord(a, b)) return 0;
  if (x === K.NIL) return -1;
  if (y === K.NIL) return 1;
  if (isNumber(x) && isNumber(y)) return compareNumbers(x, a, y, b);
  if (x !== y) throw noOrder(x, y);
  switch (x) {
    case K.BOOL: return signOf(a, b);
    case K.CHAR: return signOf(a.code, b.code);
    case K.KEYWORD:
    case K.SYMBOL:
      return compareNames(a, b);
    case K.UUID: return signOf(signed(a.high), signed(b.high)) || signOf(signed(a.low), signed(b.low));
    case K.DATE: return signOf(a.getTime(), b.getTime());
    case K.INSTANT: return signOf(a.seconds, b.seconds) || signOf(a.nanoseconds, b.nanoseconds);
    case K.VECTOR: return compareVectors(a, b);
    case K.MAP:
    case K.SET:
    case K.LIST:
      // The empty one is one value; what else there may be two of has no order.
      if (isEmpty(a) && isEmpty(b)) return 0;
  }
  throw noOrder(x, y);
}

/** Throws if no value compares with `x`, which could be the only one of a collection. */
export function checkComparable(x) {
  const kind = kindIn(x);
  if (kind === K.MAP || kind === K.SET || kind === K.LIST || kind === K.BYTES) throw noOrder(kind, kind);
}

/** Order of two keywords or two symbols. */
export function compareNames(a, b) {
  if (a.namespace !== b.namespace) {
    if (a.namespace === null) return -1;
    if (b.namespace === null) return 1;
    return signOf(a.namespace, b.namespace);
  }
  return signOf(a.name, b.name);
}

function noOrder(x, y) {
  return typeError(`can't compare ${NAMES[x]} with ${NAMES[y]}`);
}

function signOf(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function signed(n) {
  return BigInt.asIntN(64, n);
}

function isEmpty(x) {
  return sizeOf(kindIn(x), x) === 0 && x[ORDER] === undefined;
}

function compareVectors(a, b) {
  const n = sizeOf(K.VECTOR, a);
  if (n !== sizeOf(K.VECTOR, b)) return signOf(n, sizeOf(K.VECTOR, b));
  if (recall(a, b) !== undefined) return 0;
  const start = enter(a);
  try {
    const others = elements(b)[Symbol.iterator]();
    for (const e of elements(a)) {
      const order = compare(e, others.next().value);
      if (order !== 0) return order;
    }
    return remember(0, start, n, a, b);
  } finally {
    leave();
  }
}

// ---- numbers ----

function isNumber(kind) {
  return kind === K.INT || kind === K.DOUBLE || kind === K.RATIO || kind === K.DECIMAL;
}

function compareNumbers(x, a, y, b) {
  if (x === K.DOUBLE || y === K.DOUBLE) return signOf(toDouble(x, a), toDouble(y, b));
  if (x === K.INT && y === K.INT) return signOf(a, b); // exact, also of a number and a BigInt
  if (x === K.DECIMAL || y === K.DECIMAL) {
    // u / 10^s against n / d is u * d / 10^s against n.
    const [u, s, d] = parts(x, a);
    const [v, t, e] = parts(y, b);
    return compareDecimals(u * e, s, v * d, t);
  }
  const [n, , d] = parts(x, a);
  const [m, , e] = parts(y, b);
  return signOf(n * e, m * d);
}

/** Numerator, scale and denominator of what is no double. */
function parts(kind, x) {
  if (kind === K.INT) return [checkDigits(BigInt(x)), 0, 1n];
  if (kind === K.DECIMAL) return [checkDigits(x.unscaled), x.scale, 1n];
  return [checkDigits(x.numerator), 0, checkDigits(x.denominator)];
}

function checkDigits(n) {
  if (BigInt.asIntN(DIGITS_BITS_MAX, n) !== n) {
    throw new EveError('EVE_LIMIT', `an integer of more than ${DIGITS_BITS_MAX} bits is not compared as or with a ratio or decimal`);
  }
  return n;
}

// The double that Clojure takes beside a double.
function toDouble(kind, x) {
  if (typeof x === 'number') return x;
  switch (kind) {
    case K.INT: return Number(x);
    case K.DOUBLE: return x.value;
    case K.RATIO: return ratioToDouble(x);
    default: return Number(`${checkDigits(x.unscaled)}e${-x.scale}`);
  }
}

// As Clojure's Ratio.doubleValue: the nearest double to the quotient rounded to 16 decimal digits, a half to the even one.
function ratioToDouble(ratio) {
  let n = checkDigits(ratio.numerator);
  let d = checkDigits(ratio.denominator);
  const negative = n < 0n;
  if (negative) n = -n;
  // So that the quotient has 17 or 18 digits.
  const shift = 17 + String(d).length - String(n).length;
  if (shift >= 0) n *= 10n ** BigInt(shift);
  else d *= 10n ** BigInt(-shift);
  const quotient = n / d;
  const dropped = quotient < 10n ** 17n ? 1 : 2;
  const unit = 10n ** BigInt(dropped);
  const rest = quotient % unit;
  const half = unit / 2n;
  let kept = quotient / unit;
  if (rest > half || (rest === half && (quotient * d !== n || (kept & 1n) === 1n))) kept++;
  const x = Number(`${kept}e${dropped - shift}`);
  return negative ? -x : x;
}

// u / 10^s against v / 10^t. By their digits, never by a product with a power of ten: scales may be 2^32 apart.
function compareDecimals(u, s, v, t) {
  if (s === t) return signOf(u, v);
  const bySign = signOf(signOf(u, 0n), signOf(v, 0n));
  if (bySign !== 0 || u === 0n) return bySign;
  const [a, b] = [digits(u), digits(v)];
  const magnitude = signOf(a.length - s, b.length - t) || signOf(a.replace(/0+$/, ''), b.replace(/0+$/, ''));
  return u < 0n ? -magnitude : magnitude;
}

function digits(n) {
  return String(n < 0n ? -n : n);
}
