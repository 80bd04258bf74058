// Atoms: what goes in comes out, errors change nothing, handles stay valid.
import { runs } from './support/runs.mjs';
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import fc from 'fast-check';
import { temp } from './support/temp.mjs';
import {
  Char, Decimal, EveError, EveList, EveMap, EveSet, EveVector, Instant, Ratio, UUID, add, assoc, conj, disj, dissoc, double, equal, hash, inc, keyword, kw,
  list, open, openAnonymous, pop, print, symbol,
} from 'eve';

const fails = (f, code, pattern = /./) => assert.throws(f, (e) => {
  assert.ok(e instanceof EveError, String(e.stack));
  assert.equal(e.code, code, e.message);
  assert.match(e.message, pattern);
  return true;
});

test('values of all kinds come back as they were', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', null);
  const same = [
    null, true, false, 0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 32 + 1, -(2 ** 52) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0.5, -1.25, 1e300, -1e-300,
    5e-324, Infinity, -Infinity, NaN, -0, 2 ** 53, 2n ** 53n, -(2n ** 53n), 2n ** 62n, -(2n ** 62n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n,
    -(2n ** 63n) - 1n, 2n ** 200n,
    -(2n ** 200n), '', 'a', '1234567', '12345678', '\u00e9', 'Gr\u00fc\u00dfe', '\u65e5\u672c\u8a9e', 'emoji \u{1f600} here', '\ud800',
    'x\udc00y\ud800', 'a\u0000b', '\u0000', 'x'.repeat(100000),
    '\u00fc'.repeat(100000), '?'.repeat(20), keyword('a'), kw`ns/name`, keyword('with space', 'and/slash'), symbol('s'), symbol('ns/s'),
  ];
  for (const x of same) {
    assert.ok(Object.is(a.reset(x), x), inspect(x));
    assert.ok(Object.is(a.deref(), x), inspect(x));
  }
  for (const x of [new Char('x'), new Char('\ud800'), new Ratio(-1, 3), new Ratio(2n ** 100n, 3n), new Decimal('1.50'),
    new Decimal('-1E+400'), new Decimal(2n ** 100n, -5), new UUID('123e4567-e89b-12d3-a456-426614174000'),
    new Date(0), new Date(-1), new Date(8.64e15), new Instant(-5n, 999999999), new Instant(2n ** 40n, 1),
    Uint8Array.of(), Uint8Array.of(1, 255, 0)]) {
    const y = a.reset(x);
    assert.deepEqual(y, x);
    assert.ok(equal(y, x));
    assert.equal(print(y), print(x));
  }
  assert.equal(a.reset(5n), 5);
  assert.equal(a.reset(double(3)), 3);
  assert.equal(print(slab.atom('v', [double(3), 3]).deref()), '[3.0 3]');
  slab.close();
});

