// Transactions: what runs behind a swap.
import { EveError, typeError } from './error.js';
import { CONFLICT, NOT_FOUND, RERUN } from './native.js';
import { Group, View } from './memory.js';
import { decode } from './reader.js';

const NAMES = ['reset', 'set', 'delete', 'add', 'delete', 'pop', 'add'];

export class Txn {
  /** @param {Group} [scope] holds no version; what the transaction gives out is readable until it ends */
  constructor(slab, scope) {
    const { native } = slab;
    slab.check();
    const group = scope ?? slab.openGroup();
    native.check(native.addon.txnBegin(slab.id, group.id));
    this.slab = slab;
    this.id = native.id;
    this.base = slab.viewOf(group);
    this.view = new View(group, this.base.version); // of what the transaction makes
    this.view.txn = this;
    this.scope = scope;
    this.escaped = 0;
    this.open = true;
  }

  /** Can words of that view be linked as they are? */
  sees(view) {
    return view === this.view || (view.txn === null && view.version === this.base.version);
  }

  /** Runs f with the operations of handles going to this transaction. */
  run(f) {
    const { memory } = this.slab;
    const outer = memory.txn;
    memory.txn = this;
    try {
      return f();
    } finally {
      memory.txn = outer;
    }
  }

  /** The value of an atom; undefined if there is none. */
  get(atom) {
    const { native } = this.slab;
    if (native.check(native.addon.txnGet(this.id, atom._low, atom._high)) === NOT_FOUND) return undefined;
    return decode(this.base, native.wordLow, native.wordHigh);
  }

  /** The word of a value. */
  build(value) {
    const { native, memory } = this.slab;
    const length = native.encoder.encode([value], memory, this);
    native.checkRead(native.addon.txnBuild(this.id, length));
    return [native.wordLow, native.wordHigh];
  }

  /** A handle of a new value. */
  make(value) {
    const [lo, hi] = this.build(value);
    this.escaped = 1;
    return decode(this.view, lo, hi);
  }

  /** Sets an atom; returns the word of the value. */
  set(atom, value) {
    const { native } = this.slab;
    const word = this.build(value);
    native.check(native.addon.txnSet(this.id, atom._low, atom._high, word[0], word[1]));
    return word;
  }

  remove(atom) {
    const { native } = this.slab;
    native.check(native.addon.txnRemove(this.id, atom._low, atom._high));
  }

  /** A new handle: the collection after one operation. */
  apply(handle, op, args) {
    const { native, memory } = this.slab;
    const { addon } = native;
    const [lo, hi] = this.sees(handle._view) ? [handle._low, handle._high] : this.build(handle);
    const length = native.encoder.encode(args, memory, this);
    this.escaped = 1;
    if (native.checkRead(addon.txnApply(this.id, lo, hi, op, length)) === RERUN) throw typeError(`${NAMES[op]} does not apply to this value and these arguments`);
    if (native.wordLow === handle._low && native.wordHigh === handle._high) return handle;
    return decode(this.view, native.wordLow, native.wordHigh);
  }

  // From here on nothing that it gave out can be read, if it has a scope.
  end() {
    this.open = false;
    if (this.scope === undefined) return;
    this.scope.alive = false;
    this.escaped = 0;
  }

  /** The view of the new version, or null if another commit came between: run again. */
  commit() {
    const { native } = this.slab;
    this.end();
    if (native.check(native.addon.txnCommit(this.id, this.escaped)) === CONFLICT) return null;
    return this.slab.viewOf(this.view.group);
  }

  abort() {
    if (!this.open) return;
    this.end();
    this.slab.native.addon.txnAbort(this.id, this.escaped);
  }
}

/**
 * Runs f(txn) until its transaction commits; returns [what it returned, the view]. f must set nothing outside.
 * @param {(txn: Txn) => any} f
 * @param {string} [call] that f runs for, if what f is given can't be read when it is over: then no version is held for it
 */
export function transact(slab, f, call) {
  for (let tries = 0; ; ) {
    try {
      const done = attempt(slab, f, call);
      if (done !== null) return done;
    } catch (e) {
      if (!(e instanceof EveError && e.code === 'EVE_FULL' && slab.memory.txn === null)) throw e;
      // Twice: the first makes the core look through what the groups had held.
      if (tries === 0 ? !slab.makeRoom() : tries === 2) throw e;
      tries++;
    }
  }
}

// One run of a transaction; null if another commit came between.
function attempt(slab, f, call) {
  const txn = new Txn(slab, call && new Group(slab.memory, call));
  let result;
  try {
    result = txn.run(() => f(txn));
  } catch (e) {
    txn.abort();
    throw e;
  }
  const view = txn.commit();
  return view === null ? null : [result, view];
}

export function noAtom(name) {
  return new EveError('EVE_NOT_FOUND', `there is no atom ${name} in the slab; give slab.atom() an initial value to make it`);
}
