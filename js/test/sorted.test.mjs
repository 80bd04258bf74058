// Sorted maps and sets: in order, beside a sorted array that does the same by `compare`, which is held against the answers of Clojure.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { inspect } from 'node:util';
import { test } from 'node:test';
import fc from 'fast-check';
import { compare } from '../compare.js';
import { valueOf } from './support/build.mjs';
import { all, startProcess } from './support/run.mjs';
import { runs } from './support/runs.mjs';
import { temp } from './support/temp.mjs';
import {
  Decimal, EveError, EveSortedMap, EveSortedSet, Ratio, double, equal, hash, keyword, list, open, openAnonymous, print, registerComparator, sortedMap,
  sortedSet, symbol,
} from 'eve';

const fails = (f, code, pattern = /./) => assert.throws(f, (e) => {
  assert.ok(e instanceof EveError, String(e.stack));
  assert.equal(e.code, code, e.message);
  assert.match(e.message, pattern);
  return true;
});

// ---- the order ----

const lines = readFileSync(new URL('../../tests/data/compares.tsv', import.meta.url), 'utf8').split('\n').filter((l) => l).map((l) => {
  const [a, b, answer] = l.split('\t');
  return [valueOf(a), valueOf(b), answer];
});
// Those of dates that only Java has.
const held = lines.filter(([a, b]) => ![a, b].some((x) => x instanceof Date && Number.isNaN(x.getTime())));

