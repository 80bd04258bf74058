// The readers against slabs made by hand: every key kind, collisions, further segments, and damage, which must give an error and end.
import { runs } from './support/runs.mjs';
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import fc from 'fast-check';
import { Image } from './support/image.mjs';
import { EveError, Double, equal, hash, keyword, list, print, symbol } from '../values.js';
import { exactly } from '../types.js';
import * as L from '../layout.js';

// Strings with the same hash: "Aa" and "BB" have the same Java hash, and so have all words of them.
const colliding = (n) => Array.from({ length: 2 ** n }, (_, i) => [...i.toString(2).padStart(n, '0')].map((b) => (b === '0' ? 'Aa' : 'BB')).join(''));

const scalars = fc.oneof(
  fc.integer(), fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n - 1n }), fc.double(), fc.boolean(), fc.constant(null),
  fc.string(), fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom(...colliding(3)), fc.string({ minLength: 250, maxLength: 270 }),
  fc.tuple(fc.option(fc.string()), fc.string()).map(([ns, n]) => exactly(0, ns, n)), fc.string().map((s) => exactly(1, null, s)),
);
// JavaScript's Map and Set take -0 as 0, and eve keeps the double -0.0.
const unique = (xs) => xs.filter((x, i) => !Object.is(x, -0) && !(typeof x === 'number' && Number.isNaN(x)) && xs.findIndex((y) => equal(x, y)) === i);

for (const far of [false, true]) {
  const where = far ? 'in two segments' : 'in one segment';
  const image = () => new Image({ far });

  test(`maps find what they hold and nothing else, ${where}`, () => {
    fc.assert(fc.property(fc.array(scalars, { maxLength: 60 }), fc.array(scalars, { maxLength: 10 }), (some, others) => {
      const keys = unique(some);
      const map = image().read(new Map(keys.map((k, i) => [k, i])));
      assert.equal(map.size, keys.length);
      keys.forEach((k, i) => assert.equal(map.get(k), i, inspect(k)));
      for (const k of others) assert.equal(map.has(k), keys.some((x) => equal(x, k)), inspect(k));
      assert.deepEqual([...map.values()].sort((a, b) => a - b), keys.map((_, i) => i));
      for (const [k, i] of map) assert.ok(equal(keys[i], k) || typeof k === 'number');
      assert.ok(map.equals(new Map(keys.map((k, i) => [k, i]))));
    }), { numRuns: runs(150) });
  });

  test(`maps with colliding keys, ${where}`, () => {
    const keys = colliding(6);
    const map = image().read(new Map(keys.map((k, i) => [k, i])));
    assert.equal(new Set(keys.map(hash)).size, 1);
    keys.forEach((k, i) => assert.equal(map.get(k), i));
    assert.equal(map.has('AaAaAaAaAaAb'), false);
    assert.equal([...map].length, 64);
    const set = image().read(new Set(keys));
    for (const k of keys) assert.ok(set.has(k));
    assert.ok(set.equals(new Set(keys)));
  });

  test(`vectors and lists hold their elements in order, ${where}`, () => {
    for (const n of [0, 1, 31, 32, 33, 64, 1023, 1024, 1025, 1056, 1057, 2100, 33 * 1024]) {
      const xs = Array.from({ length: n }, (_, i) => i * 3);
      const v = image().read(xs);
      assert.equal(v.length, n);
      assert.deepEqual(v.toArray(), xs);
      assert.deepEqual([...v], xs);
      for (const i of [0, 1, 31, 32, n - 1, n - 33, n >> 1]) assert.equal(v.get(i), xs[i]);
      assert.equal(v.get(n), undefined);
      assert.equal(v.get(-1), undefined);
      assert.equal(v.at(-1), xs.at(-1));
      assert.equal(v.reduce((a, b) => a + b, 0), xs.reduce((a, b) => a + b, 0));
      if (n < 2000) assert.deepEqual([...image().read(list(...xs))], xs);
    }
  });

  test(`nested values are equal to what they were made of, ${where}`, () => {
    const nested = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalars, fc.array(tie('value'), { maxLength: 5 }),
        fc.array(fc.tuple(scalars, tie('value')), { maxLength: 12 }).map((es) => new Map(unique(es.map((e) => e[0])).map((k, i) => [k, es[i][1]]))),
        fc.array(tie('value'), { maxLength: 12 }).map((es) => new Set(unique(es)))),
    })).value;
    fc.assert(fc.property(nested, (x) => {
      const hasNaN = inspect(x, { depth: null }).includes('NaN');
      const read = image().read(x);
      if (!hasNaN && (typeof x !== 'object' || x === null || read.equals)) assert.ok(equal(read, x), print(x));
      assert.equal(hash(read), hash(x));
    }), { numRuns: runs(150) });
  });
}

