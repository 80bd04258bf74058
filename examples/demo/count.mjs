// count.mjs SLAB N PROCESSES: as count.clj, in Node.
import { setTimeout } from 'node:timers/promises';
import { inc, open } from '../../js/node.js';

const [path, n, processes] = process.argv.slice(2);
const slab = open(path, { create: false });
const counter = slab.atom('demo/counter');
const ready = slab.atom('demo/ready');
ready.swap(inc);
while (ready.deref() < Number(processes)) await setTimeout(1);
const start = performance.now();
for (let i = 0; i < Number(n); i++) counter.swap(inc);
console.log(`${n} increments in ${(performance.now() - start).toFixed(0)} ms`);
slab.close();
