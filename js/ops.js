// Functions for atom.swap that the core knows: `atom.swap(assoc, k, v)` is one call of it. They work as plain functions inside a swap too.
import { typeError } from './error.js';
import { isHandle } from './kind.js';
import { OP } from './op.js';
import { narrow } from './word.js';

/** Property of a function: the operation that does the same, as a function of its arguments to [op, args], or null if it doesn't apply. */
export const FAST = Symbol('eve.fast');

function known(f, fast) {
  f[FAST] = fast;
  return f;
}

function handle(x, what) {
  if (!isHandle(x)) throw typeError(`${what} of what is not a collection of eve`);
  return x;
}

/** The map with keys bound to values, or the vector with elements replaced: assoc(coll, k, v, k2, v2, ...). nil is taken as {}. */
export const assoc = known(
  (coll, ...pairs) => handle(coll, 'assoc')._apply(OP.ASSOC, pairs),
  (pairs) => (pairs.length > 0 && pairs.length % 2 === 0 ? [OP.ASSOC, pairs] : null),
);

/** The map without keys. */
export const dissoc = known((coll, ...keys) => handle(coll, 'dissoc')._apply(OP.DISSOC, keys), (keys) => [OP.DISSOC, keys]);

/** The collection with elements: at the end of a vector, in front of a list, [k, v] pairs into a map. */
export const conj = known((coll, ...elements) => handle(coll, 'conj')._apply(OP.CONJ, elements), (elements) => [OP.CONJ, elements]);

/** The set without elements. */
export const disj = known((coll, ...elements) => handle(coll, 'disj')._apply(OP.DISJ, elements), (elements) => [OP.DISJ, elements]);

/** The vector without its last element, the list without its first. */
export const pop = known((coll) => handle(coll, 'pop')._apply(OP.POP, []), () => [OP.POP, []]);

/** The sum of two integers, exactly at any size, or of two numbers. */
export const add = known(
  (x, y) => {
    if (!isNumber(x) || !isNumber(y)) throw typeError('add takes numbers');
    if (isInteger(x) && isInteger(y)) return narrow(BigInt(x) + BigInt(y));
    return Number(x) + Number(y);
  },
  (args) => (args.length === 1 && isInteger(args[0]) ? [OP.ADD, args] : null),
);

/** add(x, 1) */
export const inc = known((x) => add(x, 1), (args) => (args.length === 0 ? [OP.ADD, [1]] : null));

function isNumber(x) {
  return typeof x === 'number' || typeof x === 'bigint';
}

function isInteger(x) {
  return typeof x === 'bigint' || (Number.isSafeInteger(x) && !Object.is(x, -0));
}