test('JavaScript collections become eve collections', () => {
  const slab = openAnonymous();
  const deep = new Map([[[1, 2], new Map([[keyword('k'), list(1, 2)]])]]);
  const a = slab.atom('a', { name: 'Berlin', at: [52.5, 13.4], tags: new Set(['a', keyword('b')]), deep });
  const v = a.deref();
  assert.ok(v instanceof EveMap && v.get('at') instanceof EveVector && v.get('tags') instanceof EveSet);
  assert.ok(v.getIn(['deep', [1, 2], keyword('k')]) instanceof EveList);
  assert.equal(v.get('deep').get(list(1, 2)).get(kw`k`).first(), 1);
  const json = JSON.parse(JSON.stringify(v));
  assert.deepEqual(json.tags.sort(), ['a', 'b']);
  assert.deepEqual(json, { name: 'Berlin', at: [52.5, 13.4], tags: json.tags, deep: { '[1 2]': { k: [1, 2] } } });
  assert.deepEqual(v.toJS().get('at'), [52.5, 13.4]);
  assert.match(inspect(v, { depth: 9 }), /EveMap Map\(4\) \{\s*'name' => 'Berlin',\s*'at' => EveVector \[ 52.5, 13.4 \]/);
  assert.equal(String(v.get('at')), '[52.5 13.4]');
  assert.equal(inspect(keyword('a/b')), ':a/b');
  slab.close();
});

test('what cannot be stored is an error that names the path, and nothing changes', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', { x: 1 });
  const before = slab.version;
  class Foo {}
  fails(() => a.reset({ list: [1, { f: () => 1 }] }), 'EVE_TYPE', /function.*at \["list" 1 "f"\]/);
  fails(() => a.reset(undefined), 'EVE_TYPE', /undefined/);
  fails(() => a.swap(() => {}), 'EVE_TYPE', /undefined/);
  fails(() => a.reset(new Map([[keyword('k'), Symbol('s')]])), 'EVE_TYPE', /symbol.*\[:k\]/);
  fails(() => a.reset([new Foo()]), 'EVE_TYPE', /Foo.*\[0\]/);
  fails(() => a.reset(Promise.resolve(1)), 'EVE_TYPE', /Promise/);
  fails(() => a.reset(new Date(NaN)), 'EVE_TYPE', /Date/);
  fails(() => a.swap((v) => v.set('y', new WeakMap())), 'EVE_TYPE', /WeakMap/);
  fails(() => a.assoc('y', [Foo]), 'EVE_TYPE', /function/);
  const cycle = [];
  cycle.push(cycle);
  fails(() => a.reset(cycle), 'EVE_TYPE', /deeper/);
  assert.throws(() => a.swap(() => { throw new RangeError('mine'); }), RangeError);
  assert.equal(slab.version, before);
  assert.equal(a.deref().get('x'), 1);
  fails(() => slab.atom('none'), 'EVE_NOT_FOUND', /:none/);
  fails(() => slab.atom(5, 1), 'EVE_TYPE', /name of an atom/);
  fails(() => a.deref().set('y', 1), 'EVE_TYPE', /inside atom.swap/);
  fails(() => a.swap(() => a.swap((x) => x)), 'EVE_TYPE', /own swap/);
  fails(() => a.swap(pop), 'EVE_TYPE');
  assert.equal(slab.version, before);
  slab.close();
});

test('swap with operations of handles', () => {
  const slab = openAnonymous();
  const m = slab.atom('m', {});
  assert.equal(m.swap((x) => x.set('a', 1).set('b', 2).delete('a').merge({ c: 3 }, new Map([[keyword('d'), 4]]))).size, 3);
  assert.ok(m.deref().equals(new Map([['b', 2], ['c', 3], [keyword('d'), 4]])));
  assert.equal(m.swap((x) => x.update('c', (c, n) => c + n, 10)).get('c'), 13);
  m.swap((x) => x.set('nested', { v: [1, 2, 3] }));
  assert.ok(m.swap((x) => x.set('nested', x.get('nested').set('v', x.getIn(['nested', 'v']).push(4)))).getIn(['nested', 'v']).equals([1, 2, 3, 4]));
  const v = slab.atom('v', []);
  v.swap((x) => x.push(1, 2, 3).set(0, 'a').pop().concat(['x', 'y']));
  assert.deepEqual(v.deref().toJS(), ['a', 2, 'x', 'y']);
  const s = slab.atom('s', new Set());
  s.swap((x) => x.add(1, 2, 3).delete(2).union(new Set([9])));
  assert.ok(s.deref().equals(new Set([1, 3, 9])));
  const l = slab.atom('l', list());
  l.swap((x) => x.unshift(1, 2));
  assert.deepEqual(l.deref().toArray(), [2, 1]);
  assert.deepEqual(l.swap((x) => x.shift()).toArray(), [1]);
  assert.equal(m.swap((x) => x.clear()).size, 0);
  slab.close();
});