test('numbers keep their kind for equality and printing, but read as numbers', () => {
  const v = new Image().read([1, new Double(1), 1.5, -0, new Double(0), 1e300, NaN, Infinity, 2n ** 61n, -(2n ** 62n)]);
  assert.deepEqual(v.toArray(), [1, 1, 1.5, -0, 0, 1e300, NaN, Infinity, 2n ** 61n, -(2n ** 62n)]);
  assert.equal(print(v), '[1 1.0 1.5 -0.0 0.0 1.0E300 ##NaN ##Inf 2305843009213693952 -4611686018427387904]');
  assert.ok(!v.equals([1, 1, 1.5, -0, 0, 1e300, NaN, Infinity, 2n ** 61n, -(2n ** 62n)]));
  const map = new Image().read(new Map([[1, 'int'], [new Double(1), 'double'], [1.5, 'x']]));
  assert.equal(map.get(1), 'int');
  assert.equal(map.get(new Double(1)), 'double');
  assert.equal(map.get(1.5), 'x');
  assert.equal(map.get(1n), 'int');
});

test('integers of all sizes', () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n - 1n }), (n) => {
    const x = new Image({ size: 1 << 17 }).read([n]).get(0);
    assert.equal(BigInt(x), n);
    assert.equal(typeof x, n >= -(2n ** 53n) + 1n && n <= 2n ** 53n - 1n ? 'number' : 'bigint');
  }));
});

test('keywords are one object a name, in every slab', () => {
  const many = Array.from({ length: 300 }, (_, i) => keyword('ns', `k${i}`));
  const a = new Image().read(many);
  const b = new Image().read([...many].reverse());
  assert.deepEqual(a.toArray(), many);
  a.toArray().forEach((k, i) => assert.equal(k, many[i]));
  const reversed = b.toArray();
  many.forEach((k, i) => assert.equal(reversed[299 - i], k));
  const maps = [new Image(), new Image()].map((image, i) => {
    image.named(keyword(`other${i}`)); // so that ids differ
    return image.read(new Map(many.map((k, n) => [k, n])));
  });
  for (let n = 0; n < 300; n++) for (const map of maps) assert.equal(map.get(many[n]), n);
  assert.equal(new Image().read(new Map([[symbol('a'), 1]])).has(keyword('a')), false);
});

