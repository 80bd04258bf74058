// Conformance: slabs of tests/data/vectors against the EDN and hashes that real Clojure wrote.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from './support/edn.mjs';
import { temp } from './support/temp.mjs';
import { double, equal, hash, keyword, open, openAnonymous, print } from 'eve';

const folder = new URL('../../tests/data/vectors/', import.meta.url);
const groups = readdirSync(folder).filter((f) => f.endsWith('.slab')).map((f) => f.slice(0, -5));
const printed = readFileSync(new URL('cases.tsv', folder), 'utf8').split('\n').filter((l) => l).map((l) => l.split('\t'));
const notEqual = new Set(['double-nan']);
const answerKeys = [keyword('hash'), keyword('value')];

test('there are vectors', () => assert.ok(groups.length >= 3, `${groups.length} slabs in ${folder}`));

for (const group of groups) {
  test(`the slab of ${group} holds what Clojure says`, () => {
    const path = temp(`${group}.eve`);
    copyFileSync(new URL(`${group}.slab`, folder), path);
    const slab = open(path);
    const again = openAnonymous();
    const cases = parse(readFileSync(new URL(`${group}.edn`, folder), 'utf8'));
    assert.ok(cases.size > 10);
    for (const [name, answer] of cases) {
      const [answerHash, expected] = answerKeys.map((k) => answer.get(k));
      const value = slab.snapshot().state.get(name);
      const what = `${group}/${name}`;
      // Scalars lose whether 1.0 was a double; as elements of a vector they don't.
      const wrapped = again.atom('x', null).swap(() => [slab.atom(name).deref()]);
      assert.equal(hash(expected), answerHash, `hash of the answer of ${what}`);
      if (typeof value === 'object') assert.equal(hash(value), answerHash, `hash of ${what}`);
      if (!notEqual.has(name.name)) {
        assert.ok(equal(value, typeof value === 'number' ? Number(expected) : expected), what);
        if (typeof value === 'object') assert.ok(wrapped.equals([expected]), `copy of ${what}`);
      }
      if (expected instanceof Map) for (const [k, v] of expected) assert.ok(equal(value.get(k), toNumber(v)), `${what} ${print(k)}`);
      if (expected instanceof Set) for (const e of expected) assert.ok(value.has(e), `${what} ${print(e)}`);
      if (Array.isArray(expected)) expected.forEach((e, i) => assert.ok(equal(value.get(i), toNumber(e)), `${what} ${i}`));
    }
    slab.close();
    again.close();
  });
}

// What a double reads as.
function toNumber(x) {
  return x?.constructor?.name === 'Double' ? x.value : x;
}

test('values print as Clojure prints them', () => {
  const slabs = Object.fromEntries(groups.map((group) => {
    const path = temp(`${group}.eve`);
    copyFileSync(new URL(`${group}.slab`, folder), path);
    return [group, open(path)];
  }));
  let n = 0;
  for (const [group, name, , , edn] of printed) {
    if (edn === '-' || /^-?\d{1,18}N$/.test(edn)) continue; // 5N is stored as 5
    const value = slabs[group].snapshot().state.get(keyword(name));
    // A double alone has become a number, which prints as an integer if it is one.
    const exact = typeof value === 'number' && /[.E]/.test(edn) ? double(value) : value;
    assert.equal(print(exact), edn, `${group}/${name}`);
    n++;
  }
  assert.ok(n > 100);
  for (const slab of Object.values(slabs)) slab.close();
});
