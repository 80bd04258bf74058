// What programs do by mistake or on purpose: the answer is a value or an error, never a crash, a hang or another value.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { inspect } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { startProcess } from './support/run.mjs';
import { temp } from './support/temp.mjs';
import { EveError, double, equal, hash, keyword, list, open, openAnonymous, print } from 'eve';

const fails = (f, code, pattern = /./) => assert.throws(f, (e) => {
  assert.ok(e instanceof EveError, String(e.stack));
  assert.equal(e.code, code, e.message);
  assert.match(e.message, pattern);
  return true;
});

// What the script prints, run in a process of its own, which must end by itself.
function run(script) {
  const options = { cwd: new URL('.', import.meta.url), encoding: 'utf8', timeout: 60000 };
  const p = spawnSync(process.execPath, ['--input-type=module', '-e', script], options);
  assert.equal(p.status, 0, `${p.signal} ${p.stderr}`);
  return p.stdout;
}

test('handles given to structuredClone, v8.serialize, JSON or an assertion are errors or text, and all of a slab can be inspected', () => {
  const out = run(`
    import assert from 'node:assert';
    import { inspect } from 'node:util';
    import { serialize } from 'node:v8';
    import { openAnonymous } from 'eve';
    const slab = openAnonymous();
    const atom = slab.atom('a', { x: [1, 2, 3], s: new Set(['y']) });
    const map = atom.deref();
    const things = { map, vector: map.get('x'), set: map.get('s'), entries: map.entries(), values: map.get('x').values(), atom, slab, snapshot: slab.snapshot() };
    for (const x of Object.values(things)) {
      for (const f of [structuredClone, serialize, JSON.stringify]) {
        try {
          f(x);
        } catch (e) {
          if (!/clone|circular/i.test(e.message)) throw e;
        }
      }
      inspect(x, { depth: Infinity, showHidden: true, customInspect: false });
    }
    for (const x of Object.values(things)) {
      for (const f of [assert.equal, assert.deepEqual, assert.deepStrictEqual]) assert.throws(() => f(x, null), assert.AssertionError);
    }
    const others = openAnonymous();
    assert.throws(() => assert.deepStrictEqual(map, others.atom('a', { x: [1, 2, 4], s: new Set(['y']) }).deref()), assert.AssertionError);
    console.log('end');`);
  assert.equal(out, 'end\n');
});

test('a handle cannot be cloned', () => {
  const slab = openAnonymous();
  const map = slab.atom('a', { x: 1 }).deref();
  for (const x of [map, slab.atom('a'), slab]) {
    assert.throws(() => structuredClone(x), { name: 'DataCloneError' });
    assert.throws(() => serialize(x), /clone/);
  }
  assert.deepEqual(deserialize(serialize(map.toJS())), new Map([['x', 1]]));
  slab.close();
});

test('a key that closes the slab when it is looked at is an error', () => {
  const out = run(`
    import { keyword, openAnonymous } from 'eve';
    const keys = Array.from({ length: 8 }, (_, i) => (i % 2 ? i : keyword('k' + i)));
    for (const target of [{}, [], keyword('k4'), keyword('none')]) {
      for (const when of ['symbol', 'string']) {
        for (const n of [8, 100]) {
          const slab = openAnonymous();
          const map = slab.atom('m', new Map(Array.from({ length: n }, (_, i) => [keys[i] ?? i, i]))).deref();
          const set = slab.atom('s', new Set(keys)).deref();
          const trap = (t, k) => { if (typeof k === when) slab.close(); return Reflect.get(t, k); };
          for (const c of [map, set]) try { c.has(new Proxy(target, { get: trap })); } catch (e) { if (e.code !== 'EVE_CLOSED') throw e; }
        }
      }
    }
    console.log('end');`);
  assert.equal(out, 'end\n');
});

