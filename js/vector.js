// Vectors.
import { corrupt, typeError, unstorable } from './error.js';
import { Handle, inspectAs, iteratorAs } from './handle.js';
import { K, KIND } from './kind.js';
import { EMPTY_VECTOR, VECTOR_NODE, VECTOR_WIDTH } from './layout.js';
import { indexAt, place, released, segment, wordsAt } from './memory.js';
import { pathsAs } from './methods.js';
import { OP } from './op.js';
import { decode, decodeAt, decodeExact, decodeNear } from './reader.js';
import { equal } from './value.js';

const LAST = VECTOR_WIDTH - 1;

/** A persistent vector, array-like. */
export class EveVector extends Handle {
  constructor(view, low, high, count, shift, rootLow, rootHigh, tailLow, tailHigh) {
    super(view, low, high, count);
    this._shift = shift;
    this._rootLow = rootLow;
    this._rootHigh = rootHigh;
    this._tailLow = tailLow;
    this._tailHigh = tailHigh;
  }

  get length() {
    this._check();
    return this._count;
  }
  get size() {
    this._check();
    return this._count;
  }

  /** Element `index`; `otherwise` (undefined) beyond the ends. */
  get(index, otherwise) {
    if (this._group.alive !== true) throw released(this._view);
    if (typeof index !== 'number' || index >>> 0 !== index || index >= this._count) return otherwise;
    const view = this._view;
    const at = nearElement(view.memory, this, index);
    return at < 0 ? decodeAt(view, elementPlace(view.memory, this, index)) : decodeNear(view, at);
  }

  /** Element `index`; a negative one counts from the end. */
  at(index) {
    const i = Math.trunc(index) || 0;
    return this.get(i < 0 ? this._count + i : i);
  }

  /** Is there an element `index`? */
  has(index) {
    this._check();
    return Number.isInteger(index) && index >= 0 && index < this._count;
  }

  forEach(f, self) {
    this._each(decode, 0, this._count, (x, i) => void f.call(self, x, i, this));
  }

  /** f(accumulator, element, index, this); without `initial` it starts with the first element. */
  reduce(f, ...initial) {
    this._check();
    if (initial.length === 0 && this._count === 0) throw typeError('reduce of an empty vector without an initial value');
    return initial.length > 0 ? this._reduce(f, initial[0], 0) : this._reduce(f, this.get(0), 1);
  }

  map(f, self) {
    const out = new Array(this._count);
    this._each(decode, 0, this._count, (x, i) => void (out[i] = f.call(self, x, i, this)));
    return out;
  }
  filter(f, self) {
    const out = [];
    this._each(decode, 0, this._count, (x, i) => void (f.call(self, x, i, this) && out.push(x)));
    return out;
  }
  find(f, self) {
    let found;
    this._each(decode, 0, this._count, (x, i) => (f.call(self, x, i, this) ? ((found = x), false) : true));
    return found;
  }
  findIndex(f, self) {
    let found = -1;
    this._each(decode, 0, this._count, (x, i) => (f.call(self, x, i, this) ? ((found = i), false) : true));
    return found;
  }
  some(f, self) {
    return this.findIndex((x, i) => f.call(self, x, i, this)) >= 0;
  }
  every(f, self) {
    return this.findIndex((x, i) => !f.call(self, x, i, this)) < 0;
  }
  /** Index of the first element equal to `x` by Clojure's equality, or -1. */
  indexOf(x) {
    let found = -1;
    try {
      this._each(decodeExact, 0, this._count, (y, i) => (equal(x, y) ? ((found = i), false) : true));
    } catch (e) {
      return unstorable(e, -1);
    }
    return found;
  }
  includes(x) {
    return this.indexOf(x) >= 0;
  }
  /** An array of the elements from `start` up to `end`, as Array.prototype.slice. */
  slice(start, end) {
    const from = within(this._count, start);
    const to = end === undefined ? this._count : within(this._count, end);
    const out = [];
    this._each(decode, from, to, (x) => void out.push(x));
    return out;
  }
  /** An array of the elements; those that are collections stay handles (toJS copies all). */
  toArray() {
    return this.slice();
  }
  join(separator = ',') {
    return this.toArray().join(separator);
  }

