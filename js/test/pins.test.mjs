// Versions are let go when the last handle of their group is gone, and not before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openAnonymous } from 'eve';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
const big = (i) => Array.from({ length: 200 }, (_, k) => `element ${k} of ${i}, which is long enough`);

function groups(slab) {
  slab.native.addon.pinPoll(slab.id);
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
