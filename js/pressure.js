// Makes the collector find dead pin groups in time. It doesn't know that a small object holds a MiB of a slab. So it is told, as of memory outside of its
// heap (which suffices most of the time), and made to run where more than a budget has come on top of what the last run has left.

/** Bytes that may be held beyond that, for the whole process: the environment variable EVE_PIN_BUDGET. */
const BUDGET = 16 << 20;
const BUDGET_MIN = 1 << 20;
/** Parts of the time that collections may take: beyond the budget, and beyond DEAR times the budget. Beyond CEILING times the budget, all that it takes. */
const DUTY = 0.1;
const DEAR = 4;
const DUTY_DEAR = 0.5;
const CEILING = 16;

/** What a pin group holds: the account of it, which doesn't keep it alive. */
export class Pin {
  constructor(group, explicit) {
    this.id = group.id;
    this.opened = performance.now();
    this.version = 0; // the first
    this.since = -1; // bytes retired in the life of the slab, when it took its first version
    this.bytes = 0; // held, as far as is known
    this.before = null; // the account before, of the newest one
    this.explicit = explicit;
    this.origin = null; // of some snapshots: where they were made
  }
}

/** The accounts of one environment (the main thread, a worker), which has a collector of its own. */
export class Pressure {
  constructor(addon) {
    this.addon = addon;
    this.total = budgetOf(globalThis.process?.env.EVE_PIN_BUDGET);
    this.slabs = new Set();
    this.held = 0;
    this.told = 0; // what the collector knows of it
    this.looked = 0; // held when the pins were looked at last
    this.floor = 0; // held just after the last collection; less if it was less since
    this.collections = 0;
    this.took = 0; // ms, the last collection
    this.ended = 0;
    this.leaked = 0;
  }

  /** This environment's part of the budget. */
  get budget() {
    return Math.max(BUDGET_MIN, Math.floor(this.total / Math.max(1, this.addon.environments())));
  }

  /** Has so much come since the last look that another is worth its time? */
  isDue() {
    return this.held - this.looked >= BUDGET_MIN;
  }

  /** Releases what nobody uses any more, and makes the collector find more of it if much is held. */
  relieve() {
    this.look();
    const { budget } = this;
    const over = this.held - this.floor;
    if (over <= budget) return;
    const duty = over > CEILING * budget ? 1 : over > DEAR * budget ? DUTY_DEAR : DUTY;
    if (performance.now() - this.ended >= this.took * (1 / duty - 1)) this.collect();
  }

  /** Runs the collector; returns how many pins it has found dead. What the frames of running functions still name isn't found. */
  collect() {
    const start = performance.now();
    this.addon.collect();
    const dead = this.look();
    this.floor = this.held;
    this.collections++;
    this.ended = performance.now();
    this.took = this.ended - start;
    return dead;
  }

  /** Releases the pins that have been found dead; returns their number. */
  look() {
    let dead = 0;
    for (const slab of this.slabs) dead += slab.releaseDead();
    this.tell();
    return dead;
  }

  tell() {
    this.addon.tellCollector(this.held - this.told);
    this.told = this.looked = this.held;
    this.floor = Math.min(this.floor, this.held);
  }
}

/** A number of bytes, or with k, m or g behind it. */
export function budgetOf(text) {
  if (text === undefined) return BUDGET;
  const [, digits, unit] = /^(\d+)([kmg]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * 1024 ** ' kmg'.indexOf((unit || ' ').toLowerCase());
  if (bytes >= BUDGET_MIN && Number.isSafeInteger(bytes * CEILING)) return bytes;
  warn(`EVE_PIN_BUDGET is a number of bytes from 1m on, as in EVE_PIN_BUDGET=64m, not ${JSON.stringify(text)}; ${BUDGET >> 20}m is used`);
  return BUDGET;
}

/** A warning of the program's environment. */
export function warn(message, detail) {
  if (globalThis.process?.emitWarning) process.emitWarning(message, { type: 'EveWarning', detail });
  else console.warn(message, detail ?? '');
}