test('objects with keys that eve uses itself are objects like others', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', {});
  for (const key of ['_view', '_descriptor', '_hash', '_low', '_group', '_count', 'constructor', 'size', 'length', '__proto__']) {
    const value = JSON.parse(`{"${key}": 1}`);
    assert.equal(String(a.reset(value)), `{"${key}" 1}`);
    assert.ok(a.deref().equals(value) && equal(value, a.deref()));
    a.reset(new Map([[value, 'found']]));
    assert.equal(a.deref().get(value), 'found');
    a.reset(new Map([...Array(20).keys(), value].map((k) => [k, k === value ? 'found' : k])));
    assert.equal(a.deref().get(value), 'found');
    assert.equal(hash(value), hash(JSON.parse(JSON.stringify(value))));
  }
  a.reset({ x: 1 });
  fails(() => a.swap((m) => ({ ...m, y: 2 })), 'EVE_TYPE', /EveMap|View/);
  assert.equal(String(a.deref()), '{"x" 1}');
  slab.close();
});

test('a getter of a value being stored may read the slab, but not change or close it, or look for new atoms', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', { x: 1 });
  slab.atom('b', 2);
  for (const read of [() => slab.has('c'), () => slab.snapshot().get('b'), () => slab.atom('b').deref(), () => a.deref().get('x'), () => slab.version]) {
    const value = () => ({ before: 'some text', get b() { read(); return 'b'; }, after: [1] });
    assert.ok(a.reset(value()).equals({ before: 'some text', b: 'b', after: [1] }), String(read));
    assert.ok(a.swap(value).equals({ before: 'some text', b: 'b', after: [1] }), String(read));
    a.reset({ x: 1 });
  }
  const before = slab.version;
  const names = [() => slab.snapshot().get('none at all'), () => slab.remove('never'), () => slab.atom('not there')];
  for (const write of [...names, () => a.reset(1), () => slab.atom('new', 1), () => slab.close()]) {
    const value = () => [{ first: 'text', get b() { write(); return 'b'; } }];
    fails(() => a.reset(value()), 'EVE_BUSY', /getter/);
    fails(() => a.assoc('k', value()), 'EVE_BUSY', /getter/);
    assert.equal(slab.version, before);
  }
  assert.ok(a.reset([{ get b() { try { slab.remove('never'); } catch { return 'caught'; } } }, 'x']).equals([{ b: 'caught' }, 'x']));
  slab.close();
});

test('an atom changed inside its own swap is an error, whatever changes it', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', 0);
  const b = slab.atom('b', 0);
  let runs = 0;
  for (const f of [() => a.add(), () => a.reset(1), () => a.compareAndSet(0, 1), () => a.swap((x) => x + 1)]) {
    fails(() => a.swap((x) => {
      if (++runs > 100) throw new Error('without end');
      f();
      return x + 10;
    }), 'EVE_TYPE', /inside its own swap/);
    assert.equal(a.deref(), 0);
  }
  assert.equal(a.swap((x) => x + b.add()), 1);
  assert.equal(b.deref(), 1);
  slab.close();
});

test('indices and look-ups by what cannot be there find nothing, as in arrays and Maps', () => {
  const slab = openAnonymous();
  const xs = [1, 2, 3, 4, 5];
  const v = slab.atom('v', xs).deref();
  const ends = [undefined, null, NaN, '1', 0, -0, 0.5, -0.5, 1.7, -1.5, 2, -2, 7, -7, Infinity, -Infinity];
  for (const start of ends) {
    assert.deepEqual(v.slice(start), xs.slice(start), `slice(${start})`);
    assert.equal(v.at(start), xs.at(start), `at(${start})`);
    for (const end of ends) assert.deepEqual(v.slice(start, end), xs.slice(start, end), `slice(${start}, ${end})`);
  }
  for (const i of [1n, '1', 1.5, -1, NaN, Symbol.iterator, undefined, null, {}, [1]]) {
    assert.equal(v.get(i), undefined);
    assert.equal(v.get(i, 'other'), 'other');
    assert.equal(v.has(i), false);
  }
  const f = () => 1;
  for (const n of [0, 1, 100]) {
    const m = slab.atom(`m${n}`, new Map(Array.from({ length: n }, (_, i) => [i, i]))).deref();
    const s = slab.atom(`s${n}`, new Set(Array.from({ length: n }, (_, i) => i))).deref();
    for (const x of [undefined, f, Symbol.iterator, new WeakMap(), new Date(NaN), [f], { x: undefined }]) {
      assert.equal(m.get(x), undefined);
      assert.equal(m.get(x, 'other'), 'other');
      assert.equal(m.has(x), false);
      assert.equal(s.has(x), false);
      assert.equal(s.get(x), undefined);
      assert.equal(v.includes(x), false);
      assert.equal(v.indexOf(x), -1);
      assert.equal(m.equals(x), false);
    }
  }
  slab.close();
});

