// worker.mjs FILE SECONDS SEED: as worker.rs beside it. Here a transfer is one swap of :multi/bank; :multi/moves follows after each round.
// A round also keeps the bank as it was before it, and checks afterwards that this handle still reads the same.
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { open } from '../../js/node.js';

const EACH = 100;
const TRANSFERS = 20; // a round

const [file, seconds, seed] = process.argv.slice(2);
const slab = open(file, { create: false });
const bank = slab.atom('multi/bank');
const moves = slab.atom('multi/moves');

let state = (Number(seed) * 2654435761) >>> 0 || 1;
function random(n) { // xorshift32
  state ^= state << 13;
  state ^= state >>> 17;
  state = (state ^ (state << 5)) >>> 0;
  return state % n;
}

function check(what, m) {
  let sum = 0;
  let n = 0;
  for (const [, v] of m) {
    sum += v;
    n++;
  }
  assert.ok(n > 0, `${what} is empty`);
  assert.equal(n, m.size, `${what}: entries and size`);
  assert.equal(sum, n * EACH, `${what}: ${n} accounts hold ${sum}`);
}

function transfer(m, from, to) {
  const taken = m.set(from, m.get(from) - 1);
  return taken.set(to, taken.get(to) + 1);
}

let made = 0;
let reads = 0;
const end = performance.now() + Number(seconds) * 1000;
while (performance.now() < end) {
  const before = bank.deref();
  check('the bank', before);
  const text = before.toString();
  for (let i = 0; i < TRANSFERS; i++) bank.swap(transfer, random(before.size), random(before.size));
  moves.add(TRANSFERS);
  check('a handle held over a round', before);
  assert.equal(before.toString(), text, 'a handle held over a round changed');
  made += TRANSFERS;
  reads += 2;
  await setImmediate(); // pins are let go in the event loop
}
slab.close();
console.log(`${made} moves ${reads} reads`);
