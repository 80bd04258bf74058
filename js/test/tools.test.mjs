// verify, backup, compact.
import assert from 'node:assert/strict';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
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
