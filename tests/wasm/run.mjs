// eve as wasm32 with shared memory: a main thread that never blocks and two workers on one slab. Usage: node run.mjs eve.wasm
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { CONTROL_WAITERS, PARTICIPANTS, PARTICIPANTS_MAX, PARTICIPANT_SIZE } from '../../js/layout.js';
import { EveFailure, first, newMemory, newThread } from './host.mjs';
import { encode, people, reader } from './value.mjs';

const WORKERS = 2;
const INCREMENTS = 1000;
const ROUNDS = 5;
const SLAB_BYTES = 64 << 20;
const E_ARG = -1, E_HANDLE = -2, E_FULL = -7;
const HUNG_MS = 240_000;

const fails = (code, f) => assert.throws(f, (e) => e instanceof EveFailure && e.code === code && e.message.length > 20);

/** A worker and the messages that it has sent. It fails the run by any error and any early end. */
class Thread {
  constructor(workerData) {
    this.inbox = [];
    this.worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData });
    this.worker.on('message', (m) => this.inbox.push(m));
    this.ended = new Promise((resolve, reject) => {
      this.worker.on('error', reject);
      this.worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
    });
  }

  /** The next message, which must have that key. */
  async next(key) {
    let over = false;
    const ended = this.ended.then(() => void (over = true));
    while (this.inbox.length === 0 && !over) await Promise.race([pause(2), ended]);
    const message = this.inbox.shift();
    assert.ok(message && key in message, `a worker sent ${message ? Object.keys(message) : "nothing"}, not ${key}`);
    return message[key];
  }
}

const all = (threads, key) => Promise.all(threads.map((t) => t.next(key)));

function participants(eve, slab) {
  const table = eve.place(slab).base + PARTICIPANTS;
  return Array.from({ length: PARTICIPANTS_MAX }, (_, i) => eve.data.getUint32(table + i * PARTICIPANT_SIZE, true)).filter((s) => s !== 0).length;
}

/** The slab, as the main thread makes it. */
function make(eve) {
  const slab = eve.open(SLAB_BYTES);
  const atoms = { people: eve.keyword(slab, 'people'), counter: eve.keyword(slab, 'counter') };
  const before = eve.snapshot(slab, (view) => view.version);
  const { version } = eve.commit(slab, [[atoms.people, encode(people())], [atoms.counter, encode(0)]]);
  assert.equal(version, before + 1n);
  return { slab, atoms };
}

async function shared(eve, module, { slab, atoms }) {
  const gate = eve.alloc(8);
  const raise = (step) => {
    const cells = new Int32Array(eve.memory.buffer);
    Atomics.store(cells, gate >>> 2, step);
    Atomics.notify(cells, gate >>> 2);
  };
  raise(0);
  const data = { module, memory: eve.memory, slab, atoms, gate, increments: INCREMENTS, rounds: ROUNDS };
  const threads = Array.from({ length: WORKERS }, () => new Thread({ ...data, thread: newThread(eve) }));
  await all(threads, 'ready');
  assert.equal(participants(eve, slab), 1 + WORKERS, 'each attachment is a participant of its own');
  console.log(`ok: ${WORKERS} workers read ${people().size} entries in place, through the C ABI and in JavaScript`);

  const before = eve.snapshot(slab, (view) => view.version);
  raise(1);
  const versions = (await all(threads, 'versions')).flat();
  const [total, after] = eve.snapshot(slab, (view) => [eve.int(slab, eve.atom(slab, view, atoms.counter)), view.version]);
  assert.equal(total, BigInt(WORKERS * INCREMENTS));
  assert.equal(after, before + total, 'each swap is one version');
  assert.equal(new Set(versions).size, WORKERS * INCREMENTS, 'no two swaps made the same version');
  console.log(`ok: ${WORKERS} workers added ${INCREMENTS} each, the sum is ${total}`);

  await wakeUp(eve, slab, atoms, threads, raise);
  await Promise.all(threads.map((t) => t.ended));
  assert.equal(participants(eve, slab), 1, 'a closed attachment is no participant');
}

async function wakeUp(eve, slab, atoms, threads, raise) {
  raise(2);
  for (let round = 0; round < ROUNDS; round++) {
    await all(threads, 'asleep');
    while (eve.data.getUint32(eve.place(slab).base + CONTROL_WAITERS, true) !== WORKERS) await pause(2);
    eve.commit(slab, [[atoms.counter, encode(round)]]);
    await all(threads, 'awake');
    raise(3 + round);
  }
  for (const woken of await all(threads, 'woken')) assert.ok(woken > 0, 'no commit woke a sleeping worker: each slept until its time was over');
  console.log('ok: commits wake the workers that wait for them');
}

