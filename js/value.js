// Clojure's `=` and `hash` for any mixture of JavaScript values and handles.
import { Unstorable, typeError } from './error.js';
import { foldLong, hashBigInt, hashBytes, hashDouble, hashEntry, hashSafeInteger, hashString, mixCollection } from './hash.js';
import { K, KIND, ORDER, describe, isHandle, kindOf } from './kind.js';
import { keyword } from './types.js';
import { enter, leave, recall, remember } from './walk.js';

const { imul } = Math;

/** The kind of a value that can be stored; throws for others. */
export function kindIn(x) {
  const kind = kindOf(x);
  if (kind < 0) throw new Unstorable(`${describe(x)} is not a value of eve`);
  return kind;
}

/** The elements of a sequence or set, doubles told apart. */
export function elements(x) {
  return isHandle(x) ? x._exact() : x;
}

/** The entries of a map, doubles told apart. */
export function entries(x) {
  return x[KIND] !== undefined ? x._exact() : x instanceof Map ? x : Object.entries(x);
}

/** The pairs of a map, an iterable of pairs, or a plain object. */
export function pairsOf(x) {
  const iterable = x?.[KIND] !== K.MAP && typeof x?.[Symbol.iterator] === 'function';
  return Array.from(iterable ? x : entries(x), ([k, v]) => [k, v]);
}

/** Number of elements of a collection. */
export function sizeOf(kind, x) {
  if (isHandle(x)) return x._count;
  if (kind === K.MAP) return x[KIND] !== undefined || x instanceof Map ? x.size : Object.keys(x).length;
  return x.size ?? x.length ?? x.elements.length;
}

/** Clojure's hash of a value, an int32. */
export function hash(x) {
  const kind = kindIn(x);
  switch (kind) {
    case K.NIL: return 0;
    case K.BOOL: return x ? 1231 : 1237;
    case K.INT: return typeof x === 'number' ? hashSafeInteger(x) : hashBigInt(x);
    case K.DOUBLE: return hashDouble(typeof x === 'number' ? x : x.value);
    case K.CHAR: return x.code;
    case K.STRING: return hashString(x);
    case K.DATE: return foldLong(BigInt(x.getTime()));
    case K.BYTES: return hashBytes(x);
    case K.MAP:
    case K.SET:
    case K.VECTOR:
    case K.LIST:
      return (isHandle(x) && x._storedHash()) || hashCollection(kind, x);
    default: return x._hash;
  }
}

function hashCollection(kind, x) {
  const known = recall(x);
  if (known !== undefined) return known;
  let h = kind === K.VECTOR || kind === K.LIST ? 1 : 0;
  let n = 0;
  const start = enter(x);
  try {
    if (kind === K.MAP) for (const [k, v] of entries(x)) { h = (h + hashEntry(hash(k), hash(v))) | 0; n++; }
    else if (kind === K.SET) for (const e of elements(x)) { h = (h + hash(e)) | 0; n++; }
    else for (const e of elements(x)) { h = (imul(31, h) + hash(e)) | 0; n++; }
    return remember(mixCollection(h, n), start, n, x);
  } finally {
    leave();
  }
}

/** Clojure's `=`. The integer 1 and the double 1.0 differ; arrays equal vectors and lists; plain objects equal maps with string keys. */
export function equal(a, b) {
  if (a === b && typeof a !== 'number') return true;
  const kind = kindIn(a);
  const other = kindIn(b);
  if (kind !== other) return (kind === K.VECTOR && other === K.LIST) || (kind === K.LIST && other === K.VECTOR) ? equalCollections(K.VECTOR, a, b, equalElements) : false;
  switch (kind) {
    case K.INT:
      // eslint-disable-next-line eqeqeq -- a number and a BigInt may be the same integer
      return a == b;
    case K.DOUBLE: return (typeof a === 'number' ? a : a.value) === (typeof b === 'number' ? b : b.value);
    case K.CHAR: return a.code === b.code;
    case K.RATIO: return a.numerator === b.numerator && a.denominator === b.denominator;
    case K.DECIMAL: return a._equal(b);
    case K.UUID: return a.high === b.high && a.low === b.low;
    case K.DATE: return a.getTime() === b.getTime();
    case K.INSTANT: return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
    case K.BYTES: return a.length === b.length && a.every((byte, i) => byte === b[i]);
    case K.MAP:
    case K.SET:
      return equalCollections(kind, a, b, equalEntries);
    case K.VECTOR:
    case K.LIST:
      return equalCollections(kind, a, b, equalElements);
    default: return false; // nil, booleans, strings and names are identical if they are equal
  }
}

