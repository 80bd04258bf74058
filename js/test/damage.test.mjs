// Damaged files: reading and swapping gives values or errors, never a crash, and ends. Each damage is tried in the slabs of the conformance vectors.
import { runs } from './support/runs.mjs';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { attempt } from './support/attempt.mjs';
import { temp } from './support/temp.mjs';
import { hash, keyword, open } from 'eve';
import { CONTROL_BACKED, HEADER_SIZE } from '../layout.js';

const pristine = ['collections', 'scalars', 'texts'].map((g) => readFileSync(new URL(`../../tests/data/vectors/${g}.slab`, import.meta.url)));

function use(path) {
  const slab = attempt(() => open(path));
  if (!slab) return;
  const snapshot = attempt(() => slab.snapshot());
  const names = attempt(() => [...snapshot.state.keys()]) ?? [];
  for (const name of names.slice(0, 60)) {
    const value = attempt(() => snapshot.state.get(name));
    attempt(() => String(value));
    attempt(() => hash(value));
    attempt(() => value?.toJS?.());
    for (const key of [0, 31, 1000, 'word', 'a longer string', keyword('k1'), [1, 2]]) attempt(() => value?.get?.(key));
    if (name instanceof Object && attempt(() => slab.atom(name))) {
      attempt(() => slab.atom(name).assoc(0, 'changed'));
      attempt(() => slab.atom(name).conj(['k', 'v']));
      attempt(() => slab.atom(name).swap((x) => [x, x?.set ? x.set(1, 'y') : 'y']));
    }
  }
  attempt(() => snapshot.close());
  attempt(() => slab.close());
}

test('slabs with damaged objects', () => {
  const place = fc.nat();
  const content = fc.oneof(fc.integer(), fc.nat(0x400000).map((n) => (n + HEADER_SIZE) & ~15), fc.constantFrom(0, 1, -1, 32, 0x504));
  fc.assert(fc.property(fc.nat(pristine.length - 1), fc.array(fc.tuple(place, content), { minLength: 1, maxLength: 40 }), (which, changes) => {
    const bytes = Buffer.from(pristine[which]);
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    const from = HEADER_SIZE >>> 2;
    const to = Number(bytes.readBigUInt64LE(CONTROL_BACKED)) / 4 || words.length;
    for (const [i, n] of changes) words[from + (i % (Math.min(to, words.length) - from))] = n;
    const path = temp();
    writeFileSync(path, bytes);
    use(path);
    rmSync(path);
  }), { numRuns: runs(60) });
});

test('slabs cut off or with a damaged header are errors or values', () => {
  const damage = fc.array(fc.tuple(fc.nat(HEADER_SIZE - 1), fc.nat(255)), { maxLength: 20 });
  fc.assert(fc.property(fc.nat(pristine.length - 1), fc.nat(), damage, (which, cut, changes) => {
    const bytes = Buffer.from(pristine[which]);
    for (const [i, n] of changes) bytes[i % bytes.length] = n;
    const path = temp();
    writeFileSync(path, cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes);
    use(path);
    rmSync(path);
  }), { numRuns: runs(60) });
});