  values() {
    return new VectorIterator(this, 1);
  }
  keys() {
    return new VectorIterator(this, 0);
  }
  entries() {
    return new VectorIterator(this, 2);
  }
  [Symbol.iterator]() {
    return new VectorIterator(this, 1);
  }

  /** Inside a swap: a vector with element `index` replaced; `index` may be the length. */
  set(index, value) {
    if (!(Number.isInteger(index) && index >= 0 && index <= this._count)) throw typeError(`index ${index} is not within the vector of ${this._count}`);
    return this._apply(OP.ASSOC, [index, value]);
  }
  /** Inside a swap: a vector with the elements at its end. */
  push(...elements) {
    return elements.length === 0 ? this : this._apply(OP.CONJ, elements);
  }
  /** Inside a swap: a vector with the elements of iterables at its end. */
  concat(...others) {
    return this.push(...others.flatMap((other) => [...other]));
  }
  /** Inside a swap: a vector without its last element. */
  pop() {
    if (this._count === 0) throw typeError('pop of an empty vector');
    return this._apply(OP.POP, []);
  }
  /** Inside a swap: a vector with element `index` replaced by f(it, ...args). */
  update(index, f, ...args) {
    return this.set(index, f(this.get(index), ...args));
  }
  /** The empty vector. */
  clear() {
    this._check();
    return emptyVector(this._view);
  }

  _exact() {
    return new VectorIterator(this, 1, decodeExact);
  }

  _each(read, from, to, f) {
    this._check();
    const view = this._view;
    const m = view.memory;
    for (let i = from; i < to; ) {
      const [I, o] = leafOf(m, this, i);
      const end = Math.min(to, (i & ~LAST) + VECTOR_WIDTH);
      for (let k = o + 2 * (i & LAST); i < end; i++, k += 2) {
        if (f(read(view, I[k], I[k + 1]), i) === false) return false;
        if (this._group.alive !== true) throw released(view);
      }
    }
    return true;
  }

  _reduce(f, initial, from) {
    const view = this._view;
    const group = this._group;
    const n = this._count;
    let acc = initial;
    for (let i = from; i < n; ) {
      const [I, o] = leafOf(view.memory, this, i);
      const end = Math.min(n, (i & ~LAST) + VECTOR_WIDTH);
      for (let k = o + 2 * (i & LAST); i < end; i++, k += 2) {
        acc = f(acc, decode(view, I[k], I[k + 1]), i, this);
        if (group.alive !== true) throw released(view);
      }
    }
    return acc;
  }

  _storedHash() {
    return this._high === 0 && this._low === EMPTY_VECTOR ? 0 : segment(this._view.memory, this._low, this._high)[(this._low >>> 2) + 10];
  }
}
pathsAs(EveVector);
EveVector.prototype[KIND] = K.VECTOR;
Object.defineProperty(EveVector.prototype, Symbol.toStringTag, { value: 'EveVector' });
inspectAs(EveVector, 'EveVector', (vector, limit) => Object.assign(vector.slice(0, limit), vector._count > limit ? { length: vector._count } : null));

// An end of a slice of n elements, as Array.prototype.slice takes it: a negative one counts from the end.
function within(n, end) {
  const i = Math.trunc(end) || 0;
  return i < 0 ? Math.max(0, n + i) : Math.min(i, n);
}

/**
 * Place of element `index`, which is below the count. Nodes are checked by their offset only: their headers lie on other cache lines than the words
 * looked for, and reading them too takes 5 times as long. In a damaged slab this finds some word, which is checked as every word.
 */
