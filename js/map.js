// Maps.
import { corrupt } from './error.js';
import { Cursor, MAP_TRIE, checkSmall, find } from './champ.js';
import { Handle, iteratorAs } from './handle.js';
import { EMPTY_MAP } from './layout.js';
import { released, segment } from './memory.js';
import { mapAs, pathsAs } from './methods.js';
import { decode, decodeAt, decodeExact, decodeExactAt } from './reader.js';

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
mapAs(EveMap, 'EveMap');
pathsAs(EveMap);

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
