// Versions are let go when the last handle of their group is gone, and not before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { assoc, conj, inc, open, openAnonymous } from 'eve';
import { temp } from './support/temp.mjs';
import { budgetOf } from '../pressure.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
const big = (i) => Array.from({ length: 200 }, (_, k) => `element ${k} of ${i}, which is long enough`);

const MIB = 2 ** 20;
const numbers = (n) => new Map(Array.from({ length: n }, (_, i) => [i, i]));
const fails = (f, code, message = /./) => assert.throws(f, { code, message });

function groups(slab) {
  slab.pressure.look();
  return slab.native.addon.pinObjects(slab.id).length;
}

test('a group covers a MiB of garbage or a second; dead ones are released', async () => {
  const slab = openAnonymous();
  const a = slab.atom('a', big(0));
  for (let i = 1; i < 2000; i++) a.reset(big(i)); // about 20 MiB of garbage
  const held = groups(slab);
  assert.ok(held < 200, `${held} groups`);
  gc();
  assert.ok(groups(slab) <= 2, 'all but the open group are dead');
  slab.close();
});

test('a held handle keeps its group, and nothing else', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', big('held'));
  const held = a.deref();
  for (let i = 1; i < 3000; i++) a.reset(big(i));
  gc();
  assert.ok(groups(slab) <= 3);
  assert.deepEqual(held.toJS(), big('held'));
  slab.close();
});

test('a snapshot that nobody closed and nobody has any more is released', () => {
  const slab = openAnonymous();
  slab.atom('a', 1);
  const before = groups(slab);
  (() => { for (let i = 0; i < 10; i++) slab.snapshot(); })();
  assert.equal(slab.native.addon.pinObjects(slab.id).length, before + 10);
  gc();
  assert.ok(groups(slab) <= before);
  slab.close();
});

test('garbage of values that nobody holds is used again: the slab stays small', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', big(0));
  const backed = () => slab.native.source(slab.id).backed();
  for (let i = 1; i < 20000; i++) a.reset(big(i)); // about 250 MiB in all
  assert.ok(backed() < 160 * 2 ** 20, `${backed() / 2 ** 20} MiB`);
  slab.close();
});

test('an idle slab lets go of the version that it read last', async () => {
  const slab = openAnonymous();
  const a = slab.atom('a', big(0));
  // In functions of their own: registers of this one would keep what they held.
  (() => void a.deref())();
  (() => void (slab.current.record = -1))(); // as if another process had committed
  slab.tidy();
  assert.equal(slab.current, null);
  gc();
  assert.equal(groups(slab), 0);
  assert.equal(a.deref().length, 200);
  slab.close();
});

test('update changes the value as swap does', () => {
  const slab = openAnonymous();
  const cases = [[{ a: 1 }, assoc, 'a', 2], [[1, 2], conj, 3], [1, inc], [{ a: 1 }, (m) => m.set('b', [m.get('a')])], [{ a: [1] }, (m) => m.get('a')],
    ['x', (x, y) => x + y, 'y'], [[3, 1], (v) => v.toArray().sort()], [null, (x) => ({ x })], [2 ** 53 - 1, inc], [{ a: 1 }, (m) => m]];
  for (const [start, f, ...args] of cases) {
    const [a, b] = [slab.atom('a', 0), slab.atom('b', 0)];
    a.reset(start);
    b.reset(start);
    b.swap(f, ...args);
    assert.equal(a.update(f, ...args), slab.version);
    assert.equal(String(a.deref()), String(b.deref()));
  }
  slab.close();
});

test('update fails as swap does, and changes nothing', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', [1]);
  fails(() => a.update(assoc, 5, 'x'), 'EVE_TYPE');
  fails(() => a.update(() => {}), 'EVE_TYPE', /undefined/);
  fails(() => a.update(5), 'EVE_TYPE', /function/);
  fails(() => a.update(() => a.update(inc)), 'EVE_TYPE', /own swap/);
  assert.throws(() => a.update(() => { throw new RangeError('mine'); }), RangeError);
  assert.equal(String(a.deref()), '[1]');
  slab.remove('a');
  fails(() => a.update(conj, 1), 'EVE_NOT_FOUND');
  fails(() => a.update((v) => v), 'EVE_NOT_FOUND');
  slab.close();
  fails(() => a.update(conj, 1), 'EVE_CLOSED');
});

test('what update gives its function ends with the call, also if it runs again or fails', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', { n: 0, v: [1, 2, 3] });
  const other = slab.atom('other', 0);
  const leaked = [];
  let runs = 0;
  const f = (m) => {
    leaked.push(m, m.get('v'), m.set('x', 1), m.get('v').values());
    if (runs++ === 0) other.update(inc), slab.atom('a2', m);
    return m.set('n', m.get('v').length);
  };
  a.update(f);
  assert.throws(() => a.update((m) => { f(m); throw new Error('no'); }), /no/);
  for (const [i, x] of leaked.entries()) {
    fails(() => (i % 4 === 3 ? x.next() : x.equals({})), 'EVE_RELEASED', /belongs to version \d+ of .*\bupdate\b.*copy it out/);
    if (i % 4 !== 3) fails(() => other.reset(x), 'EVE_RELEASED');
  }
  assert.ok(a.deref().equals({ n: 3, v: [1, 2, 3] }));
  slab.close();
});

test('many updates and scoped reads keep no version, without a turn of the event loop', () => {
  const slab = open(temp());
  const a = slab.atom('a', numbers(10000));
  const { taken } = slab.pins();
  for (let i = 0; i < 30000; i++) a.update(assoc, i % 10000, i);
  for (let i = 0; i < 30000; i++) a.update((m) => m.set(i % 10000, -i));
  for (let i = 0; i < 10000; i++) {
    a.update(assoc, i, i);
    assert.equal(a.read((m, k) => m.get(k), i), i);
  }
  assert.ok(slab.pins().taken - taken < 4 * MIB, `${slab.pins().taken - taken}`);
  assert.equal(slab.pins().gcs, 0);
  slab.close();
});

