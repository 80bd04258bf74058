import { EveError } from 'eve';

/** What f returns; undefined if the slab is an error. */
export function attempt(f) {
  try {
    return f();
  } catch (e) {
    if (!(e instanceof EveError)) throw e;
    return undefined;
  }
}
