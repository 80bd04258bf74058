// Walks over whole values (hash, =, printing, copying) go into a shared part as often as they meet it. A damaged slab can make that endless, so
// walks have a depth, and a budget by the size of the slab.
import { EveError, typeError } from './error.js';
import { DEPTH_MAX } from './layout.js';

/** Times that every 16 bytes of the slab may be met in one walk. */
const VISITS = 64;
/** Steps that every walk may make. */
const FREE_STEPS = 1e6;

let depth = 0;
let budget = 0;

/** Runs f(x) one level deeper. `x` is the collection gone into. */
export function within(x, f) {
  const memory = x._view?.memory;
  if (depth === 0) budget = FREE_STEPS;
  if (memory) {
    if (budget <= FREE_STEPS && depth === 0) budget += (VISITS * memory.size()) / 16;
    budget -= 1 + x._count;
    if (budget < 0) throw new EveError('EVE_LIMIT', 'the value has far more parts than its slab can hold: it is damaged, or shares its parts too often');
  }
  if (depth >= DEPTH_MAX) throw typeError(`a value nested deeper than ${DEPTH_MAX}, or one that contains itself`);
  depth++;
  try {
    return f(x);
  } finally {
    depth--;
  }
}