export function elementPlace(m, v, index) {
  const near = nearElement(m, v, index);
  if (near >= 0) return near;
  const inTail = index >= ((v._count - 1) & ~LAST);
  return inTail ? farPlace(m, v._tailLow, v._tailHigh, index, 0) : farPlace(m, v._rootLow, v._rootHigh, index, v._shift);
}

// The same, if the whole way to it is in segment 0, below the limit known; else -1. Always a small integer: places are that or large ones, and the compiler
// would make doubles of both.
function nearElement(m, v, index) {
  const I = m.I0;
  const limit = m.L0;
  let lo = v._tailLow;
  let hi = v._tailHigh;
  let shift = 0;
  if (index < ((v._count - 1) & ~LAST)) {
    lo = v._rootLow;
    hi = v._rootHigh;
    shift = v._shift;
  }
  // As `segment` checks, with what doesn't change held in registers.
  while (hi === 0 && ((lo >>> 4) | (lo << 28)) >>> 0 < limit) {
    const at = (lo >>> 2) + 4 + 2 * ((index >>> shift) & LAST);
    if (shift === 0) return at;
    shift -= 5;
    lo = I[at];
    hi = I[at + 1];
  }
  return -1;
}

function farPlace(m, lo, hi, index, shift) {
  for (; ; shift -= 5) {
    const I = segment(m, lo, hi);
    const at = (lo >>> 2) + 4 + 2 * ((index >>> shift) & LAST);
    if (shift === 0) return place(hi, at);
    lo = I[at];
    hi = I[at + 1];
  }
}

// The words of the leaf of element `index`, and the index of its first; all elements of it that are below the count are there.
function leafOf(m, v, index) {
  const first = elementPlace(m, v, index & ~LAST);
  const I = wordsAt(m, first);
  const i = indexAt(first);
  const last = Math.min(v._count - 1, index | LAST) & LAST;
  if ((I[i - 4] & 0xff) !== VECTOR_NODE || last >= I[i - 2]) throw corrupt('a bad leaf of a vector', (i - 4) * 4);
  return [I, i];
}

class VectorIterator {
  #vector;
  #what;
  #read;
  #at = 0;
  #words = null;
  #first = 0;
  constructor(vector, what, read = decode) {
    vector._check();
    this.#vector = vector;
    this.#what = what;
    this.#read = read;
  }
  next() {
    const vector = this.#vector;
    const what = this.#what;
    const read = this.#read;
    const i = this.#at;
    vector._check();
    if (i >= vector._count) return { value: undefined, done: true };
    if ((i & LAST) === 0) [this.#words, this.#first] = leafOf(vector._view.memory, vector, i);
    this.#at++;
    if (what === 0) return { value: i, done: false };
    const k = this.#first + 2 * (i & LAST);
    const x = read(vector._view, this.#words[k], this.#words[k + 1]);
    return { value: what === 1 ? x : [i, x], done: false };
  }
}
iteratorAs(VectorIterator, 'EveVector');

/** The constant []. */
export function emptyVector(view) {
  return new EveVector(view, EMPTY_VECTOR, 0, 0, 5, 0, 0, 0, 0);
}

/** The VECTOR at (lo, hi). */
export function vectorAt(view, lo, hi) {
  const I = segment(view.memory, lo, hi);
  const o = lo >>> 2;
  const count = I[o + 2] >>> 0;
  const shift = I[o + 3];
  // A shift that is too small for the count would make two indices one element; the tail holds the last 1 to 32.
  const trie = count === 0 ? 0 : ((count - 1) >>> 5) * 32;
  const valid = shift >= 5 && shift <= 30 && shift % 5 === 0 && trie <= 2 ** (shift + 5);
  if (!view.memory.holds(count * 8) || !valid) throw corrupt('a vector with an impossible count or shift', lo, hi);
  return new EveVector(view, lo, hi, count, shift, I[o + 4], I[o + 5], I[o + 6], I[o + 7]);
}