test("values compare as Clojure's compare says, both ways", () => {
  assert.ok(held.length > 9900 && lines.length - held.length < 50, `${held.length} of ${lines.length}`);
  const seen = {};
  for (const [a, b, answer] of held) {
    seen[answer] = (seen[answer] ?? 0) + 1;
    const what = `${print(a)} ${print(b)}`;
    if (answer === 'error') {
      fails(() => compare(a, b), 'EVE_TYPE', /can't compare/);
      continue;
    }
    const [forth, back] = [Math.sign(compare(a, b)), Math.sign(compare(b, a))];
    if (answer === '-') assert.equal(forth + back, 0, what);
    else assert.deepEqual([forth, back + 0], [Number(answer), 0 - Number(answer)], what);
  }
  assert.deepEqual(Object.keys(seen).sort(), ['-', '-1', '0', '1', 'error']);
});

test('keys in a slab are compared so, whatever their form', () => {
  const slab = openAnonymous();
  const atom = slab.atom('sets', []);
  const single = (x, order) => { try { return sortedSet([x], order); } catch (e) { return /can't compare/.test(e.message) ? null : assert.fail(e); } };
  for (let i = 0; i < held.length; i += 1000) {
    const part = held.slice(i, i + 1000);
    const sets = atom.reset(part.map(([a]) => single(a, 'natural')));
    const reversed = atom.reset(part.map(([a]) => single(a, 'reverse')));
    part.forEach(([a, b, answer], k) => {
      const [set, reverse] = [sets.get(k), reversed.get(k)];
      const what = `${print(a)} ${print(b)}`;
      assert.equal(set === null, reverse === null);
      if (set === null || answer === '-') return;
      if (answer === 'error') return void fails(() => set.has(b), 'EVE_TYPE', /can't compare/);
      assert.equal(set.has(b), answer === '0', what);
      assert.equal(reverse.has(b), answer === '0', what);
      assert.deepEqual([set.count({ before: b }), set.count({ after: b })], [Number(answer === '-1'), Number(answer === '1')], what);
      assert.deepEqual([reverse.count({ before: b }), reverse.count({ after: b })], [Number(answer === '1'), Number(answer === '-1')], what);
    });
  }
  slab.close();
});

test('a ratio beside a decimal is compared exactly, however far apart their scales are', () => {
  const third = new Ratio(1, 3);
  for (const [decimal, order] of [['0.33', 1], ['0.34', -1]]) assert.equal(compare(third, new Decimal(decimal)), order);
  assert.equal(compare(third, new Decimal(1n, 2 ** 31 - 1)), 1);
  assert.equal(compare(third, new Decimal(1n, -(2 ** 31))), -1);
  fails(() => compare(third, 1n << 1100000n), 'EVE_LIMIT');
});

test('nested and shared keys: each pair of parts is compared once, a value that contains itself is an error', () => {
  const [x, y] = [0, 1].map((bottom) => Array.from({ length: 60 }).reduce((v) => [v, v], bottom));
  const again = Array.from({ length: 60 }).reduce((v) => [v, v], 0);
  assert.equal(compare(x, again), 0);
  assert.equal(compare(x, y), -1);
  const loop = [];
  loop.push(loop);
  const other = [];
  other.push(other);
  assert.throws(() => compare(loop, other), EveError);
});

// ---- beside a model ----

const numbers = fc.oneof(fc.integer({ min: -30, max: 30 }), fc.integer(), fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.double({ noNaN: true }), fc.integer({ min: -30, max: 30 }).map(double), fc.integer({ min: -30, max: 30 }).map((n) => new Decimal(BigInt(n), 1)),
  fc.integer({ min: -30, max: 30 }).map((n) => new Ratio(2 * n + 1, 2)));
const texts = fc.oneof(fc.string({ maxLength: 3 }), fc.string({ unit: 'binary', maxLength: 12 }), fc.string({ minLength: 7, maxLength: 9 }));
const FAMILIES = {
  integers: fc.integer({ min: -500, max: 500 }), numbers, texts,
  names: fc.tuple(fc.option(fc.string({ maxLength: 2 })), fc.string({ maxLength: 9 })).map(([ns, n]) => keyword(ns, n)),
  vectors: fc.array(fc.oneof(numbers, fc.constant(null)), { maxLength: 3 }),
};

// A sorted map as an array of entries.
class Model {
  constructor(by) {
    this.by = by;
    this.entries = [];
  }
  set(key, value) {
    const i = this.entries.findIndex((e) => this.by(e[0], key) >= 0);
    if (i < 0) this.entries.push([key, value]);
    else if (this.by(this.entries[i][0], key) === 0) this.entries[i] = [this.entries[i][0], value];
    else this.entries.splice(i, 0, [key, value]);
  }
  delete(key) {
    this.entries = this.entries.filter((e) => this.by(e[0], key) !== 0);
  }
  range({ from, after, to, before, reverse }) {
    const { by } = this;
    const out = this.entries.filter(([k]) => (from === undefined || by(k, from) >= 0) && (after === undefined || by(k, after) > 0)
      && (to === undefined || by(k, to) <= 0) && (before === undefined || by(k, before) < 0));
    return reverse ? out.reverse() : out;
  }
}

function checkAll(map, set, model) {
  const { entries } = model;
  assert.equal(map.size, entries.length);
  assert.equal(set.size, entries.length);
  assert.deepEqual([...map.values()], entries.map((e) => e[1]));
  assert.equal(print([...map._exact()].map((e) => e[0])), print(entries.map((e) => e[0])));
  assert.equal(print([...set._exact()]), print(entries.map((e) => e[0])));
  entries.forEach(([k, v], i) => {
    assert.equal(map.get(k), v);
    assert.ok(set.has(k));
    assert.equal(map.at(i)[1], v);
    assert.equal(map.count({ before: k }), i);
  });
  assert.equal(map.at(entries.length), undefined);
  assert.equal(map.at(-entries.length - 1), undefined);
  assert.equal(map.at(-1)?.[1], entries.at(-1)?.[1]);
}

function checkRanges(map, set, model, keys) {
  for (const a of keys) {
    assert.equal(map.get(a, 'none'), model.range({ from: a, to: a })[0]?.[1] ?? 'none');
    for (const b of keys) {
      for (const range of [{ from: a, to: b }, { after: a, before: b }, { from: a, before: b }, { after: a, to: b }, { from: a }, { before: b }]) {
        for (const reverse of [false, true]) {
          const expected = model.range({ ...range, reverse }).map((e) => e[1]);
          const what = `${inspect(range)} ${reverse}`;
          assert.deepEqual([...map.values({ ...range, reverse })], expected, what);
          assert.equal(map.count({ ...range, reverse }), expected.length, what);
          assert.equal(map.first({ ...range, reverse })?.[1], expected[0], what);
          assert.equal(map.last({ ...range, reverse })?.[1], expected.at(-1), what);
          assert.equal([...set.keys({ ...range, reverse })].length, expected.length, what);
        }
      }
    }
  }
}

for (const [family, keys] of Object.entries(FAMILIES)) {
  for (const order of ['natural', 'reverse']) {
    test(`random operations beside a sorted array: ${family}, ${order}`, () => {
      const slab = openAnonymous();
      const by = order === 'natural' ? compare : (a, b) => compare(b, a);
      const step = fc.tuple(fc.constantFrom('set', 'delete', 'many', 'set'), fc.array(keys, { minLength: 1, maxLength: 60 }));
      const steps = fc.array(step, { minLength: 1, maxLength: 25 });
      fc.assert(fc.property(steps, fc.array(keys, { minLength: 1, maxLength: 3 }), (program, probes) => {
        const model = new Model(by);
        const start = program[0][1].map((k, i) => [k, i]);
        for (const [k, v] of start) model.set(k, v);
        const map = slab.atom('map', null);
        const set = slab.atom('set', null);
        map.reset(sortedMap(start, order));
        set.reset(sortedSet(start.map((e) => e[0]), order));
        let n = 1000;
        for (const [what, xs] of program) {
          if (what === 'set') {
            model.set(xs[0], n);
            map.swap((m) => m.set(xs[0], n));
            set.conj(xs[0]);
          } else if (what === 'delete') {
            const gone = xs.slice(0, 5).map((x) => model.entries[(hash(x) >>> 0) % (model.entries.length || 1)]?.[0] ?? x);
            for (const k of gone) model.delete(k);
            map.dissoc(...gone);
            set.swap((s) => s.delete(...gone));
          } else {
            const pairs = xs.map((x, i) => [x, n + i]);
            for (const [k, v] of pairs) model.set(k, v);
            map.swap((m) => m.merge(pairs));
            set.swap((s) => s.union(xs));
          }
          n += 100;
        }
        checkAll(map.deref(), set.deref(), model);
        checkRanges(map.deref(), set.deref(), model, [...probes, ...model.entries.slice(0, 1).map((e) => e[0])]);
        assert.ok(map.deref().equals(sortedMap(model.entries, order)));
      }), { numRuns: runs(20) });
      slab.close();
    });
  }
}

test('a tree of several levels: look-ups, ranks and ranges both ways', () => {
  const slab = openAnonymous();
  const n = 20000;
  for (const [order, sign] of [['natural', 1], ['reverse', -1]]) {
    const set = slab.atom('set', null).reset(sortedSet(Array.from({ length: n }, (_, i) => 3 * ((i * 7919) % n)), order));
    const map = slab.atom('map', null).reset(sortedMap(Array.from({ length: n }, (_, i) => [`key ${String(i).padStart(6, '0')}`, i]), order));
    const first = sign > 0 ? 0 : 3 * (n - 1);
    for (let i = 0; i < n; i += 13) {
      const x = first + sign * 3 * i;
      assert.equal(set.at(i), x);
      assert.ok(set.has(x) && !set.has(x + 1) && !set.has(x - 1));
      assert.equal(set.count({ before: x }), i);
      assert.equal(set.first({ after: x - sign }), x);
      assert.equal(set.last({ before: x + sign }), x);
      assert.equal(map.get(`key ${String(i).padStart(6, '0')}`), i);
      assert.equal(map.has(`key ${String(i).padStart(6, '0')}x`), false);
    }
    assert.equal(set.first({ after: first + sign * 3 * (n - 1) }), undefined);
    assert.equal(set.last({ before: first }), undefined);
    const part = Array.from({ length: 5000 }, (_, i) => first + sign * 3 * (777 + i));
    assert.deepEqual([...set.values({ from: part[0], to: part.at(-1) })], part);
    assert.deepEqual([...set.values({ from: part[0], to: part.at(-1), reverse: true })], part.reverse());
    assert.deepEqual([...set.keys({ reverse: true })], [...set].reverse());
    assert.equal(map.reduce((a, v) => a + v, 0), (n * (n - 1)) / 2);
  }
  slab.close();
});

test('big integers, and numbers beside them', () => {
  const slab = openAnonymous();
  const big = [2n ** 53n + 1n, 2n ** 62n - 1n, 2n ** 62n, 2n ** 62n + 5n, 2n ** 63n, 2n ** 100n];
  const xs = [...big.map((n) => -n).reverse(), -5, 0, 0.5, 5, ...big];
  for (const order of ['natural', 'reverse']) {
    const set = slab.atom('s', null).reset(sortedSet([...xs].reverse(), order));
    assert.deepEqual([...set], order === 'natural' ? xs : [...xs].reverse());
    for (const x of xs) assert.equal(set.get(x), x);
    assert.equal(set.has(2n ** 62n + 1n), false);
    assert.equal(set.get(double(5)), 5);
    assert.equal(set.get(new Decimal('5.00')), 5);
  }
  slab.close();
});

// ---- what they are ----

test('they are as Map and Set, in order', () => {
  const slab = openAnonymous();
  const [a, b, c] = ['a', 'b', 'c'].map((s) => keyword(s));
  const map = slab.atom('m', sortedMap(new Map([[c, 3], [a, [1]], [b, { x: 2 }]]))).deref();
  assert.ok(map instanceof EveSortedMap);
  assert.equal(map.order, 'natural');
  assert.equal(String(map), '{:a [1], :b {"x" 2}, :c 3}');
  assert.deepEqual([...map.toJS()], [[a, [1]], [b, new Map([['x', 2]])], [c, 3]]);
  assert.equal(JSON.stringify(map), '{"a":[1],"b":{"x":2},"c":3}');
  assert.equal(map.getIn([b, 'x']), 2);
  assert.deepEqual([...map.keys()], [a, b, c]);
  const seen = [];
  map.forEach((v, k, m) => seen.push([k, m === map]));
  assert.deepEqual(seen, [[a, true], [b, true], [c, true]]);
  assert.deepEqual(map.first()[0], a);
  assert.deepEqual(map.last(), [c, 3]);
  assert.match(inspect(map), /^EveSortedMap Map\(3\) \{\s+:a => /);
  const iterator = map.entries();
  assert.equal(iterator[Symbol.iterator](), iterator);
  assert.equal(Object.prototype.toString.call(map), '[object EveSortedMap]');

  const set = slab.atom('s', sortedSet(['b', 'a'], 'reverse')).deref();
  assert.ok(set instanceof EveSortedSet);
  assert.equal(set.order, 'reverse');
  assert.equal(String(set), '#{"b" "a"}');
  assert.deepEqual([...set.entries()], [['b', 'b'], ['a', 'a']]);
  assert.deepEqual([...set.toJS()], ['b', 'a']);
  assert.equal(JSON.stringify(set), '["b","a"]');
  assert.equal(set.reduce((x, e) => x + e, ''), 'ba');
  assert.equal(inspect(set), "EveSortedSet Set(2) { 'b', 'a' }");
  assert.equal(inspect(set, { maxArrayLength: 1 }), "EveSortedSet Set(2) { 'b', ... 1 more item }");
  slab.close();
});

test('what is given to be stored is in order, the first of equal keys with the last value', () => {
  assert.equal(print(sortedMap([[2, 'b'], [1, 'a'], [double(2), 'c']])), '{1 "a", 2 "c"}');
  assert.equal(print(sortedMap({ b: 1, a: 2 }, 'reverse')), '{"b" 1, "a" 2}');
  assert.equal(print(sortedSet([3, 1, 2, 1])), '#{1 2 3}');
  assert.equal(sortedSet([3, 1, 3]).size, 2);
  assert.deepEqual([...sortedMap([[2, 1], [1, 2]])], [[1, 2], [2, 1]]);
  assert.equal(print(sortedMap()), '{}');
  fails(() => sortedSet([1, 'a']), 'EVE_TYPE', /can't compare/);
  fails(() => sortedSet([{}]), 'EVE_TYPE', /can't compare a map/);
  fails(() => sortedMap([[undefined, 1]]), 'EVE_TYPE', /undefined/);
  fails(() => sortedSet([1], 'ascending'), 'EVE_TYPE', /an order is/);
  const slab = openAnonymous();
  const exact = slab.atom('v', [1, double(2)]).deref();
  assert.equal(print(sortedSet(exact)), '#{1 2.0}');
  const nested = slab.atom('n', { x: sortedMap([[2, sortedSet([2, 1])], [1, sortedSet()]]) }).deref();
  assert.equal(String(nested), '{"x" {1 #{}, 2 #{1 2}}}');
  assert.ok(nested.get('x').get(2) instanceof EveSortedSet);
  slab.close();
});

test('changes keep the order; what changes nothing is the same value', () => {
  const slab = openAnonymous();
  const atom = slab.atom('m', sortedMap([[1, 'a']], 'reverse'));
  assert.equal(String(atom.swap((m) => m.set(2, 'b').merge([[4, 'd']], { }).update(4, (x) => `${x}d`))), '{4 "dd", 2 "b", 1 "a"}');
  atom.swap((m) => (assert.equal(m.delete(17), m), m));
  assert.equal(String(atom.swap((m) => m.clear().set(1, 1).set(2, 2))), '{2 2, 1 1}');
  assert.equal(atom.deref().order, 'reverse');
  fails(() => atom.deref().set(1, 2), 'EVE_TYPE', /inside atom.swap/);
  fails(() => atom.swap((m) => m.set('a', 1)), 'EVE_TYPE', /can't compare/);
  fails(() => atom.deref().get('a'), 'EVE_TYPE', /can't compare a string with an integer|can't compare an integer with a string/);
  assert.equal(atom.deref().get(undefined), undefined);
  assert.equal(atom.deref().has(() => 1), false);
  for (const range of [null, 1, { form: 1 }, { from: 1, after: 2 }, { to: 1, before: 2 }]) fails(() => atom.deref().keys(range), 'EVE_ARG');
  const kept = atom.read((m) => m);
  fails(() => kept.first(), 'EVE_RELEASED');
  fails(() => kept.get(1), 'EVE_RELEASED');
  // To another slab, by content.
  const other = openAnonymous();
  const copy = other.atom('copy', atom.deref()).deref();
  assert.ok(copy instanceof EveSortedMap && copy.order === 'reverse' && String(copy) === '{2 2, 1 1}');
  other.close();
  slab.close();
});

test('hash and equality are by content, whatever the orders, both ways', () => {
  const slab = openAnonymous();
  const pairs = [[2, ['x']], [1, null], [double(3), keyword('k')]];
  const of = (x) => slab.atom('x', null).swap(() => [x]).get(0);
  const maps = [of(sortedMap(pairs)), of(sortedMap(pairs, 'reverse')), of(new Map(pairs)), sortedMap(pairs), new Map(pairs)];
  const elements = [5, -1, double(2), new Ratio(1, 2)];
  const sets = [of(sortedSet(elements)), of(sortedSet(elements, 'reverse')), of(new Set(elements)), sortedSet(elements, 'reverse'), new Set(elements)];
  for (const group of [maps, sets]) {
    for (const a of group) {
      assert.equal(hash(a), hash(group[2]));
      for (const b of group) assert.ok(equal(a, b), `${print(a)} ${print(b)}`);
    }
  }
  // As hash maps: 1 is not 1.0, and what can't be compared is not equal.
  for (const order of ['natural', 'reverse']) {
    const set = of(sortedSet([1, 2], order));
    for (const other of [new Set([double(1), 2]), new Set(['a', 1]), new Set([1, 3]), new Set([1]), [1, 2], list(1, 2)]) {
      for (const x of [other, of(other), ...(other instanceof Set && !other.has('a') ? [of(sortedSet(other)), of(sortedSet(other, 'reverse'))] : [])]) {
        assert.ok(!equal(set, x) && !equal(x, set), `${set} ${print(x)}`);
      }
    }
    assert.ok(!of(sortedMap([[1, 2]], order)).equals(new Map([[1, 3]])));
    assert.ok(!equal(of(sortedMap([[1, 2]], order)), of(sortedMap([[1, 3]]))));
    assert.ok(equal(of(sortedSet([], order)), new Set()) && equal(new Set(), of(sortedSet([], order))));
  }
  // As keys of hash maps.
  const table = of(new Map([[sortedSet([2, 1]), 'found']]));
  assert.equal(table.get(new Set([1, 2])), 'found');
  assert.equal(table.get(sortedSet([1, 2], 'reverse')), 'found');
  slab.close();
});

test('the order of a named comparator: read without it, searched with it', () => {
  const path = temp();
  const slab = open(path, { syncMode: 'none' });
  const name = keyword('by', 'length');
  fails(() => sortedSet(['a'], name), 'EVE_TYPE', /comparator :by\/length.*registerComparator/);
  fails(() => registerComparator('by/length', () => 0), 'EVE_TYPE');
  fails(() => registerComparator(name, 1), 'EVE_TYPE');
  // A process that knows it makes the set.
  const script = `
    import { open, keyword, registerComparator, sortedMap } from 'eve';
    registerComparator(keyword('by', 'length'), (a, b) => a.length - b.length);
    const slab = open(${JSON.stringify(path)});
    slab.atom('m', sortedMap([['ccc', 3], ['a', 1], ['dddd', 4], ['bb', 2]], keyword('by', 'length')));
    slab.close();`;
  const p = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: new URL('.', import.meta.url), encoding: 'utf8' });
  assert.equal(p.status, 0, p.stderr);
  const atom = slab.atom('m');
  const map = atom.deref();
  assert.equal(map.order, name);
  assert.equal(String(map), '{"a" 1, "bb" 2, "ccc" 3, "dddd" 4}');
  assert.deepEqual([...map.keys({ reverse: true })], ['dddd', 'ccc', 'bb', 'a']);
  assert.deepEqual([map.first(), map.at(1), map.last()], [['a', 1], ['bb', 2], ['dddd', 4]]);
  assert.ok(map.equals(map.toJS()) && equal(map.toJS(), map));
  for (const f of [() => map.get('a'), () => map.has('a'), () => map.count({ from: 'a' })]) fails(f, 'EVE_TYPE', /registerComparator/);
  registerComparator(name, (a, b) => a.length - b.length);
  assert.equal(map.get('xxx'), 3);
  assert.equal(map.has('xxxxx'), false);
  assert.deepEqual([...map.values({ after: 'x', reverse: true })], [4, 3, 2]);
  fails(() => atom.swap((m) => m.set('eeeee', 5)), 'EVE_TYPE', /by\/length/);
  assert.equal(String(slab.atom('n', sortedSet(['zz', 'y', 'xx'], name)).deref()), '#{"y" "zz"}');
  assert.equal(String(atom.swap((m) => m.clear())), '{}');
  registerComparator(symbol('bad'), () => NaN);
  fails(() => sortedSet([1, 2], symbol('bad')), 'EVE_TYPE', /gave NaN/);
  registerComparator(symbol('closes'), (a, b) => a - b);
  const closes = slab.atom('c', sortedSet([1, 2, 3], symbol('closes'))).deref();
  registerComparator(symbol('closes'), () => (slab.close(), -1));
  fails(() => closes.has(1), 'EVE_CLOSED');
});

test('code of a key that closes the slab while it is compared is an error', () => {
  const script = `
    import { openAnonymous, keyword, sortedMap, sortedSet } from 'eve';
    for (const keys of [[[1], [2]], ['a', 'some longer text'].map((s) => keyword(s)), [[[1]], [[2]]]]) {
      for (const when of ['string', 'symbol']) {
        for (const many of [0, 200]) {
          const slab = openAnonymous();
          const more = Array.from({ length: many }, (_, i) => (Array.isArray(keys[0]) ? [i] : keyword('k' + i))).filter(() => !Array.isArray(keys[0]?.[0]));
          const set = slab.atom('s', sortedSet([...keys, ...more])).deref();
          const trap = (t, k) => { if (typeof k === when) slab.close(); return Reflect.get(t, k); };
          const key = new Proxy(keys[1], { get: trap });
          for (const f of [() => set.has(key), () => set.count({ from: key }), () => [...set.values({ after: key })]]) {
            try { f(); } catch (e) { if (e.code !== 'EVE_CLOSED') throw e; }
          }
        }
      }
    }
    console.log('end');`;
  const p = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: new URL('.', import.meta.url), encoding: 'utf8', timeout: 60000 });
  assert.equal(p.stdout, 'end\n', `${p.signal} ${p.stderr}`);
});

test('a tree or an order that leads to itself is an error', () => {
  const path = temp();
  let slab = open(path, { syncMode: 'none' });
  const { _low, _rootLow } = slab.atom('s', sortedSet(Array.from({ length: 1000 }, (_, i) => i))).deref();
  slab.close();
  const sound = readFileSync(path);
  const damaged = (use, ...changes) => {
    const bytes = Buffer.from(sound);
    for (const [at, word] of changes) bytes.writeBigInt64LE(BigInt(word), at);
    const file = temp();
    writeFileSync(file, bytes);
    slab = open(file, { readOnly: true });
    use(() => slab.atom('s').deref());
    slab.close();
  };
  damaged((set) => fails(set, 'EVE_CORRUPT', /no order/), [_low + 32, _low]);
  damaged((set) => fails(set, 'EVE_CORRUPT', /no order/), [_low + 32, 3]);
  damaged((set) => fails(set, 'EVE_CORRUPT', /impossible count/), [_low + 16, 0]);
  // The first child of the root is the root.
  damaged((set) => {
    fails(() => set().has(-1), 'EVE_CORRUPT', /deeper/);
    fails(() => set().count({ from: -1 }), 'EVE_CORRUPT', /deeper/);
    fails(() => [...set()], 'EVE_CORRUPT', /deeper/);
    assert.equal([...set().keys({ reverse: true })].length, 1000); // ends before it is there a second time
    assert.ok(set().has(999));
  }, [_rootLow + 16, _rootLow]);
});

test('processes add to one sorted set, and each sees it in order', async () => {
  const path = temp();
  const slab = open(path, { syncMode: 'none' });
  slab.atom('sorted', sortedSet());
  const n = 400;
  await all([0, 1, 2].map((me) => startProcess('sorted', { path, n, me })));
  const set = slab.atom('sorted').deref();
  assert.deepEqual([...set], Array.from({ length: 3 * n }, (_, i) => i));
  assert.deepEqual(slab.verify().findings, []);
  slab.close();
});
