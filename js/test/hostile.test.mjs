// Slabs that the fuzzer has damaged: reading and writing them gives values or errors, and ends. `make test STAGES=node` writes them; each is used in its place.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { equal, hash, keyword, open } from 'eve';
import { attempt } from './support/attempt.mjs';
import { inFastLoop } from './support/runs.mjs';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const kept = readdirSync(folder('../../tests/data/hostile')).sort();
const slabs = folder('../../target/hostile/');

function useValue(value) {
  attempt(() => String(value));
  attempt(() => hash(value));
  attempt(() => value?.toJS?.());
  attempt(() => equal(value, value?.toJS?.()));
  attempt(() => (value?.[Symbol.iterator] && typeof value !== 'string' ? [...value].length : 0));
  for (const key of [0, 31, 1099, 'short', 'AaBBAaAaAa', keyword('leaf'), [1, 2]]) {
    attempt(() => value?.get?.(key));
    attempt(() => value?.has?.(key));
    attempt(() => value?.count?.({ from: key }));
    attempt(() => [...(value?.keys?.({ before: key, reverse: true }) ?? [])]);
  }
}

function useSlab(path, readOnly) {
  const slab = attempt(() => open(path, { readOnly, create: false, syncMode: 'none', maxBytes: 64 << 20 }));
  if (!slab) return;
  const snapshot = attempt(() => slab.snapshot());
  // None: the state is no map.
  const names = (snapshot && attempt(() => [...snapshot.state.keys()].slice(0, 40))) ?? [];
  attempt(() => String(snapshot?.state));
  for (const name of names) {
    useValue(attempt(() => snapshot.state.get(name)));
    const atom = !readOnly && name instanceof Object ? attempt(() => slab.atom(name)) : undefined;
    if (!atom) continue;
    attempt(() => atom.conj([1, 2]));
    attempt(() => atom.assoc(0, 'changed'));
    attempt(() => atom.swap((x) => [x, x]));
    attempt(() => String(atom.deref()));
  }
  attempt(() => slab.verify());
  if (!readOnly) attempt(() => slab.gc());
  attempt(() => snapshot?.close());
  attempt(() => slab.close());
}

test('slabs that were damaged give values or errors, and end', { skip: inFastLoop }, () => {
  assert.deepEqual(readdirSync(slabs).sort(), kept, 'make test STAGES=node writes the slabs');
  for (const name of kept) {
    for (const readOnly of [true, false]) {
      try {
        useSlab(slabs + name, readOnly);
      } catch (e) {
        throw new Error(`${name}${readOnly ? ' read-only' : ''}`, { cause: e });
      }
    }
  }
});
