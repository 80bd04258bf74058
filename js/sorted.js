// Sorted maps and sets.
import { SortedCursor, findSorted, rankSorted } from './btree.js';
import { EveError, corrupt, unstorable } from './error.js';
import { Handle, iteratorAs } from './handle.js';
import { K, KIND, ORDER } from './kind.js';
import { BTREE_MAP_LEAF, BTREE_SET_LEAF } from './layout.js';
import { released, segment } from './memory.js';
import { mapAs, pathsAs, setAs } from './methods.js';
import { SortedMapOf, SortedSetOf, orderName } from './order.js';
import { decode, decodeAt, decodeExact } from './reader.js';

const ENTRY = 0;
const KEY = 1;
const VALUE = 2;
const TWICE = 3;

// A range is { from | after, to | before, reverse }, all in the collection's order: from and to are part of it, after and before are not.
class Sorted extends Handle {
  constructor(view, low, high, count, rootLow, rootHigh, order, leaf, stride) {
    super(view, low, high, count);
    this._rootLow = rootLow;
    this._rootHigh = rootHigh;
    this._order = order;
    this._leaf = leaf;
    this._stride = stride;
  }

  get size() {
    this._check();
    return this._count;
  }

  /** 'natural', 'reverse', or the keyword or symbol that names the comparator. */
  get order() {
    return orderName(this._order);
  }

  get [ORDER]() {
    return this._order;
  }

  has(key) {
    return this._find(key) >= 0;
  }

  /** The number of entries in a range. */
  count(range) {
    const [from, to] = this._ranks(range);
    return Math.max(0, to - from);
  }

  /** The entry of that rank, from 0 on; a negative one counts from the end. */
  at(index) {
    this._check();
    const i = Math.trunc(index) || 0;
    const rank = i < 0 ? this._count + i : i;
    return new SortedIterator(this, [rank, rank < 0 ? rank : rank + 1, false], this._what, decode).next().value;
  }

  /** The first entry of a range. */
  first(range) {
    return this._iterate(range, this._what).next().value;
  }

  /** The last entry of a range. */
  last(range) {
    const [from, to, reverse] = this._ranks(range);
    return new SortedIterator(this, [from, to, !reverse], this._what, decode).next().value;
  }

  /** The empty one in the same order. Inside a swap. */
  clear() {
    return this._make(this._of([]));
  }

  _find(key) {
    if (this._group.alive !== true) throw released(this._view);
    try {
      return findSorted(this._view, this, key);
    } catch (e) {
      return unstorable(e, -1);
    }
  }

  /** [first rank, rank beyond the last, reverse] of a range. */
  _ranks(range = {}) {
    this._check();
    if (typeof range !== 'object' || range === null) throw new EveError('EVE_ARG', 'a range is an object: { from, after, to, before, reverse }');
    const { from, after, to, before, reverse = false, ...rest } = range;
    const unknown = Object.keys(rest);
    if (unknown.length > 0) throw new EveError('EVE_ARG', `a range has from, after, to, before and reverse, not ${unknown.join(', ')}`);
    if (from !== undefined && after !== undefined) throw new EveError('EVE_ARG', 'a range has either from or after');
    if (to !== undefined && before !== undefined) throw new EveError('EVE_ARG', 'a range has either to or before');
    const first = from !== undefined ? this._before(from) : after !== undefined ? this._upTo(after) : 0;
    const end = to !== undefined ? this._upTo(to) : before !== undefined ? this._before(before) : this._count;
    this._check(); // the keys may have code of their own
    return [first, end, reverse === true];
  }

  /** Number of entries before a key. */
  _before(key) {
    return Math.floor(rankSorted(this._view, this, key) / 2);
  }
  /** The same with the entry of the key. */
  _upTo(key) {
    return Math.ceil(rankSorted(this._view, this, key) / 2);
  }

  _iterate(range, what) {
    return new SortedIterator(this, this._ranks(range), what, decode);
  }

  _each(f) {
    this._check();
    const view = this._view;
    const isMap = this._what === ENTRY;
    const cursor = new SortedCursor(view, this, 0, this._count, false);
    while (cursor.next()) {
      const I = cursor.words;
      const i = cursor.at;
      if (f(decode(view, I[i], I[i + 1]), isMap ? decode(view, I[i + 2], I[i + 3]) : undefined) === false) return;
      if (this._group.alive !== true) throw released(view);
    }
  }

