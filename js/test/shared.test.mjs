// Values whose objects are met on many paths: each is hashed and compared once. A test that fails here doesn't end: each runs in a process of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const prelude = `
  import assert from 'node:assert/strict';
  import { equal, hash, keyword, list, openAnonymous } from 'eve';
  const slab = openAnonymous();
  // 60 levels: 2^60 paths. Each level is a commit of its own.
  const inSlab = (name, level, bottom) => {
    const a = slab.atom(name, level(bottom));
    for (let i = 1; i < 60; i++) a.swap(level);
    return a.deref();
  };
  const outside = (level, bottom) => {
    let x = bottom;
    for (let i = 0; i < 60; i++) x = level(x);
    return x;
  };
`;

function ends(script) {
  const p = spawnSync(process.execPath, ['--input-type=module', '-e', prelude + script], { cwd: new URL('.', import.meta.url), encoding: 'utf8', timeout: 60000 });
  assert.equal(p.status, 0, `${p.signal} ${p.stderr}`);
}

for (const [name, level] of Object.entries({
  vector: '(x) => [x, x]',
  list: '(x) => list(x, x)',
  map: '(x) => new Map([[0, x], [1, x]])',
  'key and value': '(x) => new Map([[x, x]])',
  set: '(x) => new Set([[x, x], 1])',
  'array in a plain object': '(x) => ({ a: [x, x] })',
})) {
  test(`what is met on many paths is hashed and compared once: ${name}`, () => ends(`
    const level = ${level};
    const [a, b, other] = [inSlab('a', level, 0), inSlab('b', level, 0), inSlab('c', level, 1)];
    assert.equal(hash(a), hash(b));
    assert.notEqual(hash(a), hash(other));
    assert.ok(equal(a, b) && !equal(a, other));
    const [x, y] = [outside(level, 0), outside(level, 1)];
    assert.equal(hash(x), hash(a));
    assert.ok(equal(x, a) && equal(a, x) && equal(x, outside(level, 0)));
    assert.ok(!equal(y, a) && !equal(a, y) && !equal(x, y));
  `));
}

test('a walk forgets when it ends: what is changed then has another hash', () => ends(`
  const xs = Array.from({ length: 100 }, (_, i) => i);
  const holds = [xs, xs];
  const before = hash(holds);
  assert.ok(equal(holds, [xs.slice(), xs.slice()]));
  xs[0] = 'changed';
  assert.notEqual(hash(holds), before);
  assert.ok(!equal(holds, [Array.from({ length: 100 }, (_, i) => i), xs]));
`));

test('an answer to one question is no answer to another', () => ends(`
  const xs = Array.from({ length: 100 }, (_, i) => i);
  const ys = [...xs.slice(0, 99), 'other'];
  // Hashes of keys are remembered in the walk that compares.
  assert.ok(!equal([new Map([[xs, 1]]), xs], [new Map([[xs.slice(), 1]]), ys]));
  assert.ok(equal([new Map([[xs, 1]]), xs], [new Map([[xs.slice(), 1]]), xs.slice()]));
  // Not handles, whatever they have.
  const view = {};
  const [p, q] = [0, 1].map((i) => Object.assign(Object.fromEntries(xs.map((x) => ['k' + x, x + i])), { _view: view }));
  assert.notEqual(hash([p, q]), hash([p, p]));
`));
