// worker.mjs FOLDER (write|read) ID: as the worker in driver.rs beside it.
import assert from 'node:assert/strict';
import { openSync, readSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { open } from '../../js/node.js';

const [folder, role, text] = process.argv.slice(2);
const id = Number(text);
const told = openSync(`${folder}/told`, 'r+');
const bytes = new DataView(new ArrayBuffer(8));
const get = (i) => (readSync(told, bytes, 0, 8, 8 * i), Number(bytes.getBigInt64(0, true)));
const put = (i, n) => (bytes.setBigInt64(0, BigInt(n), true), writeSync(told, bytes, 0, 8, 8 * i));
const four = [0, 1, 2, 3];

const slab = open(`${folder}/bank.eve`, { create: false, syncInterval: 30 });
const bank = slab.atom('torture/bank');
const own = four.map((i) => slab.atom(`torture/own-${i}`));
const random = () => Math.floor(Math.random() * 300);

let seen = [0, 0, 0, 0];
for (let done = 1; ; done++) {
  const floors = four.map(get);
  const ownFloors = four.map((i) => get(8 + i));
  const m = bank.deref();
  let sum = 0;
  for (const [k, v] of m) if (k < 1000) sum += v;
  assert.deepEqual([m.size, sum], [304, 30000], 'BROKEN: money was lost or made');
  const made = four.map((i) => m.get(1000 + i));
  for (const i of four) {
    assert.ok(made[i] >= floors[i] && made[i] >= seen[i], `BROKEN: ${floors[i]} of ${i} were told, ${seen[i]} seen, ${made[i]} are there`);
    const n = own[i].deref();
    assert.ok(n >= ownFloors[i], `BROKEN: ${ownFloors[i]} of own-${i} were told, ${n} are there`);
  }
  seen = made;
  if (role === 'write') {
    for (let n = 0; n < 10; n++) {
      const after = bank.swap((x) => {
        const from = random();
        const taken = x.set(from, x.get(from) - 1);
        const to = random();
        const given = taken.set(to, taken.get(to) + 1);
        return given.set(1000 + id, given.get(1000 + id) + 1);
      });
      put(id, after.get(1000 + id));
      put(8 + id, own[id].add(1));
    }
  }
  put(16 + id + (role === 'write' ? 0 : 4), done);
  await setImmediate(); // pins are let go in the event loop
}
