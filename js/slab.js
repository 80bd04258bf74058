// An open slab: the current version, pin groups, atoms.
import { Atom } from './atom.js';
import { NONE, find } from './champ.js';
import { EveError, corrupt } from './error.js';
import { inspectAsText } from './handle.js';
import { EveMap } from './map.js';
import { Group, Memory, View, closed } from './memory.js';
import { decode } from './reader.js';
import { Snapshot } from './snapshot.js';
import { transact } from './txn.js';
import { atomName } from './value.js';
import { Watches } from './watch.js';

/** A group is closed to new versions after this much garbage, */
const GROUP_BYTES = 1 << 20;
/** or this long. What is current but not read is let go after the same time. */
const GROUP_MS = 1000;
/** Collections in a row that may find nothing, in a slab that is full. */
const FRUITLESS_MAX = 4;

export class Slab {
  /** @param {import('./native.js').Native} native @param {number} id of the addon @param {string} name for messages */
  constructor(native, id, name) {
    this.native = native;
    this.id = id;
    this.path = name;
    this.memory = new Memory(native.source(id), name);
    this.memory.txn = null;
    native.check(native.addon.memory(id));
    this.readOnly = native.readOnly;
    this.current = null;
    this.group = null;
    this.fruitless = 0; // collections for room that found none
    this.retired = this.collected = 0; // bytes in the life of the slab: now, and when the collector was last asked for room
    this.atoms = new Map();
    this.watches = new Watches(this);
    // Without it an idle process would hold the version that it read last for ever.
    this.timer = setInterval(() => this.tidy(), GROUP_MS);
    this.timer.unref?.();
  }

  check() {
    if (this.memory.closed) throw closed(this.memory);
  }

  /** The open pin group: a new one if the last is full or old. */
  openGroup() {
    const { group, native } = this;
    if (group !== null && group.retired - group.since < GROUP_BYTES && Date.now() - group.opened < GROUP_MS) return group;
    this.check();
    native.check(native.addon.pinPoll(this.id));
    const fresh = new Group(this.memory);
    native.check(native.addon.groupOpen(this.id, fresh, GROUP_BYTES));
    fresh.id = native.id;
    fresh.opened = Date.now();
    fresh.since = fresh.retired = -1;
    this.group = fresh;
    return fresh;
  }

  /** The view that the last call of the addon wrote. */
  viewOf(group) {
    const { native } = this;
    const view = new View(group, native.version);
    view.record = native.record;
    view.time = native.time;
    view.state = decode(view, native.stateLow, native.stateHigh);
    if (!(view.state instanceof EveMap)) throw corrupt('a state that is not a map', native.stateLow, native.stateHigh);
    group.retired = this.retired = native.retired;
    if (!(group.since >= 0)) group.since = group.retired;
    return view;
  }

  /** The current version. */
  currentView() {
    const { current, memory, native } = this;
    if (current !== null && memory.isCurrent(current)) return current;
    this.check();
    const group = this.openGroup();
    native.check(native.addon.groupView(this.id, group.id));
    return this.adopt(this.viewOf(group));
  }

  /** Makes a view that a commit returned the current one. */
  adopt(view) {
    return (this.current = view);
  }

  /** Lets go what nobody may be reading. */
  tidy() {
    if (this.memory.closed) return;
    if (this.current !== null && !this.memory.isCurrent(this.current)) this.forget();
    this.native.check(this.native.addon.pinPoll(this.id));
  }

  /** Forgets what is kept for the next read, and with it the group that pins it. */
  forget() {
    this.current = this.group = null;
    for (const atom of this.atoms.values()) atom._forget();
  }

  /**
   * For a slab that is full: has the collector find the groups that nobody uses any more, which may pin what was removed since. False if too little
   * was removed since the last time for that to be worth a collection. What the frames of running functions still name isn't found: a collection that
   * finds nothing is tried again by the next calls, a few times.
   */
  makeRoom() {
    if (this.retired - this.collected < this.memory.size / 16) return false;
    const alive = () => this.native.addon.pinObjects(this.id).length;
    const before = alive();
    this.forget();
    this.native.check(this.native.addon.pinCollect(this.id));
    if (alive() < before || ++this.fruitless === FRUITLESS_MAX) {
      this.collected = this.retired;
      this.fruitless = 0;
    }
    return true;
  }

