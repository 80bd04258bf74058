// Walks over whole values. A value of 40 objects can have 2^40 paths, when each holds the next one twice: hash and = remember what has been walked.
// Printing and copying go into a shared part as often as they meet it. A damaged slab can make that endless, so walks have a depth, and a budget by
// the size of the slab.
import { EveError, Unstorable } from './error.js';
import { isHandle } from './kind.js';
import { DEPTH_MAX } from './layout.js';

/** Times that every 16 bytes of the slab may be met in one walk. */
const VISITS = 64;
/** Steps that every walk may make. */
const FREE_STEPS = 1e6;
/** Steps that make an answer worth remembering. What took fewer is walked again, which a value of few paths never notices. */
const WORTH = 32;

let depth = 0;
let budget = 0;
let steps = 0;
let known = null;

/** Answers of the walk in progress. */
class Known {
  constructor() {
    this.handles = new Map(); // by view and word, the first one met: each read makes another
    this.answers = new Map(); // by object and, if it was compared, the other object
  }

  /** The object that stands for x; undefined if there is none. */
  find(x) {
    return isHandle(x) ? this.handles.get(x._view)?.get(wordOf(x)) : x;
  }

  /** The same; it is x if there was none. */
  intern(x) {
    const there = this.find(x);
    if (there !== undefined) return there;
    inner(this.handles, x._view).set(wordOf(x), x);
    return x;
  }
}

function wordOf(handle) {
  return (handle._high >>> 0) * 0x100000000 + (handle._low >>> 0);
}

function inner(maps, key) {
  let map = maps.get(key);
  if (map === undefined) maps.set(key, (map = new Map()));
  return map;
}

/** Goes into the collection `x`; the caller calls `leave` in a finally. Returns the steps made up to now. Not a function that takes a function: deep values need the stack. */
export function enter(x) {
  const memory = isHandle(x) ? x._view.memory : undefined;
  if (depth === 0) budget = memory ? FREE_STEPS + (VISITS * memory.size) / 16 : Infinity;
  if (memory) {
    budget -= 1 + x._count;
    if (budget < 0) throw new EveError('EVE_LIMIT', 'the value has far more parts than its slab can hold: it is damaged, or shares its parts too often');
  }
  if (depth >= DEPTH_MAX) throw new Unstorable(`a value nested deeper than ${DEPTH_MAX}, or one that contains itself`);
  depth++;
  return steps;
}

export function leave() {
  depth--;
  if (depth === 0) {
    steps = 0;
    known = null;
  }
}

/** What was remembered of a collection, or of two that were compared; undefined if nothing was. */
export function recall(x, other) {
  if (known === null) return undefined;
  const answers = known.answers.get(known.find(x));
  if (other === undefined) return answers?.get(undefined);
  const o = known.find(other);
  return o === undefined ? undefined : answers?.get(o);
}

/** Remembers, for the rest of the walk, an answer, which took `n` steps besides those that were made since `start`. Returns it. */
export function remember(answer, start, n, x, other) {
  steps += n + 1;
  if (steps - start >= WORTH) {
    known ??= new Known();
    inner(known.answers, known.intern(x)).set(other && known.intern(other), answer);
  }
  return answer;
}