/** What the main thread may not do, and what it can do instead. */
function mainThread(eve, { slab, atoms }) {
  const version = eve.snapshot(slab, (view) => view.version);
  fails(E_ARG, () => eve.wait(slab, version, -1));
  fails(E_ARG, () => eve.wait(slab, version, 1));
  assert.equal(eve.wait(slab, version, 0), null);
  assert.equal(eve.wait(slab, version - 1n, 0), version);
  assert.equal(eve.u64('eve_sync', slab), version);
  const path = new TextEncoder().encode('a.slab\0');
  fails(E_ARG, () => eve.with(path, (at) => eve.u64('eve_open', at, 0)));
  fails(E_HANDLE, () => eve.u64('eve_attach', slab + (1n << 32n)));
  const map = eve.snapshot(slab, (view) => reader(eve, slab)(eve.atom(slab, view, atoms.people)).toJS());
  assert.deepEqual(map, people());
  console.log('ok: the main thread reads, commits and looks for versions, and is refused what would block it');
}

/** A slab outlives the handle that made it, takes no more than its limit, and leaves its memory to the next one. */
function lifetimes(eve) {
  const made = eve.open(8 << 20);
  const attached = eve.u64('eve_attach', made);
  eve.call('eve_close', made);
  fails(E_HANDLE, () => eve.u64('eve_attach', made));
  const name = eve.keyword(attached, 'x');
  eve.commit(attached, [[name, encode('kept')]]);
  const large = Array.from({ length: 300_000 }, (_, i) => `text ${i}, so long that it takes a cell`);
  fails(E_FULL, () => eve.commit(attached, [[name, encode(large)]]));
  assert.equal(eve.snapshot(attached, (view) => eve.text('eve_text', attached, eve.atom(attached, view, name))), 'kept');
  const { base, reserved, backed } = eve.place(attached);
  assert.ok(backed <= 8 << 20 && backed < reserved);
  eve.call('eve_snapshot_open', attached, eve.out, 0);
  const snapshot = eve.data.getBigUint64(eve.out, true);
  eve.call('eve_close', attached);
  fails(E_HANDLE, () => eve.call('eve_root_load', attached, eve.out));
  const other = eve.open(8 << 20);
  assert.notEqual(eve.place(other).base, base, 'memory that a snapshot holds must not be given to another slab');
  eve.call('eve_close', other);
  eve.call('eve_snapshot_close', snapshot);

  const grown = eve.memory.buffer.byteLength;
  for (let i = 0; i < 10; i++) {
    const slab = eve.open(8 << 20);
    const view = eve.snapshot(slab, (v) => v);
    assert.deepEqual([view.version, eve.u64('eve_count', slab, view.state)], [1n, 0n], 'a new slab is empty');
    const place = eve.place(slab);
    const unused = new BigUint64Array(eve.memory.buffer, place.base + place.backed, (place.reserved - place.backed) / 8);
    assert.ok(unused.every((word) => word === 0n), 'memory that was used before is zero again');
    eve.commit(slab, [[eve.keyword(slab, `name ${i}`), encode(people())]]);
    eve.call('eve_close', slab);
  }
  assert.equal(eve.memory.buffer.byteLength, grown, 'slabs that follow each other use the same memory');
  fails(E_FULL, () => eve.open(0x7fff0000));
  fails(E_FULL, () => eve.open(Number.MAX_SAFE_INTEGER));
  console.log('ok: slabs end with their last handle, keep their limit, and their memory is used again');
}

async function main(path) {
  assert.ok(path, 'usage: node run.mjs eve.wasm');
  const module = await WebAssembly.compile(await readFile(path));
  const eve = await first(module, newMemory());
  assert.equal(eve.exports.eve_abi_version(), 1);
  const made = make(eve);
  await shared(eve, module, made);
  mainThread(eve, made);
  eve.call('eve_close', made.slab);
  fails(E_HANDLE, () => eve.call('eve_close', made.slab));
  lifetimes(eve);
}

// Not a limit on speed: a deadlock must end with a failure.
const watchdog = setTimeout(() => {
  console.error(`check-wasm: hung for ${HUNG_MS / 1000} s`);
  process.exit(1);
}, HUNG_MS);
await main(process.argv[2]).catch((e) => {
  console.error(e);
  process.exit(1);
});
clearTimeout(watchdog);
console.log('check-wasm: all passed');