  _exact() {
    this._check();
    return new SortedIterator(this, [0, this._count, false], this._what, decodeExact);
  }

  _storedHash() {
    return segment(this._view.memory, this._low, this._high)[(this._low >>> 2) + 3];
  }
}

/** A persistent map whose entries are in the order of their keys. Keys are the same if they compare as equal. */
export class EveSortedMap extends Sorted {
  /** The value of a key; `otherwise` (undefined) if there is none. */
  get(key, otherwise) {
    const p = this._find(key);
    return p < 0 ? otherwise : decodeAt(this._view, p + 2);
  }

  entries(range) {
    return this._iterate(range, ENTRY);
  }
  keys(range) {
    return this._iterate(range, KEY);
  }
  values(range) {
    return this._iterate(range, VALUE);
  }
  [Symbol.iterator]() {
    return this._iterate(undefined, ENTRY);
  }

  _of(entries) {
    return new SortedMapOf(entries, this.order);
  }
}
mapAs(EveSortedMap, 'EveSortedMap');
pathsAs(EveSortedMap);
EveSortedMap.prototype._what = ENTRY;

/** A persistent set whose elements are in their order. Elements are the same if they compare as equal. */
export class EveSortedSet extends Sorted {
  /** The element of the set that compares as equal, if there is one, else `otherwise` (undefined). */
  get(element, otherwise) {
    const p = this._find(element);
    return p < 0 ? otherwise : decodeAt(this._view, p);
  }

  values(range) {
    return this._iterate(range, KEY);
  }
  keys(range) {
    return this._iterate(range, KEY);
  }
  entries(range) {
    return this._iterate(range, TWICE);
  }
  [Symbol.iterator]() {
    return this._iterate(undefined, KEY);
  }

  _of(elements) {
    return new SortedSetOf(elements, this.order);
  }
}
setAs(EveSortedSet, 'EveSortedSet');
EveSortedSet.prototype._what = KEY;

class SortedIterator {
  #coll;
  #what;
  #read;
  #cursor;
  constructor(coll, [from, to, reverse], what, read) {
    this.#coll = coll;
    this.#what = what;
    this.#read = read;
    this.#cursor = new SortedCursor(coll._view, coll, from, to, reverse);
  }
  next() {
    const coll = this.#coll;
    const cursor = this.#cursor;
    const what = this.#what;
    const read = this.#read;
    coll._check();
    if (cursor === null || !cursor.next()) {
      this.#cursor = null;
      return { value: undefined, done: true };
    }
    const view = coll._view;
    const I = cursor.words;
    const i = cursor.at;
    if (what === VALUE) return { value: read(view, I[i + 2], I[i + 3]), done: false };
    const key = read(view, I[i], I[i + 1]);
    const value = what === KEY ? key : [key, what === TWICE ? key : read(view, I[i + 2], I[i + 3])];
    return { value, done: false };
  }
}
iteratorAs(SortedIterator, 'EveSorted');

/** The SORTED_MAP at (lo, hi). */
export function sortedMapAt(view, lo, hi) {
  return at(EveSortedMap, view, lo, hi, BTREE_MAP_LEAF, 4);
}

/** The SORTED_SET at (lo, hi). */
export function sortedSetAt(view, lo, hi) {
  return at(EveSortedSet, view, lo, hi, BTREE_SET_LEAF, 2);
}

function at(type, view, lo, hi, leaf, stride) {
  const I = segment(view.memory, lo, hi);
  const o = lo >>> 2;
  const count = I[o + 2] >>> 0;
  const [rootLow, rootHigh] = [I[o + 4], I[o + 5]];
  if (!view.memory.holds(count * 4 * stride) || (count === 0) !== (rootLow === 0 && rootHigh === 0)) {
    throw corrupt('a sorted collection with an impossible count', lo, hi);
  }
  return new type(view, lo, hi, count, rootLow, rootHigh, orderAt(view, I[o + 8], I[o + 9], lo, hi), leaf, stride);
}

function orderAt(view, orderLow, orderHigh, lo, hi) {
  if (orderLow === 0 && orderHigh === 0) return null;
  // Not a pointer: that could lead here again.
  const order = (orderLow & 15) === 0 ? null : decode(view, orderLow, orderHigh);
  if (order !== -1 && order?.[KIND] !== K.KEYWORD && order?.[KIND] !== K.SYMBOL) throw corrupt('a sorted collection has no order', lo, hi);
  return order;
}