test('known functions are one call and mean the same', () => {
  const slab = openAnonymous();
  const m = slab.atom('m', {});
  m.swap(assoc, 'a', 1, keyword('b'), [1]);
  m.assoc('c', { d: 1 });
  m.dissoc('a');
  assert.ok(m.deref().equals(new Map([[keyword('b'), [1]], ['c', { d: 1 }]])));
  const v = slab.atom('v', [1]);
  v.conj(2, 3);
  v.swap(assoc, 0, 'x');
  assert.ok(v.swap(pop).equals(['x', 2]));
  const s = slab.atom('s', new Set());
  s.conj(1, 'a');
  assert.ok(s.swap(disj, 1).equals(new Set(['a'])));
  assert.deepEqual(slab.atom('l', list(1)).swap(conj, 0).toArray(), [0, 1]);
  assert.ok(m.swap((x) => dissoc(assoc(x, 'q', 1), 'c')).equals(new Map([[keyword('b'), [1]], ['q', 1]])));
  const n = slab.atom('n', 1);
  assert.equal(n.add(), 2);
  assert.equal(n.swap(inc), 3);
  assert.equal(n.swap(add, -5), -2);
  assert.equal(n.add(2n ** 62n), 2n ** 62n - 2n);
  n.reset(2n ** 63n - 1n);
  assert.equal(n.add(1), 2n ** 63n); // beyond 64 bits: the general way
  n.reset(1.5);
  assert.equal(n.add(1), 2.5);
  assert.equal(slab.atom('d', double(1)).add(1), 2);
  slab.close();
});

test('values nested 1000 deep are stored, compared, printed and copied', () => {
  const slab = openAnonymous();
  let value = 'deep';
  for (let i = 0; i < 1000; i++) value = i % 3 === 0 ? [value] : i % 3 === 1 ? new Map([[keyword('m'), value]]) : new Set([value]);
  const a = slab.atom('a', value);
  const read = a.deref();
  assert.ok(read.equals(value));
  assert.equal(hash(read), hash(value));
  assert.equal(String(read), print(value));
  assert.deepEqual(print(read.toJS()), print(value));
  const other = openAnonymous();
  assert.ok(other.atom('a', read).deref().equals(read));
  other.close();
  slab.close();
});

test('compareAndSet, atoms by name, remove', () => {
  const slab = openAnonymous();
  const a = slab.atom('ns/a', [1]);
  assert.equal(slab.atom(keyword('ns', 'a')), a);
  assert.equal(slab.atom(':x', 1).name, keyword(':x'));
  assert.equal(a.compareAndSet([2], 0), false);
  assert.equal(a.compareAndSet([1], 0), true);
  assert.equal(a.compareAndSet(0, a.deref()), true);
  assert.equal(a.deref(), 0);
  assert.equal(slab.atom('ns/a', 'other').deref(), 0);
  assert.ok(slab.has('ns/a') && !slab.has('ns/b'));
  assert.equal(slab.remove('ns/a'), true);
  assert.equal(slab.remove('ns/a'), false);
  assert.equal(slab.remove('never'), false);
  fails(() => a.deref(), 'EVE_NOT_FOUND');
  assert.equal(slab.atom('ns/a', 7).deref(), 7);
  assert.equal(a.deref(), 7);
  slab.close();
});

test('handles keep their value whatever is committed later, leaked ones too', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', new Map(Array.from({ length: 500 }, (_, i) => [i, [i]])));
  const old = a.deref();
  let base, intermediate, aborted, result;
  a.swap((m) => {
    base = m;
    intermediate = m.set('leak', 'intermediate');
    return (result = intermediate.set('final', 1));
  });
  assert.throws(() => a.swap((m) => { aborted = m.set('aborted', [1, 2, 3]); throw new Error('no'); }), /no/);
  for (let i = 0; i < 20000; i++) a.assoc(i % 500, [i, 'new value number ' + i]);
  for (let i = 0; i < 500; i++) {
    assert.equal(old.get(i).get(0), i);
    assert.equal(base.get(i).length, 1);
    assert.equal(intermediate.get(i).length, 1);
    assert.equal(aborted.get(i).length, 1);
    assert.equal(result.get(i).length, 1);
  }
  assert.equal(intermediate.get('leak'), 'intermediate');
  assert.ok(!intermediate.has('final'));
  assert.equal(result.get('final'), 1);
  assert.equal(aborted.get('aborted').get(2), 3);
  // leaked handles can be stored again
  const b = slab.atom('b', []);
  b.swap((v) => v.push(old, intermediate, aborted));
  assert.ok(b.deref().get(1).equals(intermediate) && b.deref().get(0).equals(old) && b.deref().get(2).equals(aborted));
  b.reset(aborted);
  assert.ok(b.deref().equals(aborted));
  a.swap(() => old);
  assert.ok(a.deref().equals(old));
  slab.close();
});

