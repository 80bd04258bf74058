// What hash and sorted collections have in common: methods that need no more than `_each` and `_apply` of theirs.
import { OP } from './op.js';
import { pairsOf } from './value.js';
import { inspectAs } from './handle.js';
import { K, KIND } from './kind.js';

const mapMethods = {
  forEach(f, self) {
    this._each((k, v) => void f.call(self, v, k, this));
  },
  /** f(accumulator, value, key) over all entries. */
  reduce(f, initial) {
    let acc = initial;
    this._each((k, v) => void (acc = f(acc, v, k)));
    return acc;
  },
  /** Inside a swap: a map with the key bound to the value. */
  set(key, value) {
    return this._apply(OP.ASSOC, [key, value]);
  },
  /** Inside a swap: a map without the key. */
  delete(key) {
    return this._apply(OP.DISSOC, [key]);
  },
  /** Inside a swap: a map with all entries of maps, objects or iterables of pairs, in one step. */
  merge(...others) {
    const args = others.flatMap((other) => pairsOf(other).flat(1));
    return args.length === 0 ? this : this._apply(OP.ASSOC, args);
  },
  /** Inside a swap: a map with the key bound to f(its value, ...args). */
  update(key, f, ...args) {
    return this.set(key, f(this.get(key), ...args));
  },
};

const setMethods = {
  forEach(f, self) {
    this._each((e) => void f.call(self, e, e, this));
  },
  /** f(accumulator, element) over all elements. */
  reduce(f, initial) {
    let acc = initial;
    this._each((e) => void (acc = f(acc, e)));
    return acc;
  },
  /** Inside a swap: a set with the elements. */
  add(...elements) {
    return this._apply(OP.CONJ, elements);
  },
  /** Inside a swap: a set without the elements. */
  delete(...elements) {
    return this._apply(OP.DISJ, elements);
  },
  /** Inside a swap: a set with all elements of iterables, in one step. */
  union(...others) {
    return this._apply(OP.CONJ, others.flatMap((other) => [...other]));
  },
};

// As a class's own methods are: not enumerable.
function give(type, name, kind, methods) {
  for (const [method, value] of Object.entries(methods)) Object.defineProperty(type.prototype, method, { value, writable: true, configurable: true });
  type.prototype[KIND] = kind;
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: name });
}

/** Makes `type` a class of maps, called `name`. */
export function mapAs(type, name) {
  give(type, name, K.MAP, mapMethods);
  inspectAs(type, name, (map, limit) => {
    const shown = new Map();
    let n = 0;
    map._each((k, v) => {
      shown.set(k, v);
      return n++ < limit;
    });
    return shown;
  });
}

/** Makes `type` a class of sets, called `name`. */
export function setAs(type, name) {
  give(type, name, K.SET, setMethods);
  inspectAs(type, name, (set, limit) => {
    const shown = new Set();
    let n = 0;
    set._each((e) => {
      shown.add(e);
      return n++ < limit;
    });
    return shown;
  });
}

/** Gives a class with `get` and `has` the look-up of nested values. */
export function pathsAs(type) {
  /** The value at the end of a path of keys and indices. */
  function getIn(path, otherwise) {
    let x = this;
    for (const key of path) {
      if (typeof x?.get !== 'function' || !x.has(key)) return otherwise;
      x = x.get(key);
    }
    return x;
  }
  Object.defineProperty(type.prototype, 'getIn', { value: getIn, writable: true, configurable: true });
}
