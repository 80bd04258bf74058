// Sets.
import { corrupt } from './error.js';
import { Cursor, SET_TRIE, find } from './champ.js';
import { Handle, iteratorAs } from './handle.js';
import { EMPTY_SET } from './layout.js';
import { released, segment } from './memory.js';
import { setAs } from './methods.js';
import { decode, decodeAt, decodeExact } from './reader.js';

/** A persistent set, Set-like. Elements are compared by Clojure's equality. */
export class EveSet extends Handle {
  constructor(view, low, high, count, rootLow, rootHigh) {
    super(view, low, high, count);
    this._small = false;
    this._rootLow = rootLow;
    this._rootHigh = rootHigh;
    this._type = SET_TRIE.type;
    this._stride = SET_TRIE.stride;
  }

  get size() {
    this._check();
    return this._count;
  }

  has(element) {
    if (this._group.alive !== true) throw released(this._view);
    return find(this._view, this, element) >= 0;
  }

  /** The equal element of the set, if there is one, else `otherwise` (undefined). */
  get(element, otherwise) {
    this._check();
    const p = find(this._view, this, element);
    return p < 0 ? otherwise : decodeAt(this._view, p);
  }

  values() {
    return new SetIterator(this, false);
  }
  keys() {
    return new SetIterator(this, false);
  }
  entries() {
    return new SetIterator(this, true);
  }
  [Symbol.iterator]() {
    return new SetIterator(this, false);
  }

  /** The empty set. */
  clear() {
    this._check();
    return emptySet(this._view);
  }

  _exact() {
    return new SetIterator(this, false, decodeExact);
  }

  _getExact(element, otherwise) {
    this._check();
    return find(this._view, this, element) < 0 ? otherwise : element;
  }

  _each(f) {
    this._check();
    const view = this._view;
    const cursor = new Cursor(view, this);
    while (cursor.next()) {
      if (f(decode(view, cursor.words[cursor.at], cursor.words[cursor.at + 1])) === false) return false;
      if (this._group.alive !== true) throw released(view);
    }
    return true;
  }

  _storedHash() {
    return this._high === 0 && this._low === EMPTY_SET ? 0 : segment(this._view.memory, this._low, this._high)[(this._low >>> 2) + 3];
  }
}
setAs(EveSet, 'EveSet');

class SetIterator {
  #set;
  #pairs;
  #read;
  #cursor;
  constructor(set, pairs, read = decode) {
    set._check();
    this.#set = set;
    this.#pairs = pairs;
    this.#read = read;
    this.#cursor = new Cursor(set._view, set);
  }
  next() {
    const set = this.#set;
    const cursor = this.#cursor;
    const read = this.#read;
    set._check();
    if (cursor === null || !cursor.next()) {
      this.#cursor = null;
      return { value: undefined, done: true };
    }
    const e = read(set._view, cursor.words[cursor.at], cursor.words[cursor.at + 1]);
    return { value: this.#pairs ? [e, e] : e, done: false };
  }
}
iteratorAs(SetIterator, 'EveSet');

/** The constant #{}. */
export function emptySet(view) {
  return new EveSet(view, EMPTY_SET, 0, 0, 0, 0);
}

/** The SET at (lo, hi). */
export function setAt(view, lo, hi) {
  const I = segment(view.memory, lo, hi);
  const o = lo >>> 2;
  const count = I[o + 2] >>> 0;
  if (!view.memory.holds(count * 8)) throw corrupt('a set with an impossible count', lo, hi);
  return new EveSet(view, lo, hi, count, I[o + 4], I[o + 5]);
}
