// Maps.
import { corrupt } from './error.js';
import { Cursor, MAP_TRIE, checkSmall, find } from './champ.js';
import { Handle, inspectAs, iteratorAs } from './handle.js';
import { K, KIND } from './kind.js';
import { EMPTY_MAP } from './layout.js';
import { released, segment } from './memory.js';
import { OP } from './op.js';
import { decode, decodeAt, decodeExact, decodeExactAt } from './reader.js';
import { pairsOf } from './value.js';

/** A persistent map, Map-like. Keys are compared by Clojure's equality. */
export class EveMap extends Handle {
  constructor(view, low, high, count, small, rootLow, rootHigh) {
    super(view, low, high, count);
    this._small = small;
    this._rootLow = rootLow;
    this._rootHigh = rootHigh;
    this._type = MAP_TRIE.type;
    this._stride = MAP_TRIE.stride;
  }

  get size() {
    this._check();
    return this._count;
  }

  /** The value of a key; `otherwise` (undefined) if there is none. */
  get(key, otherwise) {
    if (this._group.alive !== true) throw released(this._view);
    const view = this._view;
    const p = find(view, this, key);
    return p < 0 ? otherwise : decodeAt(view, p + 2);
  }

  has(key) {
    if (this._group.alive !== true) throw released(this._view);
    return find(this._view, this, key) >= 0;
  }

  /** The value at the end of a path of keys and indices. */
  getIn(path, otherwise) {
    let x = this;
    for (const key of path) {
      if (typeof x?.get !== 'function' || !x.has(key)) return otherwise;
      x = x.get(key);
    }
    return x;
  }

  forEach(f, self) {
    this._each((k, v) => void f.call(self, v, k, this));
  }

  /** f(accumulator, value, key) over all entries. */
  reduce(f, initial) {
    let acc = initial;
    this._each((k, v) => void (acc = f(acc, v, k)));
    return acc;
  }

  entries() {
    return new MapIterator(this, 2);
  }
  keys() {
    return new MapIterator(this, 0);
  }
  values() {
    return new MapIterator(this, 1);
  }
  [Symbol.iterator]() {
    return new MapIterator(this, 2);
  }

  /** Inside a swap: a map with the key bound to the value. */
  set(key, value) {
    return this._apply(OP.ASSOC, [key, value]);
  }
  /** Inside a swap: a map without the key. */
  delete(key) {
    return this._apply(OP.DISSOC, [key]);
  }
  /** Inside a swap: a map with all entries of maps, objects or iterables of pairs, in one step. */
  merge(...others) {
    const args = others.flatMap((other) => pairsOf(other).flat(1));
    return args.length === 0 ? this : this._apply(OP.ASSOC, args);
  }
  /** Inside a swap: a map with the key bound to f(its value, ...args). */
  update(key, f, ...args) {
    return this.set(key, f(this.get(key), ...args));
  }
  /** The empty map. */
  clear() {
    this._check();
    return emptyMap(this._view);
  }

  _getExact(key, otherwise) {
    this._check();
    const p = find(this._view, this, key);
    return p < 0 ? otherwise : decodeExactAt(this._view, p + 2);
  }

  _exact() {
    return new MapIterator(this, 2, decodeExact);
  }

  _each(f) {
    this._check();
    const view = this._view;
    const cursor = new Cursor(view, this);
    while (cursor.next()) {
      const I = cursor.words;
      const i = cursor.at;
      if (f(decode(view, I[i], I[i + 1]), decode(view, I[i + 2], I[i + 3])) === false) return false;
      if (this._group.alive !== true) throw released(view);
    }
    return true;
  }

  _storedHash() {
    return this._high === 0 && this._low === EMPTY_MAP ? 0 : segment(this._view.memory, this._low, this._high)[(this._low >>> 2) + 3];
  }
}
EveMap.prototype[KIND] = K.MAP;
Object.defineProperty(EveMap.prototype, Symbol.toStringTag, { value: 'EveMap' });
inspectAs(EveMap, 'EveMap', (map, limit) => {
  const shown = new Map();
  let n = 0;
  map._each((k, v) => {
    shown.set(k, v);
    return n++ < limit;
  });
  return shown;
});

class MapIterator {
  #map;
  #what;
  #read;
  #cursor;
  constructor(map, what, read = decode) {
    map._check();
    this.#map = map;
    this.#what = what;
    this.#read = read;
    this.#cursor = new Cursor(map._view, map);
  }
  next() {
    const map = this.#map;
    const cursor = this.#cursor;
    const what = this.#what;
    const read = this.#read;
    map._check();
    if (cursor === null || !cursor.next()) {
      this.#cursor = null;
      return { value: undefined, done: true };
    }
    const view = map._view;
    const I = cursor.words;
    const i = cursor.at;
    const value = what === 0 ? read(view, I[i], I[i + 1])
      : what === 1 ? read(view, I[i + 2], I[i + 3])
      : [read(view, I[i], I[i + 1]), read(view, I[i + 2], I[i + 3])];
    return { value, done: false };
  }
}
iteratorAs(MapIterator, 'EveMap');

/** The constant {}. */
export function emptyMap(view) {
  return new EveMap(view, EMPTY_MAP, 0, 0, false, 0, 0);
}

/** The MAP at (lo, hi). */
export function mapAt(view, lo, hi) {
  const I = segment(view.memory, lo, hi);
  const o = lo >>> 2;
  const count = I[o + 2] >>> 0;
  if (!view.memory.holds(count * 16)) throw corrupt('a map with an impossible count', lo, hi);
  return new EveMap(view, lo, hi, count, false, I[o + 4], I[o + 5]);
}

/** The ARRAY_MAP at (lo, hi). */
export function arrayMapAt(view, lo, hi) {
  const count = segment(view.memory, lo, hi)[(lo >>> 2) + 2];
  checkSmall(lo, hi, count);
  return new EveMap(view, lo, hi, count, true, lo, hi);
}