test('inspecting shows the true size, and no insides', () => {
  const slab = openAnonymous();
  const n = 1000;
  const numbers = Array.from({ length: n }, (_, i) => i);
  const a = slab.atom('a', { map: new Map(numbers.map((i) => [i, i])), set: new Set(numbers), vector: numbers, list: list(...numbers) });
  const [map, set, vector, all] = ['map', 'set', 'vector', 'list'].map((k) => a.deref().get(k));
  for (const compact of [3, false]) {
    assert.match(inspect(map, { compact }), /^EveMap Map\(1000\) \{[^]*\.\.\. 900 more items\s*\}$/);
    assert.match(inspect(set, { compact }), /^EveSet Set\(1000\) \{[^]*\.\.\. 900 more items\s*\}$/);
    assert.match(inspect(vector, { compact }), /^EveVector \[[^]*\.\.\. 900 more items\s*\]$/);
    assert.match(inspect(all, { compact }), /^EveList \[[^]*\.\.\. 900 more items\s*\]$/);
  }
  assert.match(inspect(map, { maxArrayLength: 2 }), /^EveMap Map\(1000\) \{ \d+ => \d+, \d+ => \d+, \.\.\. 998 more items \}$/);
  assert.match(inspect(map, { maxArrayLength: null }), /^EveMap Map\(1000\) \{[^.]*\}$/);
  assert.match(inspect(all, { maxArrayLength: Infinity }), /^EveList \[[^.]*\]$/);
  assert.equal(inspect(slab.atom('m', { x: '... 1 more item' }).deref()), "EveMap Map(1) { 'x' => '... 1 more item' }");
  for (const x of [a, slab, slab.snapshot(), map.keys(), set.values(), vector[Symbol.iterator](), all.values()]) assert.ok(inspect(x).length < 60, inspect(x));
  slab.close();
});

test('iterators are those of the language: they have its helpers, where there are any', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', [1, 2, { k: new Set([1]) }, list(1)]);
  const v = a.deref();
  const iterators = [v.values(), v.get(2).entries(), v.get(2).get('k').values(), v.get(3).values()];
  const base = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
  for (const it of iterators) {
    assert.ok(base.isPrototypeOf(it));
    assert.equal(it[Symbol.iterator](), it);
    assert.match(Object.prototype.toString.call(it), /^\[object Eve\w+ Iterator\]$/);
    assert.deepEqual(Object.keys(it), []);
  }
  slab.close();
});

test('options of open that mean nothing are errors that name them', () => {
  const path = temp();
  const wrong = {
    mode: ['abc', -1, 0o1777, 1.5, NaN, null, 0o644n], maxBytes: [-1, NaN, '1e9', 1.5, Infinity, 10n, null], create: ['yes', 0, 1, null],
    readOnly: ['no', 1, 0, null], syncMode: ['never', 'close', null, 1, 'toString', Symbol('x')],
    syncInterval: [-1, 0.5, '5', null, 2 ** 31],
  };
  for (const [name, values] of Object.entries(wrong)) for (const x of values) fails(() => open(path, { [name]: x }), 'EVE_ARG', new RegExp(name));
  for (const options of [null, 5, true, 'readOnly', () => {}, ['create']]) fails(() => open(path, options), 'EVE_ARG', /options|unknown/);
  fails(() => open(path, { readOnly: true, create: 'new' }), 'EVE_ARG');
  fails(() => open(path, { syncMode: 'commit', syncInterval: 5 }), 'EVE_ARG', /syncInterval/);
  assert.throws(() => statSync(path), { code: 'ENOENT' });
  open(path, { mode: undefined, maxBytes: undefined, create: undefined, readOnly: undefined, syncMode: undefined }).close();
  open(path, undefined).close();
  assert.equal(statSync(path).mode & 0o7777, 0o600);
});