/** Are they one word? In one version, or in one transaction, it is one value. (In two, it may have been used again.) */
export function sameWord(a, b) {
  return isHandle(a) && isHandle(b) && a._low === b._low && a._high === b._high && a._view.memory === b._view.memory
    && a._view.version === b._view.version && a._view.txn === b._view.txn;
}

/** Can they not be equal, by their sizes and the hashes that they know? */
function differAtOnce(kind, a, b) {
  if (sizeOf(kind, a) !== sizeOf(kind, b)) return true;
  const h = isHandle(a) && isHandle(b) ? a._storedHash() : 0;
  return h !== 0 && b._storedHash() !== 0 && b._storedHash() !== h;
}

// Of two collections of the same kind, which are not one object.
function equalCollections(kind, a, b, compare) {
  if (differAtOnce(kind, a, b)) return false;
  if (sameWord(a, b)) return true;
  const known = recall(a, b);
  if (known !== undefined) return known;
  const start = enter(a);
  try {
    const answer = compare(kind, a, b);
    return remember(answer, start, sizeOf(kind, a), a, b);
  } finally {
    leave();
  }
}

function equalElements(kind, a, b) {
  const others = elements(b)[Symbol.iterator]();
  for (const e of elements(a)) if (!equal(e, others.next().value)) return false;
  return true;
}

function equalEntries(kind, a, b) {
  if (b[ORDER] !== undefined) {
    if (a[ORDER] === b[ORDER]) return kind === K.MAP ? equalPairs(a, b) : equalElements(kind, a, b);
    // Elements are looked up by hash, never compared: in one that isn't sorted.
    if (a[ORDER] === undefined) [a, b] = [b, a];
  }
  const table = isHandle(b) && b[ORDER] === undefined ? b : tableOf(kind, b);
  if (kind === K.SET) {
    for (const e of elements(a)) if (table._getExact(e, ABSENT) === ABSENT) return false;
    return true;
  }
  for (const [k, v] of entries(a)) {
    const found = table._getExact(k, ABSENT);
    if (found === ABSENT || !equal(found, v)) return false;
  }
  return true;
}

// Of two maps in the same order.
function equalPairs(a, b) {
  const others = entries(b)[Symbol.iterator]();
  for (const [k, v] of entries(a)) {
    const [other, value] = others.next().value;
    if (!equal(k, other) || !equal(v, value)) return false;
  }
  return true;
}

const ABSENT = Symbol('absent');

function tableOf(kind, x) {
  const table = new HashTable();
  if (kind === K.MAP) for (const [k, v] of entries(x)) table.put(k, v);
  else for (const e of elements(x)) table.put(e, e);
  return table;
}

// A table by Clojure's hash and equality.
class HashTable {
  constructor() {
    this.buckets = new Map();
  }
  put(k, v) {
    const h = hash(k);
    const bucket = this.buckets.get(h);
    if (!bucket) this.buckets.set(h, [[k, v]]);
    else {
      const entry = bucket.find((e) => equal(e[0], k));
      if (entry) entry[1] = v;
      else bucket.push([k, v]);
    }
  }
  _getExact(k, absent) {
    const entry = this.buckets.get(hash(k))?.find((e) => equal(e[0], k));
    return entry ? entry[1] : absent;
  }
}

/** The name of an atom: a keyword, or its text. */
export function atomName(x) {
  if (typeof x === 'string' && x !== '') return keyword(x);
  if (typeof x === 'object' && x !== null && x[KIND] === K.KEYWORD) return x;
  throw typeError("the name of an atom is a keyword or a string such as 'app/counter'");
}
