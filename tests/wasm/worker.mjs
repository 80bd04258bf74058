// One thread of run.mjs: attaches, reads the map in place, counts, waits for commits, closes.
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { OP } from '../../js/op.js';
import { further } from './host.mjs';
import { encode, people, reader } from './value.mjs';

const { module, memory, thread, slab: opened, atoms, gate, increments, rounds } = workerData;

/** Every entry, through the C ABI and by js/'s readers. */
function readAll(eve, slab) {
  const expected = people();
  eve.snapshot(slab, (view) => {
    const word = eve.atom(slab, view, atoms.people);
    assert.equal(eve.u64('eve_count', slab, word), BigInt(expected.size));
    for (const [name, [number, text]] of expected) {
      const entry = eve.with(new TextEncoder().encode(name), (at, n) => eve.u64('eve_get_string', slab, word, at, n));
      assert.equal(eve.int(slab, eve.u64('eve_nth', slab, entry, 0n)), BigInt(number));
      assert.equal(eve.text('eve_text', slab, eve.u64('eve_nth', slab, entry, 1n)), text);
    }
    const map = reader(eve, slab)(word);
    assert.deepEqual(map.toJS(), expected);
    assert.equal(map.get('person 1000'), undefined);
    assert.equal(map.toString(), eve.text('eve_print', slab, word));
  });
}

/** Blocks until the main thread has raised the gate to `step`. */
function until(step) {
  const cells = new Int32Array(memory.buffer);
  for (let now; (now = Atomics.load(cells, gate >>> 2)) < step; ) Atomics.wait(cells, gate >>> 2, now);
}

function count(eve, slab) {
  const one = encode(1);
  const versions = [];
  for (let i = 0; i < increments; i++) versions.push(eve.swap(slab, atoms.counter, OP.ADD, one).version);
  return versions;
}

/** Sleeps until the main thread commits, `rounds` times. Returns how often a sleep ended by a wake-up, not by the core's own limit. */
function sleep(eve, slab, sleeps) {
  const seen = eve.snapshot(slab, (view) => view.version);
  assert.equal(eve.wait(slab, seen, 20), null, 'a wait without a commit times out');
  let woken = 0;
  for (let round = 0; round < rounds; round++) {
    const before = eve.snapshot(slab, (view) => view.version);
    parentPort.postMessage({ asleep: round });
    const version = eve.wait(slab, before, -1);
    assert.ok(version > before, 'a wait without a limit ends with a later version');
    if (sleeps.at(-1) !== 'timed-out') woken++;
    parentPort.postMessage({ awake: round });
    until(3 + round);
  }
  return woken;
}

const sleeps = [];
const eve = await further(module, memory, thread, { sleeps: true, woken: (result) => sleeps.push(result) });
const slab = eve.u64('eve_attach', opened);
assert.notEqual(slab, opened);
readAll(eve, slab);
parentPort.postMessage({ ready: true });
until(1);
const versions = count(eve, slab);
parentPort.postMessage({ versions });
until(2);
const woken = sleep(eve, slab, sleeps);
eve.call('eve_close', slab);
parentPort.postMessage({ woken });
