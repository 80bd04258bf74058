// Explicit snapshots: one version, held until it is closed.
import { typeError } from './error.js';
import { inspectAsText } from './handle.js';
import { Group, released } from './memory.js';

const SNAPSHOT = 1; // kind of pin in node/addon.cc

export class Snapshot {
  constructor(slab) {
    slab.check();
    const { native } = slab;
    const group = new Group(slab.memory);
    native.check(native.addon.snapshotOpen(slab.id, group));
    group.id = native.id;
    this._slab = slab;
    this._view = slab.viewOf(group);
  }

  /** Number of the version. */
  get version() {
    return this._view.version;
  }

  /** When it was committed. */
  get time() {
    return new Date(this._view.time);
  }

  /** The value of an atom (or of the atom of a name) in this version; undefined if it didn't exist. */
  get(atom) {
    if (!this._view.group.alive) throw released(this._view);
    if (atom === undefined || atom === null) throw typeError('get takes an atom or its name');
    const a = typeof atom === 'object' && atom.slab === this._slab ? atom : this._slab.known(atom);
    return a === undefined ? undefined : a._in(this._view);
  }

  /** All atoms: a map from name to value. */
  get state() {
    if (!this._view.group.alive) throw released(this._view);
    return this._view.state;
  }

  /** Lets the version go: handles of it throw from now on. A second call does nothing. */
  close() {
    const { group } = this._view;
    if (!group.alive) return;
    group.alive = false;
    this._slab.native.check(this._slab.native.addon.pinClose(this._slab.id, SNAPSHOT, group.id));
  }

  toString() {
    return `#<Snapshot of version ${this.version}>`;
  }
}
inspectAsText(Snapshot);
if (Symbol.dispose) Snapshot.prototype[Symbol.dispose] = Snapshot.prototype.close;
