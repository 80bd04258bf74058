// An open slab: the current version, pin groups, atoms.
import { Atom } from './atom.js';
import { find } from './champ.js';
import { EveError, corrupt, statusError } from './error.js';
import { inspectAsText } from './handle.js';
import { BLOCK_SIZE, CONTROL_HIGH_WATER } from './layout.js';
import { EveMap } from './map.js';
import { Group, Memory, View, closed } from './memory.js';
import { LIMIT } from './native.js';
import { Pin } from './pressure.js';
import { decode } from './reader.js';
import { Snapshot, leaked } from './snapshot.js';
import * as tools from './tools.js';
import { BACKUP, COMPACT, GC, VERIFY } from './tools.js';
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
    this.pressure = native.pressure;
    this.accounts = new Map(); // of the groups that are open, by id
    this.held = 0; // bytes, in all accounts
    this.newest = null; // the account of the group that took its first version last
    native.pressure.slabs.add(this);
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
    const { group, pressure } = this;
    if (group !== null && group.retired - group.pin.since < GROUP_BYTES && performance.now() - group.pin.opened < GROUP_MS) return group;
    this.check();
    this.group = null;
    pressure.relieve();
    const fresh = new Group(this.memory, 'a snapshot that was closed');
    this.open(fresh, false);
    return (this.group = fresh);
  }

  /** Gives a group its place among the pins, and an account. */
  open(group, explicit) {
    const { native, pressure } = this;
    if (explicit && pressure.isDue()) pressure.relieve();
    let status = native.addon.groupOpen(this.id, group);
    if (status === LIMIT && pressure.collect() > 0) status = native.addon.groupOpen(this.id, group);
    native.check(status);
    group.id = native.id;
    group.pin = new Pin(group, explicit);
    this.accounts.set(group.id, group.pin);
    return group.pin;
  }

  /** Lets a group's versions go. */
  release(group) {
    if (this.memory.closed) return;
    this.native.check(this.native.addon.pinClose(this.id, group.id));
    this.drop(group.id);
  }

  /** Drops the accounts of the groups that the collector has found dead; returns their number. */
  releaseDead() {
    const dead = this.native.addon.pinPoll(this.id);
    if (typeof dead === 'number') this.native.check(dead);
    for (const id of dead) this.drop(id, true);
    return dead.length;
  }

  drop(id, found = false) {
    const pin = this.accounts.get(id);
    this.accounts.delete(id);
    this.holds(pin, 0);
    if (pin === this.newest) this.newest = this.accounts.get(pin.before?.id) ?? null;
    if (found && pin.explicit) {
      this.pressure.leaked++;
      leaked(this, pin);
    }
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
    if (group.pin !== null) this.account(group, view.version);
    return view;
  }

  holds(pin, bytes) {
    this.pressure.held += bytes - pin.bytes;
    this.held += bytes - pin.bytes;
    pin.bytes = bytes;
  }

  /** The group has taken a version. */
  account({ pin }, version) {
    const { retired } = this;
    if (pin.since < 0) {
      // Until now everything that died may have been in the last version of the group before; but all groups hold no more than there is.
      const { newest } = this;
      const room = this.memory.size - this.held;
      if (newest !== null) this.holds(newest, Math.max(newest.bytes, Math.min(retired - newest.since, newest.bytes + room)));
      pin.since = retired;
      pin.version = version;
      pin.before = newest;
      if (newest !== null) newest.before = null;
      this.newest = pin;
    } else if (retired - pin.since > pin.bytes) {
      this.holds(pin, retired - pin.since);
    }
  }

  /** The current version, added to the group. */
  load(group) {
    this.native.check(this.native.addon.groupView(this.id, group.id));
    return this.viewOf(group);
  }

  /** The current version. */
  currentView() {
    const { current, memory } = this;
    if (current !== null && memory.isCurrent(current)) return current;
    this.check();
    return this.adopt(this.load(this.openGroup()));
  }

  /** Makes a view that a commit returned the current one. */
  adopt(view) {
    return (this.current = view);
  }

  /** Called about once a second: lets go what nobody may be reading. What died since the last commit would wait for the next one otherwise. */
  tidy() {
    if (this.memory.closed) return;
    if (this.current !== null && !this.memory.isCurrent(this.current)) this.forget();
    this.pressure.look();
    this.native.check(this.native.addon.reclaim(this.id));
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
    this.forget();
    if (this.pressure.collect() > 0 || ++this.fruitless === FRUITLESS_MAX) {
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
    if (atom._place(this.currentView()) < 0) {
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
    return find(view, view.state, atomName(name)) >= 0;
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

  /**
   * What this environment holds of old versions of the slab: groups, held (bytes), oldest and seconds (null: none), taken (bytes of blocks, live and
   * free); and of all slabs: processHeld, floor, budget, gcs, leaked.
   */
  pins() {
    this.check();
    const { memory, pressure } = this;
    const pins = [...this.accounts.values()].filter((p) => p.since >= 0);
    const oldest = pins.reduce((a, b) => (a === null || b.version < a.version ? b : a), null);
    const [low, high] = [0, 1].map((i) => memory.I0[(CONTROL_HIGH_WATER >>> 2) + i] >>> 0);
    return {
      groups: pins.length,
      held: this.held,
      oldest: oldest?.version ?? null,
      seconds: oldest && Math.floor((performance.now() - oldest.opened) / 1000),
      taken: (high * 2 ** 32 + low) * BLOCK_SIZE,
      leaked: pressure.leaked,
      processHeld: pressure.held,
      floor: pressure.floor,
      budget: pressure.budget,
      gcs: pressure.collections,
    };
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
    return tools.gc(this.tool(GC));
  }

  /**
   * Checks everything in it: `findings` (the first 1000, each with kind, offset, path and what) and counts. Others may go on writing; this thread
   * is busy meanwhile.
   */
  verify() {
    return tools.verify(this.tool(VERIFY));
  }

  /** Copies the current version to a new file, with checksums; returns its number. Others may go on writing; this thread is busy meanwhile. */
  backup(path) {
    return tools.backup(this.tool(BACKUP, path));
  }

  /** Copies the values of the current version into a new slab, without garbage and free room; returns the bytes of both. */
  compact(path) {
    return tools.compact(this.tool(COMPACT, path));
  }

  // The same in another thread, as promises. If the slab is closed meanwhile, they end as if it weren't or with the error.
  async gcAsync() {
    return tools.gc(await this.start(GC));
  }
  async verifyAsync() {
    return tools.verify(await this.start(VERIFY));
  }
  async backupAsync(path) {
    return tools.backup(await this.start(BACKUP, path));
  }
  async compactAsync(path) {
    return tools.compact(await this.start(COMPACT, path));
  }

  tool(which, path = null) {
    this.check();
    const text = this.native.addon.tool(this.id, which, path);
    return typeof text === 'number' ? this.native.check(text) : text;
  }

  async start(which, path = null) {
    this.check();
    const [status, text, errno] = await this.native.addon.toolStart(this.id, which, path);
    if (status < 0) throw this.memory.closed ? closed(this.memory) : statusError(status, text, errno);
    return text;
  }

  /** Closes it. Values read from it throw from now on. A second call does nothing. */
  close() {
    const { memory, native, pressure } = this;
    if (memory.closed) return;
    if (memory.txn) throw new EveError('EVE_BUSY', 'close inside a swap of the same slab');
    native.encoder.check();
    clearInterval(this.timer);
    for (const group of native.addon.pinObjects(this.id)) group.alive = false;
    pressure.slabs.delete(this);
    for (const id of this.accounts.keys()) this.drop(id);
    pressure.tell();
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
