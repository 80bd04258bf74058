// Orders of sorted maps and sets, and those that are given to be stored. Inside, an order is null (natural), -1 (its reverse), or the keyword or symbol that
// names a comparator.
import { checkComparable, compare } from './compare.js';
import { typeError } from './error.js';
import { K, KIND, ORDER } from './kind.js';
import { elements, kindIn, pairsOf } from './value.js';

const comparators = new Map();

/**
 * Gives this environment the comparator of a name: f(a, b) is negative, 0 or positive, as a is before, the same as or beyond b. Every program that uses such
 * a collection needs the same function: the slab has its name only.
 */
export function registerComparator(name, f) {
  if (!isName(name)) throw typeError('the name of a comparator is a keyword or symbol of eve');
  if (typeof f !== 'function') throw typeError('a comparator is a function of two values');
  comparators.set(name, f);
}

function isName(x) {
  return typeof x === 'object' && x !== null && (x[KIND] === K.KEYWORD || x[KIND] === K.SYMBOL);
}

/** The comparator of that name, which gives numbers only. */
export function comparatorOf(name) {
  const f = comparators.get(name);
  if (f === undefined) {
    throw typeError(`the order of the comparator ${name} is needed: registerComparator tells it. Without it such a collection is only read in its order`);
  }
  return (a, b) => {
    const order = f(a, b);
    if (typeof order !== 'number' || order !== order) throw typeError(`the comparator ${name} gave ${String(order)}, not a number`);
    return order;
  };
}

/** An order as it is named to users, from what it is inside. */
export function orderName(order) {
  return order === null ? 'natural' : order === -1 ? 'reverse' : order;
}

function orderOf(name) {
  if (name === 'natural') return null;
  if (name === 'reverse') return -1;
  if (isName(name)) return name;
  throw typeError("an order is 'natural', 'reverse', or the keyword or symbol of a comparator");
}

function comparer(order) {
  if (order === null) return compare;
  if (order === -1) return (a, b) => compare(b, a);
  return comparatorOf(order);
}

// The entries in order; of those with the same key the first key, the last value.
function sorted(entries, order) {
  if (entries.length === 0) return entries;
  for (const [key] of entries) kindIn(key); // throws for what no slab can hold
  const by = comparer(order);
  if (entries.length === 1) {
    if (order === null || order === -1) checkComparable(entries[0][0]);
    else by(entries[0][0], entries[0][0]);
  }
  entries.sort((a, b) => by(a[0], b[0]));
  const out = [];
  for (const [key, value] of entries) {
    const last = out.at(-1);
    if (last !== undefined && by(last[0], key) === 0) last[1] = value;
    else out.push([key, value]);
  }
  return out;
}

/** Entries to be stored as a sorted map. Iterable, in order. */
export class SortedMapOf {
  #entries;
  #order;
  constructor(entries, order) {
    this.#order = orderOf(order);
    this.#entries = sorted(pairsOf(entries), this.#order);
  }
  get order() {
    return orderName(this.#order);
  }
  get size() {
    return this.#entries.length;
  }
  *[Symbol.iterator]() {
    for (const [k, v] of this.#entries) yield [k, v];
  }
  get [ORDER]() {
    return this.#order;
  }
  _exact() {
    return this.#entries;
  }
}
SortedMapOf.prototype[KIND] = K.MAP;

/** Values to be stored as a sorted set. Iterable, in order. */
export class SortedSetOf {
  #values;
  #order;
  constructor(values, order) {
    this.#order = orderOf(order);
    this.#values = sorted(Array.from(elements(values), (x) => [x, null]), this.#order).map((e) => e[0]);
  }
  get order() {
    return orderName(this.#order);
  }
  get size() {
    return this.#values.length;
  }
  [Symbol.iterator]() {
    return this.#values.values();
  }
  get [ORDER]() {
    return this.#order;
  }
}
SortedSetOf.prototype[KIND] = K.SET;

/** sortedMap([[k, v], ...]), sortedMap(map), sortedMap({ ... }) is stored as a sorted map. */
export function sortedMap(entries = [], order = 'natural') {
  return new SortedMapOf(entries, order);
}

/** sortedSet([x, ...]) is stored as a sorted set. */
export function sortedSet(values = [], order = 'natural') {
  return new SortedSetOf(values, order);
}
