// What the package exports whatever the platform.
export { Atom } from './atom.js';
export { EveError } from './error.js';
export { EveList } from './list.js';
export { EveMap } from './map.js';
export { EveSet } from './set.js';
export { EveSortedMap, EveSortedSet } from './sorted.js';
export { EveVector } from './vector.js';
export { add, assoc, conj, disj, dissoc, inc, pop } from './ops.js';
export { registerComparator, sortedMap, sortedSet } from './order.js';
export { print } from './print.js';
export { Slab } from './slab.js';
export { Snapshot } from './snapshot.js';
export { Char, Decimal, Double, EveSymbol, Instant, Keyword, Ratio, UUID, double, keyword, kw, list, symbol } from './types.js';
export { equal, hash } from './value.js';