test('a snapshot of an atom is its value until it is closed', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', { k: 1 });
  const s = a.snapshot();
  const all = slab.snapshot();
  const value = s.deref();
  a.assoc('k', 2);
  assert.equal(value.get('k'), 1);
  assert.equal(s.value.get('k'), 1);
  assert.equal(all.deref().size, 1);
  assert.ok(slab.pins().oldest <= s.version);
  s[Symbol.dispose]();
  all.close();
  for (const f of [() => value.get('k'), () => s.deref(), () => all.value]) fails(f, 'EVE_RELEASED', /a snapshot that was closed/);
  let leaked;
  a.read((m) => void (leaked = m));
  fails(() => leaked.get('k'), 'EVE_RELEASED', /call of read/);
  fails(() => a.read(5), 'EVE_TYPE');
  slab.remove('a');
  assert.equal(a.read((x) => x), undefined);
  slab.close();
});

test('pins tells what is held', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', big(0));
  const first = slab.version;
  const held = a.deref();
  for (let i = 1; i < 1000; i++) a.reset(big(i));
  const now = slab.pins();
  assert.equal(now.oldest, first - 1);
  assert.ok(now.groups >= 1 && now.held > 0 && now.held <= now.processHeld && now.seconds >= 0 && now.taken > MIB, JSON.stringify(now));
  assert.equal(held.length, 200);
  slab.close();
  assert.throws(() => slab.pins(), { code: 'EVE_CLOSED' });
  assert.equal(slab.pressure.held, 0);
  assert.equal(slab.pressure.told, 0);
});

test('more snapshots than there is room for, which nobody closed, are found and counted', async () => {
  const slab = openAnonymous();
  const a = slab.atom('a', 0);
  const before = slab.pins().leaked;
  const warnings = [];
  process.on('warning', (w) => warnings.push(w));
  for (let i = 0; i < 20000; i++) {
    a.snapshot();
    if (i % 100 === 0) a.update(inc);
  }
  const { leaked, groups: open } = slab.pins();
  assert.ok(leaked - before > 10000 && leaked - before + open >= 20000, `${leaked} ${open}`);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(warnings.filter((w) => /was not closed/.test(w.message)).length, 1, 'said once');
  slab.close();
});

test('a value that was read before much died counts with that, and all count with no more than there is', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', numbers(20000));
  const kept = [];
  for (let round = 0; round < 20; round++) {
    kept.push(a.deref());
    for (let i = 0; i < 3000; i++) a.update(assoc, (round * 3001 + i) % 20000, -i);
  }
  a.deref();
  const { groups: n, held } = slab.pins();
  assert.ok(n >= 20 && held > 4 * MIB && held <= slab.memory.size, `${n} ${held}`);
  assert.ok(kept.every((m) => m.size === 20000));
  slab.close();
});

test('what died when the program did nothing more is freed', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', numbers(1000));
  (() => { for (let i = 0; i < 5000; i++) a.assoc(i % 1000, -i); })();
  slab.forget();
  slab.sync();
  gc();
  slab.pressure.look();
  const waiting = slab.verify().unreachableObjects;
  assert.ok(waiting > 1000, `${waiting} wait for the next commit`);
  for (let i = 0; i < 3; i++) slab.tidy();
  assert.ok(slab.verify().unreachableObjects < 100, 'and there is none');
  slab.close();
});

test('the budget is one of the process', async () => {
  const slab = openAnonymous();
  const { budget } = slab.pins();
  assert.equal(budget, 16 * MIB);
  const code = `const { openAnonymous } = await import(${JSON.stringify(import.meta.resolve('eve'))});
    (await import('node:worker_threads')).parentPort.postMessage(openAnonymous().pins().budget);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  assert.equal(await new Promise((resolve) => worker.once('message', resolve)), budget / 2);
  await worker.terminate();
  assert.equal(slab.pins().budget, budget);
  slab.close();
});

test('a budget is read like a heap size', () => {
  assert.deepEqual(['64m', '2G', '2000000', '2048k', undefined].map(budgetOf), [64 * MIB, 2048 * MIB, 2000000, 2048 * 1024, 16 * MIB]);
  assert.deepEqual(['', 'much', '-5m', '5', '99999999999g'].map(budgetOf), Array(5).fill(16 * MIB), 'with a warning');
});

test('handles that a swap let escape stay valid, and nothing holds their versions when they are gone', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', numbers(2000));
  let escaped = [];
  (() => {
    a.swap((m) => {
      const between = m.set('x', 'between').delete(0);
      escaped.push([m, 2000], [between, 2000], [between.set('last', 1), 2001]);
      return escaped[2][0];
    });
    assert.throws(() => a.swap((m) => { escaped.push([m.set('y', 'aborted'), 2002]); throw new Error('no'); }), /no/);
  })();
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 5000; i++) a.update(assoc, i % 2000, round);
    slab.pressure.collect();
  }
  (() => {
    for (const [m, size] of escaped) {
      assert.equal(m.size, size);
      for (let i = 1; i < 2000; i++) assert.equal(m.get(i), i);
    }
    assert.deepEqual(escaped.map(([m]) => [m.get('x'), m.get('last'), m.get('y'), m.has(0)]),
      [[undefined, undefined, undefined, true], ['between', undefined, undefined, false], ['between', 1, undefined, false], ['between', 1, 'aborted', false]]);
  })();
  escaped = null;
  gc();
  assert.equal(groups(slab), 0);
  slab.close();
});
