// Explicit snapshots: one version, held until it is closed.
import { typeError } from './error.js';
import { inspectAsText } from './handle.js';
import { Group, released } from './memory.js';
import { warn } from './pressure.js';

/** One in so many records where it was made, so that a program that forgets to close them can be told. */
const SAMPLE = 128;
let made = 0;
let warned = false;

export class Snapshot {
  /** Of the slab, or of one atom in it. */
  constructor(slab, atom, what = 'a snapshot that was closed') {
    slab.check();
    const group = new Group(slab.memory, what);
    const pin = slab.open(group, true);
    if (made++ % SAMPLE === 0) pin.origin = new Error('made here').stack;
    this._slab = slab;
    this._atom = atom;
    try {
      this._view = slab.load(group);
    } catch (e) {
      slab.release(group);
      throw e;
    }
  }

  /** Number of the version. */
  get version() {
    return this._view.version;
  }

  /** When it was committed. */
  get time() {
    return new Date(this._view.time);
  }

  /** What it was made of: the value of the atom in this version (undefined if it didn't exist), or a map of all atoms. */
  deref() {
    return this._atom === undefined ? this.state : this.get(this._atom);
  }

  get value() {
    return this.deref();
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
    this._slab.release(group);
  }

  toString() {
    return `#<Snapshot of version ${this.version}>`;
  }
}
inspectAsText(Snapshot);
if (Symbol.dispose) Snapshot.prototype[Symbol.dispose] = Snapshot.prototype.close;

/** The collector has found one that nobody had closed. */
export function leaked(slab, pin) {
  if (pin.origin === null || warned) return;
  warned = true;
  warn(`a snapshot of ${slab.path} was not closed: its version was kept until the collector found it. Use using, close() or read(). Said once; ` +
    'pins() counts them', pin.origin);
}
