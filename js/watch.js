// Watches: one thread of the addon a slab waits for commits; here it is decided whose value changed.
import { typeError } from './error.js';
import { indexAt, wordsAt } from './memory.js';
import { decode } from './reader.js';

/** Low half of what is no word: the atom doesn't exist. */
const NO_WORD = 8;

export class Watches {
  constructor(slab) {
    this.slab = slab;
    this.all = new Set();
    this.refs = 0;
  }

  add(atom, f, ref) {
    if (typeof f !== 'function') throw typeError('watch takes a function');
    const { slab } = this;
    const watch = { atom, f, ref, ...this.look(atom, slab.currentView()) };
    const { native } = slab;
    if (this.all.size === 0) native.check(native.addon.watchStart(slab.id, () => this.run(), watch.view.version));
    this.all.add(watch);
    if (ref && this.refs++ === 0) native.check(native.addon.watchRef(slab.id, 1));
    return () => this.remove(watch);
  }

  remove(watch) {
    if (!this.all.delete(watch)) return;
    const { native, id } = this.slab;
    if (watch.ref && --this.refs === 0) native.check(native.addon.watchRef(id, 0));
    if (this.all.size === 0) native.check(native.addon.watchStop(id));
  }

  // The atom's word, with the view that keeps it from being reused: else another value might get the same word.
  look(atom, view) {
    const p = atom._place(view);
    if (p < 0) return { view, lo: NO_WORD, hi: 0 };
    const I = wordsAt(view.memory, p);
    const i = indexAt(p);
    return { view, lo: I[i], hi: I[i + 1] };
  }

  run() {
    for (const watch of [...this.all]) {
      if (this.slab.memory.closed) return;
      if (!this.all.has(watch)) continue;
      const old = { view: watch.view, lo: watch.lo, hi: watch.hi };
      try {
        Object.assign(watch, this.look(watch.atom, this.slab.currentView()));
        if (watch.lo !== old.lo || watch.hi !== old.hi) watch.f(valueOf(watch), valueOf(old));
      } catch (e) {
        // Out of the addon's callback, so that it becomes an ordinary uncaught exception.
        queueMicrotask(() => {
          throw e;
        });
      }
    }
  }
}

function valueOf({ view, lo, hi }) {
  return lo === NO_WORD ? undefined : decode(view, lo, hi);
}
