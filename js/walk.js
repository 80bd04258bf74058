// Walks over whole values (hash, =, printing, copying) go into a shared part as often as they meet it. A damaged slab can make that endless, so
// walks have a depth, and a budget by the size of the slab.
import { EveError, Unstorable } from './error.js';
import { DEPTH_MAX } from './layout.js';

/** Times that every 16 bytes of the slab may be met in one walk. */
const VISITS = 64;
/** Steps that every walk may make. */
const FREE_STEPS = 1e6;

let depth = 0;
let budget = 0;

/** Goes into the collection `x`; the caller calls `leave` in a finally. Not a function that takes a function: deep values need the stack. */
export function enter(x) {
  const memory = x._view?.memory;
  if (depth === 0) budget = memory ? FREE_STEPS + (VISITS * memory.size) / 16 : Infinity;
  if (memory) {
    budget -= 1 + x._count;
    if (budget < 0) throw new EveError('EVE_LIMIT', 'the value has far more parts than its slab can hold: it is damaged, or shares its parts too often');
  }
  if (depth >= DEPTH_MAX) throw new Unstorable(`a value nested deeper than ${DEPTH_MAX}, or one that contains itself`);
  depth++;
}

export function leave() {
  depth--;
}
