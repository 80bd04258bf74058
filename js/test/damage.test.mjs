// Damaged files: reading and swapping gives values or errors, never a crash, and ends. Each damage is tried in the slabs of the conformance vectors.
import { runs } from './support/runs.mjs';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { attempt } from './support/attempt.mjs';
import { temp } from './support/temp.mjs';
import { equal, hash, keyword, open, sortedMap, sortedSet } from 'eve';
import { BTREE_NODE, CONTROL_BACKED, HEADER_SIZE, SORTED_MAP } from '../layout.js';

const pristine = ['collections', 'scalars', 'texts'].map((g) => readFileSync(new URL(`../../tests/data/vectors/${g}.slab`, import.meta.url)));

const sorted = temp();
{
  const slab = open(sorted, { syncMode: 'none' });
  const numbers = Array.from({ length: 3000 }, (_, i) => i);
  for (const order of ['natural', 'reverse']) {
    slab.atom(`integers-${order}`, sortedSet(numbers, order));
    slab.atom(`texts-${order}`, sortedMap(numbers.map((i) => [`the key number ${i}`, i]), order));
    slab.atom(`vectors-${order}`, sortedMap(numbers.slice(0, 200).map((i) => [[i % 3, keyword(`k${i}`)], i / 2]), order));
  }
  slab.close();
}
const sortedSlab = readFileSync(sorted);

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
    for (const key of [0, 31, 1000, 'word', 'a longer string', keyword('k1'), [1, 2], 'the key number 1234', [1, keyword('k1')]]) {
      attempt(() => value?.get?.(key));
      attempt(() => value?.count?.({ from: key }));
      attempt(() => [...(value?.keys?.({ after: key, reverse: true }) ?? [])]);
    }
    for (const rank of [0, 47, 1500, -1]) attempt(() => value?.at?.(rank));
    attempt(() => [...(value?.keys?.({ reverse: true }) ?? [])]);
    attempt(() => equal(value, value?.toJS?.()));
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

test('sorted collections with damaged heads, nodes and leaves', () => {
  // Words that aren't 0 are somebody's; the first ones of heads and nodes are damaged as often as all others.
  const used = [];
  const words = new Int32Array(sortedSlab.buffer.slice(sortedSlab.byteOffset, sortedSlab.byteOffset + sortedSlab.length));
  for (let i = HEADER_SIZE >>> 2; i < words.length; i++) if (words[i] !== 0) used.push(i);
  const heads = used.filter((i) => (i & 3) === 0 && (words[i] & 0xff) >= SORTED_MAP && (words[i] & 0xff) <= BTREE_NODE);
  const place = fc.oneof(fc.nat(used.length - 1).map((i) => used[i]), fc.tuple(fc.nat(heads.length - 1), fc.nat(12)).map(([h, i]) => heads[h] + i));
  const content = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 47, 64, 65, 0x504), fc.nat(used.length - 1).map((i) => (used[i] * 4) & ~15),
    fc.nat(heads.length - 1).map((h) => heads[h] * 4));
  fc.assert(fc.property(fc.array(fc.tuple(place, content), { minLength: 1, maxLength: 20 }), (changes) => {
    const bytes = Buffer.from(sortedSlab);
    for (const [i, n] of changes) bytes.writeInt32LE(n, 4 * i);
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
