// Values that JavaScript has no type for. All are immutable.
import { foldLong, hashKeyword, hashSymbol, javaBigIntHash } from './hash.js';
import { typeError } from './error.js';
import { DESCRIPTOR, INSPECT, KIND, K } from './kind.js';
import { DESC_KEYWORD, DESC_SYMBOL } from './layout.js';
import { instantText } from './time.js';

class Named {
  constructor(namespace, name, hash) {
    this.namespace = namespace;
    this.name = name;
    this._hash = hash;
    this._memory = null; // the slab whose word is cached, and its low half
    this._low = 0;
  }
  /** "ns/name" or "name". */
  get fullName() {
    return this.namespace === null ? this.name : `${this.namespace}/${this.name}`;
  }
  toJSON() {
    return this.fullName;
  }
  [INSPECT]() {
    return this.toString();
  }
}

/** A keyword. There is one object of a name in a process: compare with ===. */
export class Keyword extends Named {
  toString() {
    return `:${this.fullName}`;
  }
}
Keyword.prototype[KIND] = K.KEYWORD;
Keyword.prototype[DESCRIPTOR] = DESC_KEYWORD;

/** A symbol. There is one object of a name in a process: compare with ===. */
export class EveSymbol extends Named {
  toString() {
    return this.fullName;
  }
}
EveSymbol.prototype[KIND] = K.SYMBOL;
EveSymbol.prototype[DESCRIPTOR] = DESC_SYMBOL;

const keywords = new Map();
const symbols = new Map();

function intern(table, make, hash, namespace, name) {
  if (typeof name !== 'string' || (namespace !== null && typeof namespace !== 'string')) throw typeError('the name of a keyword or symbol is a string');
  const key = namespace === null ? `,${name}` : `${namespace.length},${namespace}${name}`;
  let x = table.get(key);
  if (x === undefined) {
    x = new make(namespace, name, hash(namespace, name));
    table.set(key, x);
  }
  return x;
}

// As Clojure: at the first slash, unless it is the first character.
function split(text) {
  const i = typeof text === 'string' ? text.indexOf('/') : -1;
  return i > 0 ? [text.slice(0, i), text.slice(i + 1)] : [null, text];
}

/** keyword('name'), keyword('ns/name') or keyword('ns', 'name'). */
export function keyword(namespace, name) {
  if (namespace instanceof Keyword) return namespace;
  const [ns, n] = name === undefined ? split(namespace) : [namespace, name];
  return intern(keywords, Keyword, hashKeyword, ns, n);
}

/** symbol('name'), symbol('ns/name') or symbol('ns', 'name'). */
export function symbol(namespace, name) {
  if (namespace instanceof EveSymbol) return namespace;
  const [ns, n] = name === undefined ? split(namespace) : [namespace, name];
  return intern(symbols, EveSymbol, hashSymbol, ns, n);
}

/** The keyword or symbol of exactly this namespace (or null) and name. */
export function exactly(kind, namespace, name) {
  return kind === 0 ? intern(keywords, Keyword, hashKeyword, namespace, name) : intern(symbols, EveSymbol, hashSymbol, namespace, name);
}

/** kw`ns/name` */
export function kw(strings, ...values) {
  return keyword(String.raw({ raw: strings }, ...values));
}

/** A character: one UTF-16 unit, as in Java. */
export class Char {
  constructor(c) {
    const code = typeof c === 'number' ? c : typeof c === 'string' && c.length === 1 ? c.charCodeAt(0) : NaN;
    if (!(code >= 0 && code <= 0xffff && Number.isInteger(code))) throw typeError('a Char is a string of length 1 or a number from 0 to 65535');
    this.code = code;
    Object.freeze(this);
  }
  toString() {
    return String.fromCharCode(this.code);
  }
  toJSON() {
    return this.toString();
  }
}
Char.prototype[KIND] = K.CHAR;

/** Stores a number as a double even if it is integral. */
export class Double {
  constructor(value) {
    if (typeof value !== 'number') throw typeError('double() takes a number');
    this.value = value;
    Object.freeze(this);
  }
  valueOf() {
    return this.value;
  }
  toString() {
    return String(this.value);
  }
  toJSON() {
    return this.value;
  }
}
Double.prototype[KIND] = K.DOUBLE;

/** double(1) is stored as 1.0; the number 1 as the integer 1. */
export function double(value) {
  return new Double(value);
}

