// verify, backup, compact.
import assert from 'node:assert/strict';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { temp } from './support/temp.mjs';
import { open } from 'eve';

test('a slab is verified, backed up and compacted, and damage of the backup is found', () => {
  const path = temp();
  const slab = open(path);
  const atom = slab.atom('a', { text: 'a text of some length', list: [1, 2, 3] });
  const report = slab.verify();
  assert.equal(report.sound, true);
  assert.deepEqual(report.findings, []);
  assert.equal(report.version, slab.version);
  assert.ok(report.reachableObjects > 0 && report.reachableBytes > 0 && report.symbols > 0);

  const copy = `${path}.backup`;
  assert.equal(slab.backup(copy), slab.version);
  assert.throws(() => slab.backup(copy), { code: 'EVE_ARG', message: /exists already/ });
  assert.throws(() => slab.backup('a\0b'), { code: 'EVE_ARG' });
  assert.throws(() => slab.compact(5), { code: 'EVE_ARG' });
  const read = open(copy, { readOnly: true });
  assert.ok(read.verify().checksums > 50);
  assert.ok(read.atom('a').deref().equals(atom.deref()));
  read.close();

  const at = readFileSync(copy).indexOf('a text of some length');
  writeSync(openSync(copy, 'r+'), 'A', at);
  const damaged = open(copy, { readOnly: true });
  const found = damaged.verify();
  assert.equal(found.sound, false);
  assert.deepEqual(found.findings.map((f) => f.kind).sort(), ['checksum', 'hash']);
  assert.match(found.findings.find((f) => f.kind === 'hash').path, /^:a \[/);
  damaged.close();

  const gc = slab.gc();
  assert.equal(gc.version, slab.version);
  assert.ok(gc.liveObjects > 0 && gc.liveBytes > 0 && gc.heldBytes >= 0 && gc.freedBlocks >= 0);
  const small = `${path}.compact`;
  const { before, after } = slab.compact(small);
  assert.ok(after > 0 && after <= before);
  const compacted = open(small);
  assert.ok(compacted.atom('a').deref().equals(atom.deref()));
  compacted.close();
  slab.close();
  assert.throws(() => slab.verify(), { code: 'EVE_CLOSED' });
  assert.throws(() => slab.gc(), { code: 'EVE_CLOSED' });
});

test('the tools in another thread: the same answers, while this one goes on', async () => {
  const path = temp();
  const slab = open(path);
  const atom = slab.atom('a', Array.from({ length: 20000 }, (_, i) => [i, `text number ${i}`]));
  let turns = 0;
  const ticking = setInterval(() => atom.update((v) => v.set(0, turns++)), 0);
  const [report, version, sizes, gc] = await Promise.all([slab.verifyAsync(), slab.backupAsync(`${path}.b`), slab.compactAsync(`${path}.c`), slab.gcAsync()]);
  clearInterval(ticking);
  assert.ok(report.sound && report.reachableObjects > 20000 && version >= 1 && sizes.after > 0 && gc.liveObjects > 20000);
  await assert.rejects(slab.backupAsync(`${path}.b`), { code: 'EVE_ARG', message: /exists already/ });
  await assert.rejects(slab.compactAsync(5), { code: 'EVE_ARG' });
  for (const copy of [open(`${path}.b`, { readOnly: true }), open(`${path}.c`)]) {
    assert.equal(copy.atom('a').deref().length, 20000);
    copy.close();
  }
  // Closed under their eyes: an answer or the error, and no crash.
  const running = [slab.verifyAsync(), slab.gcAsync(), slab.backupAsync(`${path}.d`)];
  slab.close();
  for (const r of await Promise.allSettled(running)) if (r.status === 'rejected') assert.equal(r.reason.code, 'EVE_CLOSED', r.reason.stack);
  await assert.rejects(slab.verifyAsync(), { code: 'EVE_CLOSED' });
});

test('a worker that ends while a tool runs ends', async () => {
  const path = temp();
  const slab = open(path);
  slab.atom('a', Array.from({ length: 50000 }, (_, i) => [i, `text number ${i}`]));
  const code = `const { open } = await import(${JSON.stringify(import.meta.resolve('eve'))});
    const slab = open(${JSON.stringify(path)});
    slab.verifyAsync();
    (await import('node:worker_threads')).parentPort.postMessage('runs');`;
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
  }
  assert.ok(slab.verify().sound);
  slab.close();
});