  /** The atom of that name, made with the initial value if it isn't there. Without one, a missing atom is an error. */
  atom(name, initial) {
    const key = atomName(name);
    this.check();
    let atom = this.atoms.get(key);
    if (atom === undefined) {
      const { native } = this;
      const there = native.intern(this.id, initial !== undefined && !this.readOnly, key);
      if (!there) throw missing(key);
      atom = new Atom(this, key, native.wordLow, native.wordHigh);
    }
    if (atom._place(this.currentView()) === NONE) {
      if (initial === undefined || this.readOnly) throw missing(key);
      const [, view] = transact(this, (txn) => void (txn.get(atom) === undefined && txn.set(atom, initial)));
      this.adopt(view);
    }
    this.atoms.set(key, atom);
    return atom;
  }

  /** The atom of a name if it is known to this slab. */
  known(name) {
    const key = atomName(name);
    const atom = this.atoms.get(key);
    if (atom !== undefined) return atom;
    return this.native.intern(this.id, false, key) ? new Atom(this, key, this.native.wordLow, this.native.wordHigh) : undefined;
  }

  /** Is there an atom of that name? */
  has(name) {
    this.check();
    const view = this.currentView();
    return find(view, view.state, atomName(name)) !== NONE;
  }

  /** Removes the atom of that name; true if there was one. */
  remove(name) {
    this.check();
    const atom = this.known(name);
    if (atom === undefined) return false;
    const [removed, view] = transact(this, (txn) => (txn.get(atom) === undefined ? false : (txn.remove(atom), true)));
    this.adopt(view);
    return removed;
  }

  /** The current version, held until it is closed. */
  snapshot() {
    return new Snapshot(this);
  }

  /** Number of the current version. */
  get version() {
    this.check();
    return this.currentView().version;
  }

  /** Makes the current version survive a crash of the machine; returns the version that is durable. */
  sync() {
    this.check();
    this.native.check(this.native.addon.sync(this.id));
    return this.native.version;
  }

  /**
   * Frees everything that no version in use reaches. The slab does so by itself when it grows; by hand it makes room at once. Others go on; this
   * thread is busy meanwhile.
   */
  gc() {
    this.check();
    const text = this.native.addon.gc(this.id);
    if (typeof text === 'number') this.native.check(text);
    const names = ['version', 'liveObjects', 'liveBytes', 'freedObjects', 'freedBytes', 'heldObjects', 'heldBytes', 'freedBlocks'];
    const counts = text.split('\t').map(Number);
    return Object.fromEntries(names.map((name, i) => [name, counts[i]]));
  }

  /**
   * Checks everything in it: `findings` (the first 1000, each with kind, offset, path and what) and counts. Others may go on writing; this thread
   * is busy meanwhile.
   */
  verify() {
    this.check();
    const { native } = this;
    const text = native.addon.verify(this.id);
    if (typeof text === 'number') native.check(text);
    const [numbers, ...lines] = text.split('\n').slice(0, -1);
    const [version, total, ...counts] = numbers.split('\t').map(Number);
    const names = ['reachableObjects', 'reachableBytes', 'allocatedObjects', 'allocatedBytes', 'unreachableObjects', 'unreachableBytes', 'symbols', 'checksums'];
    const findings = lines.map((line) => {
      const [kind, offset, path, what] = line.split('\t');
      return { kind, offset: Number(offset), path, what };
    });
    return { version, sound: total === 0, total, findings, ...Object.fromEntries(names.map((name, i) => [name, counts[i]])) };
  }

  /** Copies the current version to a new file, with checksums; returns its number. Others may go on writing; this thread is busy meanwhile. */
  backup(path) {
    this.check();
    this.native.check(this.native.addon.backup(this.id, path));
    return this.native.version;
  }

  /** Copies the values of the current version into a new slab, without garbage and free room; returns the bytes of both. */
  compact(path) {
    this.check();
    this.native.check(this.native.addon.compact(this.id, path));
    return { before: this.native.retired, after: this.native.backed };
  }

  /** Closes it. Values read from it throw from now on. A second call does nothing. */
  close() {
    const { memory, native } = this;
    if (memory.closed) return;
    if (memory.txn) throw new EveError('EVE_BUSY', 'close inside a swap of the same slab');
    native.encoder.check();
    clearInterval(this.timer);
    for (const group of native.addon.pinObjects(this.id)) group.alive = false;
    memory.close();
    this.forget();
    this.watches.all.clear();
    native.check(native.addon.close(this.id));
  }

  toString() {
    return `#<Slab ${this.path}>`;
  }
}
inspectAsText(Slab);
if (Symbol.dispose) Slab.prototype[Symbol.dispose] = Slab.prototype.close;

function missing(name) {
  return new EveError('EVE_NOT_FOUND', `there is no atom ${name} in the slab; give an initial value to make it`);
}
