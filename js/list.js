// Lists.
import { corrupt } from './error.js';
import { Handle, inspectAs, iteratorAs } from './handle.js';
import { K, KIND } from './kind.js';
import { EMPTY_LIST, LIST } from './layout.js';
import { segment } from './memory.js';
import { OP } from './op.js';
import { decode, decodeExact } from './reader.js';

/** A persistent linked list. */
export class EveList extends Handle {
  get length() {
    this._check();
    return this._count;
  }
  get size() {
    this._check();
    return this._count;
  }

  /** The first element; undefined if the list is empty. */
  first() {
    this._check();
    if (this._count === 0) return undefined;
    const I = segment(this._view.memory, this._low, this._high);
    const o = this._low >>> 2;
    return decode(this._view, I[o + 4], I[o + 5]);
  }

  /** The list after the first element; empty if there is none. */
  rest() {
    this._check();
    if (this._count <= 1) return emptyList(this._view);
    const [lo, hi] = restOf(this._view.memory, this._low, this._high, this._count);
    return new EveList(this._view, lo, hi, this._count - 1);
  }

  /** Element `index`, found by walking; `otherwise` (undefined) beyond the end. */
  get(index, otherwise) {
    let found = otherwise;
    this._each((x, i) => (i === index ? ((found = x), false) : true));
    return found;
  }

  /** Is there an element `index`? */
  has(index) {
    this._check();
    return Number.isInteger(index) && index >= 0 && index < this._count;
  }

  forEach(f, self) {
    this._each((x, i) => void f.call(self, x, i, this));
  }

  /** f(accumulator, element, index) over all elements. */
  reduce(f, initial) {
    let acc = initial;
    this._each((x, i) => void (acc = f(acc, x, i)));
    return acc;
  }

  map(f, self) {
    return this.toArray().map((x, i) => f.call(self, x, i, this));
  }

  toArray() {
    const out = [];
    this._each((x) => void out.push(x));
    return out;
  }

  values() {
    return new ListIterator(this, decode);
  }
  [Symbol.iterator]() {
    return new ListIterator(this, decode);
  }

  /** Inside a swap: a list with the elements in front, the last one first, as Clojure's conj. */
  unshift(...elements) {
    return elements.length === 0 ? this : this._apply(OP.CONJ, elements);
  }
  /** Inside a swap: a list without its first element. */
  shift() {
    return this.rest();
  }

  _exact() {
    return new ListIterator(this, decodeExact);
  }

  _each(f) {
    let i = 0;
    for (const x of this) if (f(x, i++) === false) return false;
    return true;
  }

  _storedHash() {
    return this._high === 0 && this._low === EMPTY_LIST ? 0 : segment(this._view.memory, this._low, this._high)[(this._low >>> 2) + 3];
  }
}
EveList.prototype[KIND] = K.LIST;
Object.defineProperty(EveList.prototype, Symbol.toStringTag, { value: 'EveList' });
inspectAs(EveList, 'EveList', (list, limit) => {
  const shown = [];
  list._each((x) => shown.push(x) <= limit);
  return shown;
});

class ListIterator {
  #list;
  #read;
  #left;
  #low;
  #high;
  constructor(list, read) {
    list._check();
    this.#list = list;
    this.#read = read;
    this.#left = list._count;
    this.#low = list._low;
    this.#high = list._high;
  }
  next() {
    const list = this.#list;
    const read = this.#read;
    const lo = this.#low;
    const hi = this.#high;
    list._check();
    if (this.#left === 0) return { value: undefined, done: true };
    const view = list._view;
    [this.#low, this.#high] = restOf(view.memory, lo, hi, this.#left);
    this.#left--;
    const I = segment(view.memory, lo, hi);
    return { value: read(view, I[(lo >>> 2) + 4], I[(lo >>> 2) + 5]), done: false };
  }
}
iteratorAs(ListIterator, 'EveList');

// The word after a cell of a list of `count`. Counts fall by one a cell, so no list is without end.
function restOf(m, lo, hi, count) {
  const I = segment(m, lo, hi);
  const o = lo >>> 2;
  if ((I[o] & 0xff) !== LIST || I[o + 2] >>> 0 !== count) throw corrupt('a bad cell of a list', lo, hi);
  const last = I[o + 6] === EMPTY_LIST && I[o + 7] === 0;
  if (last !== (count === 1)) throw corrupt('a list that ends at the wrong place', lo, hi);
  return [I[o + 6], I[o + 7]];
}

/** The constant (). */
export function emptyList(view) {
  return new EveList(view, EMPTY_LIST, 0, 0);
}

/** The LIST at (lo, hi). */
export function listAt(view, lo, hi) {
  const count = segment(view.memory, lo, hi)[(lo >>> 2) + 2] >>> 0;
  if (!view.memory.holds(count * 32) || count === 0) throw corrupt('a list with an impossible count', lo, hi);
  return new EveList(view, lo, hi, count);
}
