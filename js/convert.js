// Copies of values out of a slab.
import { EveError } from './error.js';
import { K, isHandle } from './kind.js';
import { print } from './print.js';
import { kindIn } from './value.js';
import { enter, leave } from './walk.js';

/** Maps as Map, sets as Set, vectors and lists as arrays, scalars as they are. */
export function toJS(x) {
  if (!isHandle(x)) return x;
  enter(x);
  try {
    const kind = kindIn(x);
    const out = kind === K.MAP ? new Map() : kind === K.SET ? new Set() : [];
    if (kind === K.MAP) for (const [k, v] of x) out.set(toJS(k), toJS(v));
    else if (kind === K.SET) for (const e of x) out.add(toJS(e));
    else for (const e of x) out.push(toJS(e));
    return out;
  } finally {
    leave();
  }
}

/** What JSON can hold: objects, arrays; keys are strings, names of keywords, or EDN text. */
export function toJSON(x) {
  if (typeof x === 'bigint') return x >= -9007199254740991n && x <= 9007199254740991n ? Number(x) : String(x);
  if (!isHandle(x)) return x instanceof Uint8Array ? Array.from(x) : x;
  enter(x);
  try {
    if (kindIn(x) === K.MAP) return jsonObject(x);
    const out = [];
    for (const e of x) out.push(toJSON(e));
    return out;
  } finally {
    leave();
  }
}

function jsonObject(map) {
  const out = {};
  for (const [k, v] of map) {
    const name = keyText(k);
    if (Object.hasOwn(out, name)) throw new EveError('EVE_TYPE', `two keys of the map become the same key of JSON: ${name}`);
    // Not an assignment: the key may be __proto__.
    Object.defineProperty(out, name, { value: toJSON(v), enumerable: true, configurable: true, writable: true });
  }
  return out;
}

function keyText(k) {
  if (typeof k === 'string') return k;
  return k?.fullName ?? print(k);
}
