// Copies of values out of a slab.
import { EveError } from './error.js';
import { K } from './kind.js';
import { print } from './print.js';
import { isHandle, kindIn } from './value.js';
import { within } from './walk.js';

/** Maps as Map, sets as Set, vectors and lists as arrays, scalars as they are. Keys that are collections stay comparable only as handles are: they are copied too. */
export function toJS(x) {
  if (!isHandle(x)) return x;
  return within(x, () => {
    switch (kindIn(x)) {
      case K.MAP: {
        const out = new Map();
        x.forEach((v, k) => out.set(toJS(k), toJS(v)));
        return out;
      }
      case K.SET: {
        const out = new Set();
        x.forEach((e) => out.add(toJS(e)));
        return out;
      }
      default:
        return x.map(toJS);
    }
  });
}

/** What JSON can hold: objects, arrays; keys are strings, names of keywords, or EDN text. */
export function toJSON(x) {
  if (typeof x === 'bigint') return x >= -9007199254740991n && x <= 9007199254740991n ? Number(x) : String(x);
  if (!isHandle(x)) return x instanceof Uint8Array ? Array.from(x) : x;
  return within(x, () => {
    if (kindIn(x) !== K.MAP) return Array.from(x, toJSON);
    const out = {};
    x.forEach((v, k) => {
      const name = keyText(k);
      if (Object.hasOwn(out, name)) throw new EveError('EVE_TYPE', `two keys of the map become the same key of JSON: ${name}`);
      Object.defineProperty(out, name, { value: toJSON(v), enumerable: true, configurable: true, writable: true });
    });
    return out;
  });
}

function keyText(k) {
  if (typeof k === 'string') return k;
  return k?.fullName ?? print(k);
}