test('handles of another slab are copied', () => {
  const one = openAnonymous();
  const two = openAnonymous();
  const a = one.atom('a', { k: [1, double(2), keyword('x'), new Set(['y']), list(1, 2)], '\u00fc': '\u00fc' });
  const b = two.atom('b', 0);
  b.reset(a.deref());
  b.swap((x) => x.set('again', a.deref()));
  const copy = b.deref();
  one.close();
  assert.equal(copy.getIn(['again', 'k', 2]), keyword('x'));
  assert.equal(String(copy.getIn(['k'])), '[1 2.0 :x #{"y"} (1 2)]');
  two.close();
});

test('snapshots, scoped reads and closed slabs: the value or an error', () => {
  const path = temp();
  const slab = open(path);
  const a = slab.atom('a', { k: [1, 2, 3] });
  const s = slab.snapshot();
  const value = s.get(a);
  const iterator = value[Symbol.iterator]();
  a.assoc('k', 0);
  assert.ok(value.get('k').equals([1, 2, 3]));
  assert.equal(s.get('a').size, 1);
  assert.equal(s.get('none'), undefined);
  assert.equal(s.state.size, 1);
  assert.ok(s.version < slab.version && s.time instanceof Date);
  s.close();
  s.close();
  const released = [() => value.get('k'), () => value.size, () => [...value], () => iterator.next(), () => String(value), () => JSON.stringify(value),
    () => value.equals({}), () => value.forEach(() => {}), () => s.get(a), () => s.state, () => a.reset(value), () => a.swap((m) => m.set('v', value))];
  for (const f of released) fails(f, 'EVE_RELEASED', /version \d+ of .*slab\.eve/);
  assert.match(inspect(value), /released/);
  let leaked;
  assert.equal(a.read((m) => (leaked = m).get('k')), 0);
  fails(() => leaked.get('k'), 'EVE_RELEASED');
  fails(() => slab.snapshot().get(a).forEach((_, __, m) => { slab.close(); m.get('k'); }), 'EVE_CLOSED');
  slab.close();
  for (const f of [() => a.deref(), () => a.reset(1), () => a.add(1), () => slab.snapshot(), () => slab.atom('a'), () => slab.version, () => slab.sync(),
    () => a.read((x) => x), () => slab.has('a'), () => a.watch(() => {}), () => a.compareAndSet(1, 2)]) fails(f, 'EVE_CLOSED', /closed/);
  const held = open(path);
  const h = held.atom('a').deref();
  const it = held.atom('v', [1, 2]).deref()[Symbol.iterator]();
  it.next();
  held.close();
  for (const f of [() => h.get('k'), () => [...h], () => h.size, () => hash(h), () => it.next()]) fails(f, 'EVE_CLOSED');
  if (Symbol.dispose) assert.equal(typeof slab[Symbol.dispose], 'function');
});

