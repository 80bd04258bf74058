// What all collections have in common. A handle is a view (the version and what pins it) and a word; it never changes, and reads in place.
import { typeError } from './error.js';
import { INSPECT } from './kind.js';
import { released } from './memory.js';
import { print } from './print.js';
import { toJS, toJSON } from './convert.js';
import { equal, hash } from './value.js';

export class Handle {
  constructor(view, low, high, count) {
    this._view = view;
    this._group = view.group;
    this._low = low;
    this._high = high;
    this._count = count;
  }

  /** Clojure's hash, an int32. */
  hashCode() {
    this._check();
    return hash(this);
  }

  /** Clojure's `=`: by content, whatever the version or slab. */
  equals(other) {
    this._check();
    try {
      return equal(this, other);
    } catch (e) {
      if (e.code === 'EVE_TYPE') return false; // `other` is nothing that a slab can hold
      throw e;
    }
  }

  /** EDN, as Clojure's pr-str. */
  toString() {
    this._check();
    return print(this);
  }

  /** A deep copy out of the slab: Map, Set and Array; numbers, strings and eve's own scalars as they are. */
  toJS() {
    this._check();
    return toJS(this);
  }

  /** For JSON.stringify: objects with string keys, arrays. Keywords become their names. */
  toJSON() {
    this._check();
    return toJSON(this);
  }

  _check() {
    if (!this._group.alive) throw released(this._view);
  }

  // The result of an operation of the current transaction.
  _apply(op, args) {
    this._check();
    return transactionOf(this).apply(this, op, args);
  }
}

function transactionOf(handle) {
  const txn = handle._view.memory.txn;
  if (!txn) throw typeError('values are changed inside atom.swap(f) only: there the operations return new values');
  return txn;
}

/** Gives a class its inspect method, which shows what it holds as `make` returns it. */
export function inspectAs(type, name, make) {
  type.prototype[INSPECT] = function (depth, options, inspect) {
    if (!this._group.alive) return `${name} (released)`;
    if (depth < 0) return `[${name}]`;
    const limit = options?.maxArrayLength ?? 100;
    return `${name} ${inspect(make(this, limit), { ...options, depth: options.depth === null ? null : options.depth })}`;
  };
}
