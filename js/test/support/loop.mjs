// Swaps and derefs in one process, synchronous or with turns: arguments n, size of the map, path, "sync" or "async", MiB of other live heap. Prints JSON.
import { readFileSync } from 'node:fs';
import { open } from 'eve';

const [n, size, path, mode, heap] = process.argv.slice(2).map((x, i) => (i === 2 || i === 3 ? x : Number(x)));
// About 100 bytes each.
globalThis.other = Array.from({ length: heap * 10000 }, (_, i) => ({ i, x: { i, text: String(i) } }));
const slab = open(path);
const a = slab.atom('map', new Map(Array.from({ length: size }, (_, i) => [i, i])));
const live = slab.pins().taken;

function step(i) {
  const k = (i * 7919) % size;
  if (i & 1) a.swap((m) => m.set(k, i));
  else a.assoc(k, i);
  if (a.deref().get(k) !== i) throw new Error(`${k} is not ${i}`);
}

const start = process.hrtime.bigint();
for (let i = 0; i < n; i++) {
  step(i);
  if (mode === 'async' && i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
}
const ns = Math.round(Number(process.hrtime.bigint() - start) / n);
const rss = 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const { taken: peak, gcs, leaked } = slab.pins();
console.log(JSON.stringify({ peak, live, ns, rss, gcs, leaked }));
slab.close();