test('files: kept, refused, read-only', async () => {
  const { writeFileSync, mkdirSync, statSync, truncateSync } = await import('node:fs');
  const path = temp();
  const slab = open(path, { create: 'new', mode: 0o640, syncMode: 'none' });
  slab.atom('a', { x: 'kept' });
  assert.ok(slab.sync() >= 0);
  slab.close();
  assert.equal(statSync(path).mode & 0o777, 0o640);
  fails(() => open(path, { create: 'new' }), 'EVE_IO');
  const again = open(path, { create: false });
  assert.equal(again.atom('a').deref().get('x'), 'kept');
  again.close();
  const reader = open(path, { readOnly: true });
  assert.equal(reader.atom('a').deref().get('x'), 'kept');
  assert.ok(reader.readOnly);
  fails(() => reader.atom('a').reset(1), 'EVE_READ_ONLY');
  fails(() => reader.atom('b', 1), 'EVE_NOT_FOUND');
  reader.close();
  fails(() => open(temp(), { create: false }), 'EVE_NOT_FOUND');
  fails(() => open(`${temp()}/no/such/folder.eve`), 'EVE_NOT_FOUND');
  const folder = temp();
  mkdirSync(folder);
  assert.throws(() => open(folder), EveError);
  const text = temp();
  writeFileSync(text, 'not a slab at all, but long enough to be looked at'.repeat(1000));
  fails(() => open(text), 'EVE_NOT_A_SLAB');
  truncateSync(path, 20000);
  assert.throws(() => open(path), EveError);
  fails(() => open(path, { creat: true }), 'EVE_ARG', /creat/);
  fails(() => open(path, { syncMode: 'never' }), 'EVE_ARG');
});

test('random swaps are what the same changes of JavaScript collections give', () => {
  const texts = fc.constantFrom('Aa', 'BB', 'AaAa', 'BBBB', 'AaBB', 'BBAa', 'a longer key', '\u00e4');
  const key = fc.oneof(fc.integer({ min: 0, max: 40 }), texts, fc.constantFrom(...'abcdefgh').map((s) => keyword(s)));
  const step = fc.oneof(
    fc.tuple(fc.constant('set'), key, fc.integer()), fc.tuple(fc.constant('delete'), key),
    fc.tuple(fc.constant('merge'), fc.array(fc.tuple(key, fc.integer()), { maxLength: 30 })), fc.tuple(fc.constant('push'), fc.integer()),
    fc.tuple(fc.constant('pop')), fc.tuple(fc.constant('at'), fc.nat(), fc.integer()),
    fc.tuple(fc.constant('concat'), fc.array(fc.integer(), { maxLength: 100 })),
  );
  const slab = openAnonymous();
  const a = slab.atom('a', {});
  fc.assert(fc.property(fc.array(fc.array(step, { maxLength: 20 }), { maxLength: 10 }), (batches) => {
    const map = new Map();
    const set = new Set();
    const vector = [];
    a.reset({ map, set, vector });
    for (const batch of batches) {
      a.swap((state) => {
        let m = state.get('map');
        let s = state.get('set');
        let v = state.get('vector');
        for (const [what, x, y] of batch) {
          if (what === 'set') [m, s] = [m.set(x, y), s.add(x)];
          else if (what === 'delete') [m, s] = [m.delete(x), s.delete(x)];
          else if (what === 'merge') [m, s] = [m.merge(x), s.union(x.map(([k]) => k))];
          else if (what === 'push') v = v.push(x);
          else if (what === 'pop') v = v.length > 0 ? v.pop() : v;
          else if (what === 'at') v = v.length > 0 ? v.set(x % v.length, y) : v;
          else v = v.concat(x);
        }
        return state.merge({ map: m, set: s, vector: v });
      });
      for (const [what, x, y] of batch) {
        if (what === 'set') { map.set(x, y); set.add(x); }
        else if (what === 'delete') { map.delete(x); set.delete(x); }
        else if (what === 'merge') for (const [k, n] of x) { map.set(k, n); set.add(k); }
        else if (what === 'push') vector.push(x);
        else if (what === 'pop') vector.pop();
        else if (what === 'at') { if (vector.length > 0) vector[x % vector.length] = y; }
        else vector.push(...x);
      }
      const now = a.deref();
      assert.deepEqual(now.get('map').toJS(), map);
      assert.deepEqual(now.get('set').toJS(), set);
      assert.deepEqual(now.get('vector').toJS(), vector);
      assert.ok(now.equals({ map, set, vector }));
      assert.equal(hash(now), hash({ map, set, vector }));
    }
  }), { numRuns: runs(60) });
  slab.close();
});
