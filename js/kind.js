// What kind of value a JavaScript value is for eve.

/** Kinds, by the order of `eve_kind` in the C ABI. */
export const K = Object.freeze({
  NIL: 0, BOOL: 1, INT: 2, DOUBLE: 3, CHAR: 4, STRING: 5, KEYWORD: 6, SYMBOL: 7, BIGINT: 8, RATIO: 9, DECIMAL: 10, UUID: 11, DATE: 12, INSTANT: 13, BYTES: 14,
  MAP: 15, SET: 16, VECTOR: 17, LIST: 18,
});

/** Property of the prototypes of eve's own classes: their kind. */
export const KIND = Symbol('eve.kind');

/** Property of the prototypes of keywords and symbols: the descriptor of their words. */
export const DESCRIPTOR = Symbol('eve.descriptor');

/** Property of sorted maps and sets: their order, which is null (natural), -1 (its reverse), or the keyword or symbol that names a comparator. */
export const ORDER = Symbol('eve.order');

/** What Node's util.inspect looks for; without importing it, for browsers. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** The kind of `x`, or -1 if it can't be stored. BigInts are INT. */
export function kindOf(x) {
  switch (typeof x) {
    case 'number':
      return Number.isSafeInteger(x) && !Object.is(x, -0) ? K.INT : K.DOUBLE;
    case 'string':
      return K.STRING;
    case 'boolean':
      return K.BOOL;
    case 'bigint':
      return K.INT;
    case 'object':
      return x === null ? K.NIL : (x[KIND] ?? foreignKind(x));
    default:
      return -1;
  }
}

function foreignKind(x) {
  if (Array.isArray(x)) return K.VECTOR;
  if (x instanceof Map) return K.MAP;
  if (x instanceof Set) return K.SET;
  if (x instanceof Date) return Number.isNaN(x.getTime()) ? -1 : K.DATE;
  if (x instanceof Uint8Array) return K.BYTES;
  const proto = Object.getPrototypeOf(x);
  // Plain objects, also of another realm; instances of classes would lose what makes them one.
  return proto === null || proto === Object.prototype || Object.getPrototypeOf(proto) === null ? K.MAP : -1;
}

/** Why `x` can't be stored. */
export function describe(x) {
  if (x === undefined) return 'undefined (null is stored as nil)';
  if (typeof x === 'function') return `a function${x.name ? ` (${x.name})` : ''}`;
  if (typeof x === 'symbol') return 'a JavaScript symbol (use keyword() or symbol() of eve)';
  if (x instanceof Date) return 'an invalid Date';
  const name = x?.constructor?.name;
  if (['Map', 'Set', 'Date', 'Uint8Array'].includes(name)) return `a ${name} of another realm, such as a vm context (copy it: new ${name}(..))`;
  if (typeof x === 'object') return `an object of class ${typeof name === 'string' ? name : '?'} (plain objects, arrays, Map, Set can be stored)`;
  return `a ${typeof x}`;
}

/** Is this one of the handles? By their kind, which no object from outside has: a property `_view` may be anybody's. */
export function isHandle(x) {
  return typeof x === 'object' && x !== null && x[KIND] >= K.MAP && x._view !== undefined;
}