function gcd(a, b) {
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

/** A fraction in lowest terms with a denominator above 1. */
export class Ratio {
  constructor(numerator, denominator) {
    let n = BigInt(numerator);
    let d = BigInt(denominator);
    if (d === 0n) throw typeError('the denominator of a Ratio is 0');
    const g = d < 0n ? -gcd(n, d) : gcd(n, d);
    n /= g;
    d /= g;
    if (d === 1n) throw typeError(`${n}/1 is an integer, not a Ratio`);
    this.numerator = n;
    this.denominator = d;
    Object.freeze(this);
  }
  valueOf() {
    return Number(this.numerator) / Number(this.denominator);
  }
  toString() {
    return `${this.numerator}/${this.denominator}`;
  }
  toJSON() {
    return this.toString();
  }
  get _hash() {
    return javaBigIntHash(this.numerator) ^ javaBigIntHash(this.denominator);
  }
}
Ratio.prototype[KIND] = K.RATIO;

// Without trailing zeros. Bounded by the number of digits.
function strip(unscaled, scale) {
  if (unscaled === 0n) return [0n, 0];
  while (unscaled % 10n === 0n && scale > -0x80000000) {
    unscaled /= 10n;
    scale--;
  }
  return [unscaled, scale];
}

/** unscaled * 10^-scale, as java.math.BigDecimal. */
export class Decimal {
  /** new Decimal('1.50') or new Decimal(150n, 2) */
  constructor(unscaled, scale) {
    if (typeof unscaled === 'string' && scale === undefined) [unscaled, scale] = parseDecimal(unscaled);
    this.unscaled = BigInt(unscaled);
    this.scale = scale ?? 0;
    if ((this.scale | 0) !== this.scale) throw typeError('the scale of a Decimal is an int32');
    Object.freeze(this);
  }
  valueOf() {
    return Number(this.toString());
  }
  /** As BigDecimal.toString. */
  toString() {
    const digits = (this.unscaled < 0n ? -this.unscaled : this.unscaled).toString();
    const sign = this.unscaled < 0n ? '-' : '';
    const { scale } = this;
    if (scale === 0) return sign + digits;
    const adjusted = digits.length - 1 - scale;
    if (scale > 0 && adjusted >= -6) {
      const padded = digits.padStart(scale + 1, '0');
      return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
    }
    const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
    return adjusted === 0 ? sign + mantissa : `${sign}${mantissa}E${adjusted > 0 ? '+' : ''}${adjusted}`;
  }
  toJSON() {
    return this.toString();
  }
  get _hash() {
    const [unscaled, scale] = strip(this.unscaled, this.scale);
    return (Math.imul(31, javaBigIntHash(unscaled)) + scale) | 0;
  }
  /** Same number, whatever the scale. */
  _equal(other) {
    const [a, m] = strip(this.unscaled, this.scale);
    const [b, n] = strip(other.unscaled, other.scale);
    return a === b && m === n;
  }
}
Decimal.prototype[KIND] = K.DECIMAL;

function parseDecimal(text) {
  const m = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!m || !(m[2] || m[3])) throw typeError(`not a decimal: ${text}`);
  const fraction = m[3] ?? '';
  const unscaled = BigInt((m[2] ?? '') + fraction);
  return [m[1] === '-' ? -unscaled : unscaled, fraction.length - Number(m[4] ?? 0)];
}

const UUID_FORM = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i;

/** A UUID: new UUID('...') or new UUID(high, low) with two BigInts of 64 bits. */
export class UUID {
  constructor(high, low) {
    if (low === undefined) {
      const m = UUID_FORM.exec(high);
      if (!m) throw typeError(`not a UUID: ${String(high)}`);
      high = BigInt(`0x${m[1]}${m[2]}${m[3]}`);
      low = BigInt(`0x${m[4]}${m[5]}`);
    }
    this.high = BigInt.asUintN(64, high);
    this.low = BigInt.asUintN(64, low);
    Object.freeze(this);
  }
  toString() {
    const h = this.high.toString(16).padStart(16, '0');
    const l = this.low.toString(16).padStart(16, '0');
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12)}-${l.slice(0, 4)}-${l.slice(4)}`;
  }
  toJSON() {
    return this.toString();
  }
  get _hash() {
    return foldLong(BigInt.asIntN(64, this.high ^ this.low));
  }
}
UUID.prototype[KIND] = K.UUID;

/** A point in time with nanoseconds, as java.time.Instant. */
export class Instant {
  /** @param {bigint | number} seconds since 1970 @param {number} nanoseconds 0 to 999999999 */
  constructor(seconds, nanoseconds = 0) {
    this.seconds = BigInt(seconds);
    this.nanoseconds = nanoseconds;
    if (!(Number.isInteger(nanoseconds) && nanoseconds >= 0 && nanoseconds < 1e9)) throw typeError('the nanoseconds of an Instant are 0 to 999999999');
    if (BigInt.asIntN(64, this.seconds) !== this.seconds) throw typeError('the seconds of an Instant fit 64 bits');
    Object.freeze(this);
  }
  /** Milliseconds are all that a Date has. */
  toDate() {
    return new Date(Number(this.seconds) * 1000 + Math.floor(this.nanoseconds / 1e6));
  }
  /** ISO 8601 with as many digits as needed: 0, 3, 6 or 9. */
  toString() {
    return instantText(this.seconds, this.nanoseconds);
  }
  toJSON() {
    return this.toString();
  }
  get _hash() {
    return (foldLong(this.seconds) + Math.imul(51, this.nanoseconds)) | 0;
  }
}
Instant.prototype[KIND] = K.INSTANT;

/** Elements to be stored as a list; arrays are stored as vectors. */
export class ListOf {
  constructor(elements) {
    this.elements = elements;
    Object.freeze(this);
  }
  [Symbol.iterator]() {
    return this.elements[Symbol.iterator]();
  }
}
ListOf.prototype[KIND] = K.LIST;

/** list(1, 2, 3) is stored as a list. */
export function list(...elements) {
  return new ListOf(elements);
}
