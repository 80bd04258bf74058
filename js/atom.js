// Atoms: named values that all processes share.
import { Snapshot } from './snapshot.js';
import { find } from './champ.js';
import { FULL, NOT_FOUND, RERUN } from './native.js';
import { OP } from './op.js';
import { FAST, assoc, conj, dissoc, inc, add } from './ops.js';
import { decode, decodeAt } from './reader.js';
import { noAtom, transact } from './txn.js';
import { typeError } from './error.js';
import { inspectAsText } from './handle.js';
import { equal } from './value.js';

/** Made by slab.atom(name, initial); one object of a name. */
export class Atom {
  constructor(slab, name, low, high) {
    this.slab = slab;
    this.name = name;
    this._memory = slab.memory;
    this._low = low;
    this._high = high;
    this._seen = null; // the view that _value is of
    this._value = undefined;
    this._busy = false;
  }

  /** The current value. If nothing was committed since the last call, it costs three loads. */
  deref() {
    const seen = this._seen;
    if (seen !== null && this._memory.isCurrent(seen)) return this._value;
    return this._load(this.slab.currentView());
  }

  get value() {
    return this.deref();
  }

  _load(view) {
    const value = this._in(view);
    if (value === undefined) throw noAtom(this.name);
    return this._keep(view, value);
  }

  _keep(view, value) {
    this._seen = view;
    this._value = value;
    return value;
  }

  // Its value in a version; undefined if it is not there.
  _in(view) {
    const p = this._place(view);
    return p < 0 ? undefined : decodeAt(view, p);
  }

  _place(view) {
    const p = find(view, view.state, this.name);
    return p < 0 ? p : p + 2;
  }

  /** Forgets the value kept, and with it what pins its version. */
  _forget() {
    this._seen = null;
    this._value = undefined;
  }

  /**
   * Sets the value to f(value, ...args) and returns it. f may run several times; it should only compute. assoc, conj, add and their like are one
   * call of the core.
   */
  swap(f, ...args) {
    if (typeof f !== 'function') throw typeError('swap takes a function');
    this._free();
    const fast = f[FAST]?.(args);
    if (fast && this._fast(fast[0], fast[1])) return this._value;
    this._busy = true;
    try {
      const [word, view] = transact(this.slab, (txn) => txn.set(this, f(this._read(txn), ...args)));
      return this._keep(this.slab.adopt(view), decode(view, word[0], word[1]));
    } finally {
      this._busy = false;
    }
  }

  /**
   * Changes the value like swap, without keeping a version for what it gives out: for loops of many changes. f's argument, and what is read from it,
   * can be used until f returns; later that is an error. Returns the number of the new version, not a value.
   */
  update(f, ...args) {
    if (typeof f !== 'function') throw typeError('update takes a function');
    this._free();
    const { slab } = this;
    if (slab.current !== null) slab.forget(); // it would hold a version until the next turn of the event loop
    const fast = f[FAST]?.(args);
    if (fast && this._core(fast[0], fast[1], false)) return slab.native.version;
    this._busy = true;
    try {
      return transact(slab, (txn) => void txn.set(this, f(this._read(txn), ...args)), 'a call of update that is over')[1].version;
    } finally {
      this._busy = false;
    }
  }

  // A change inside the atom's own swap would make that run again, without end.
  _free() {
    if (this._busy) throw typeError(`${this.name} is changed inside its own swap: return the new value instead`);
  }

  _read(txn) {
    const value = txn.get(this);
    if (value === undefined) throw noAtom(this.name);
    return value;
  }

  // True if the core did it. With `held` a group holds the new version.
  _core(op, args, held) {
    const { slab, _memory: memory } = this;
    slab.check();
    const { native } = slab;
    const length = native.encoder.encode(args, memory, null);
    let status = this._call(op, length, held);
    // Twice: the first makes the core look through what the groups had held.
    if (status === FULL && slab.makeRoom() && (status = this._call(op, length, held)) === FULL) status = this._call(op, length, held);
    native.checkRead(status);
    if (status === NOT_FOUND) throw noAtom(this.name);
    return status !== RERUN;
  }

  // The same, and keeps the value.
  _fast(op, args) {
    if (!this._core(op, args, true)) return false;
    const { slab } = this;
    const { native } = slab;
    const lo = native.wordLow;
    const hi = native.wordHigh;
    const view = slab.adopt(slab.viewOf(slab.group));
    this._keep(view, decode(view, lo, hi));
    return true;
  }

  _call(op, length, held) {
    const { slab } = this;
    const group = held ? slab.openGroup().id : 0;
    return slab.native.addon.swap(slab.id, group, this._low, this._high, op, length);
  }

  /** Sets the value and returns it as it is in the slab. */
  reset(value) {
    this._free();
    this._fast(OP.RESET, [value]);
    return this._value;
  }

  /** Sets the value if the current one equals `expected` (Clojure's equality). */
  compareAndSet(expected, value) {
    this._free();
    const [word, view] = transact(this.slab, (txn) => (equal(this._read(txn), expected) ? txn.set(this, value) : null));
    if (word !== null) this._keep(this.slab.adopt(view), decode(view, word[0], word[1]));
    return word !== null;
  }

  /** swap(assoc, key, value): binds a key of a map, replaces an element of a vector. */
  assoc(...pairs) {
    return this.swap(assoc, ...pairs);
  }
  /** swap(dissoc, key) */
  dissoc(...keys) {
    return this.swap(dissoc, ...keys);
  }
  /** swap(conj, element) */
  conj(...elements) {
    return this.swap(conj, ...elements);
  }
  /** swap(add, n) */
  add(n = 1) {
    return n === 1 ? this.swap(inc) : this.swap(add, n);
  }

  /** The current value, held until the snapshot is closed. */
  snapshot() {
    return new Snapshot(this.slab, this);
  }

  /** f(value, ...args), with the value held for the call only: handles from it are dead afterwards. Returns what f returns. */
  read(f, ...args) {
    if (typeof f !== 'function') throw typeError('read takes a function');
    const snapshot = new Snapshot(this.slab, this, 'a call of read that is over');
    try {
      return f(snapshot.deref(), ...args);
    } finally {
      snapshot.close();
    }
  }

  /**
   * Calls f(value, old value) on this thread after changes by any process; changes that follow each other closely may come as one. Returns a function
   * that stops it. With {ref: true} it keeps the process alive.
   */
  watch(f, options) {
    return this.slab.watches.add(this, f, options?.ref === true);
  }

  toString() {
    return `#<Atom ${this.name}>`;
  }
}
inspectAsText(Atom);
