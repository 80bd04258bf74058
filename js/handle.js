// What all collections have in common. A handle is a view (the version and what pins it) and a word; it never changes, and reads in place.
import { typeError, unstorable } from './error.js';
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
      return unstorable(e, false);
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
    if (this._group.alive !== true) throw released(this._view);
  }

  // What the current transaction makes of a value.
  _make(value) {
    this._check();
    return transactionOf(this).make(value);
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

/** Gives a class its inspect method. `make(handle, n)` returns what is shown: a Map, Set or array of its first n elements and at most one more. */
export function inspectAs(type, name, make) {
  type.prototype[INSPECT] = function (depth, options, inspect) {
    if (!this._group.alive) return `${name} (released)`;
    if (depth < 0) return `[${name}]`;
    const limit = Math.max(0, options.maxArrayLength ?? 100);
    const text = inspect(make(this, limit), { ...options, depth });
    if (this._count <= limit) return `${name} ${text}`;
    const left = this._count - limit;
    const counted = text.replace(/^(Map|Set)\(\d+\)/, `$1(${this._count})`);
    return `${name} ${counted.replace(/\.\.\. 1 more item(?=\s*[\]}]$)/, `... ${left} more item${left > 1 ? 's' : ''}`)}`;
  };
}

/** Gives a class an inspect method that shows what toString does, and no insides. */
export function inspectAsText(type) {
  type.prototype[INSPECT] = function () {
    return this.toString();
  };
}

const ITERATOR = Object.getPrototypeOf(Object.getPrototypeOf([].values()));

/** Makes objects of a class with `next` iterators as the language's own: iterable, with its helpers (map, take, ...) where there are any. */
export function iteratorAs(type, name) {
  Object.setPrototypeOf(type.prototype, ITERATOR);
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: `${name} Iterator` });
}