test('a path of a large value is shortened in the error, and the memory for it is given back', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', 0);
  let deep = 1;
  for (let i = 0; i < 3000; i++) deep = [deep];
  fails(() => a.reset(deep), 'EVE_TYPE', /^.{1,300}$/);
  const large = ['x'.repeat(8 << 20), () => {}];
  const before = process.memoryUsage().arrayBuffers;
  for (const f of [() => a.reset(large), () => a.swap(() => large), () => a.swap((x) => large)]) fails(f, 'EVE_TYPE', /\[1\]/);
  globalThis.gc?.();
  assert.equal(slab.native.encoder.bytes.length, 4096);
  assert.ok(before >= 0);
  slab.close();
});

test('doubles, zeros and NaN are found as Clojure finds them', () => {
  const slab = openAnonymous();
  const v = slab.atom('v', [1, double(1), -0, NaN]).deref();
  assert.equal(v.indexOf(1), 0);
  assert.equal(v.indexOf(double(1)), 1);
  assert.equal(v.indexOf(-0), 2);
  assert.equal(v.includes(NaN), false);
  assert.equal(print(v), '[1 1.0 -0.0 ##NaN]');
  assert.equal(slab.atom('m', new Map([[keyword('a'), 1]])).deref().get('a'), undefined);
  slab.close();
});

test('what was removed from a full slab makes room, though handles that nobody has any more had kept it', async () => {
  const slab = openAnonymous({ maxBytes: 16 << 20 });
  const a = slab.atom('a', {});
  const value = new Uint8Array(100000).fill(1);
  const change = [(k) => a.assoc(k, value), (k) => a.swap((m) => m.set(k, value))];
  // A collection doesn't find what a function that is running still names: the turns end all that run.
  const fill = async (f) => {
    for (let n = 0, turns = 3; ; ) {
      try {
        f(n);
        n++;
      } catch (e) {
        assert.equal(e.code, 'EVE_FULL');
        if (n > 0 || turns-- === 0) return n;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const counts = [];
  for (let round = 0; round < 6; round++) {
    counts.push(await fill(change[round % 2]));
    assert.equal(a.deref().size, counts[round]);
    assert.equal(a.reset({}).size, 0);
  }
  assert.ok(Math.min(...counts) > 80, String(counts));
  await fill(change[0]);
  const held = a.deref();
  a.reset({});
  assert.ok((await fill(change[0])) < 20, 'what somebody holds stays');
  assert.equal(held.get(0)[5], 1);
  slab.close();
});

test('plain objects and arrays of another realm are stored, its other objects are errors that say so', () => {
  const slab = openAnonymous();
  const a = slab.atom('a', 0);
  assert.equal(String(a.reset(runInNewContext('[{ a: 1 }, "b"]'))), '[{"a" 1} "b"]');
  for (const code of ['new Map()', 'new Set()', 'new Date(5)', 'new Uint8Array(1)']) {
    fails(() => a.reset([runInNewContext(code)]), 'EVE_TYPE', /another realm.*copy it.* at \[0\]/);
  }
  class Odd {}
  Odd.prototype.constructor = { name: Symbol('no text') };
  fails(() => a.reset(new Odd()), 'EVE_TYPE', /class \?/);
  slab.close();
});

test('the error of a full slab names the process that holds old versions', async () => {
  const path = temp();
  const slab = open(path, { maxBytes: 12 << 20 });
  const a = slab.atom('map', { x: 1 });
  const holder = startProcess('hold', { path });
  const ended = assert.rejects(holder.result, /SIGKILL/);
  try {
    const version = Number(await holder.first);
    for (let i = 0; i < 10; i++) a.update((m) => m.set('x', i));
    const fill = () => { for (let i = 0; ; i++) a.update((m) => m.set(`text ${i}`, 'x'.repeat(50000))); };
    fails(fill, 'EVE_FULL', new RegExp(`max_bytes.* held by .*process ${holder.process.pid}: ${version}`));
  } finally {
    holder.process.kill('SIGKILL');
  }
  await ended;
  slab.close();
});