test('structures that contain themselves, or claim too much, are errors', () => {
  const bad = (make) => {
    const image = new Image();
    const word = make(image);
    image.symbols();
    assert.throws(() => {
      const x = image.value(word);
      hash(x);
      print(x);
      JSON.stringify(x);
      for (const e of x) inspect(e);
    }, (e) => e instanceof EveError && /EVE_(CORRUPT|LIMIT|TYPE)/.test(e.code) ? true : (console.error(e), false));
  };
  const node = (image, kind, data, nodes) => {
    const o = image.object(kind, 800);
    image.u32(o + 8n, data);
    image.u32(o + 12n, nodes);
    return o;
  };
  const head = (image, kind, count, root) => {
    const o = image.object(kind, 48);
    image.u32(o + 8n, count);
    image.u64(o + 16n, root);
    return o;
  };
  // a trie whose node is its own child, 32 times
  bad((image) => {
    const o = node(image, L.MAP_NODE, 0, 0xffffffff);
    for (let i = 0n; i < 32n; i++) image.u64(o + 16n + 8n * i, o);
    return head(image, L.MAP, 1000, o);
  });
  bad((image) => head(image, L.MAP, 0xffffffff, image.trie([{ hash: 1, words: [3n, 3n] }], 0, L.MAP)));
  bad((image) => head(image, L.SET, 5, image.trie([{ hash: 1, words: [3n] }], 0, L.SET)));
  bad((image) => head(image, L.SET, 1, image.trie([{ hash: 1, words: [3n] }, { hash: 2, words: [5n] }], 0, L.SET)));
  bad((image) => head(image, L.SET, 1, image.trie([{ hash: 1, words: [3n, 3n] }], 0, L.MAP)));
  // a list that is its own rest
  bad((image) => {
    const o = head(image, L.LIST, 1, 3n);
    image.u64(o + 24n, o);
    return o;
  });
  // a vector in itself, twice: 2^depth paths
  bad((image) => {
    const o = image.object(L.VECTOR, 48);
    image.u32(o + 8n, 2);
    image.u32(o + 12n, 5);
    image.u64(o + 24n, image.node([o, o]));
    return o;
  });
  bad((image) => {
    const o = image.vector(Array.from({ length: 100 }, (_, i) => i));
    image.u32(o + 12n, 0);
    return o;
  });
  bad((image) => {
    const o = image.vector(Array.from({ length: 100 }, (_, i) => i));
    image.u64(o + 16n, o);
    return o;
  });
  // 60 levels of [x x]: a knot without a cycle
  bad((image) => {
    let word = 3n;
    for (let i = 0; i < 60; i++) {
      const o = image.object(L.VECTOR, 48);
      image.u32(o + 8n, 2);
      image.u32(o + 12n, 5);
      image.u64(o + 24n, image.node([word, word]));
      word = o;
    }
    return word;
  });
  const in1 = (make) => bad((image) => image.vector([1]) && image.node([]) && vectorOf(image, make(image)));
  const vectorOf = (image, word) => {
    const o = image.object(L.VECTOR, 48);
    image.u32(o + 8n, 1);
    image.u32(o + 12n, 5);
    image.u64(o + 24n, image.node([word]));
    return o;
  };
  in1(() => 8n); // no such tag
  in1(() => 0xfffffff0n); // beyond the end
  in1(() => 0x500000000n);
  in1(() => 0xff04n); // unknown constant
  in1(() => 0x84n); // unknown descriptor
  in1(() => 0x14n); // a keyword that isn't in the table
  in1((image) => image.object(99, 16));
  in1((image) => {
    const o = image.object(L.TEXT, 16, L.FLAG_ASCII);
    image.u32(o + 12n, 0xfffffff0);
    return o;
  });
  in1((image) => {
    const o = image.object(L.BYTES, 16);
    image.u32(o + 8n, 0x7fffffff);
    return o;
  });
  in1((image) => {
    const o = image.object(L.RATIO, 32);
    image.u64(o + 8n, 3n);
    image.u64(o + 16n, 1n);
    return o;
  });
  in1((image) => image.object(L.BIGINT, 16));
  in1((image) => {
    const o = image.object(L.ARRAY_MAP, 64);
    image.u32(o + 8n, 9);
    return o;
  });
});

test('any damage is an error or a value, and ends', () => {
  const value = new Map([
    ['vector', Array.from({ length: 1100 }, (_, i) => i)], ['nested', [[[['deep', 1.5, 1e300]]]]], ['set', new Set(colliding(5))], ['list', list(1, 2, 3)],
    ['map', new Map(Array.from({ length: 200 }, (_, i) => [`key number ${i}`, [i, keyword(`k${i}`)]]))], [1, 2],
    [keyword('a/b'), null], ['text', 'Gr\u00fc\u00dfe'.repeat(9)],
  ]);
  const pristine = new Image({ size: 1 << 18 });
  const word = pristine.word(value);
  pristine.symbols();
  const bytes = new Uint8Array(pristine.segments[0].buffer);
  const end = Number(pristine.next[0]);
  const place = fc.integer({ min: 0x10000 / 4, max: end / 4 - 1 });
  const content = fc.oneof(fc.integer(), fc.integer({ min: 0, max: end }).map((n) => n & ~15));
  fc.assert(fc.property(fc.array(fc.tuple(place, content), { minLength: 1, maxLength: 30 }), (changes) => {
    const image = new Image({ size: 1 << 18 });
    const copy = new Uint8Array(image.segments[0].buffer);
    copy.set(bytes);
    image.next = [...pristine.next];
    const words = new Int32Array(copy.buffer);
    for (const [i, n] of changes) words[i] = n;
    try {
      const x = image.value(word);
      x.toString?.();
      hash(x);
      x.toJS?.();
      for (const k of ['map', 'vector', 1, keyword('a/b'), 'no such key, long']) x.get?.(k);
    } catch (e) {
      if (!(e instanceof EveError)) throw e;
    }
  }), { numRuns: runs(400) });
});
