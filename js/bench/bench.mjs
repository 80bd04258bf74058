// Reads and swaps against Immutable.js, interleaved: node bench/bench.mjs [results.json]. A ratio is the peer's time over ours, the median of the rounds.
import { writeFileSync } from 'node:fs';
import { List, Map as IMap } from 'immutable';
import { openAnonymous } from 'eve';

const ROUNDS = Number(process.env.EVE_BENCH_ROUNDS ?? 15);
const WARM_UP_MS = Number(process.env.EVE_BENCH_WARM_UP_MS ?? 1500);
const GOALS = { 'node-get-10k': 1.5, 'node-get-1m': 2, 'node-nth': 3, 'node-vec-reduce': 3, 'node-swap-10k': 0.3 };

// Nanoseconds of f(), the second time, as the first only brings back into the caches what the other side has driven out: wall time, or the time of the
// processor if that is less (the machine is shared).
function time(f) {
  f();
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  f();
  const wall = Number(process.hrtime.bigint() - start);
  const used = process.cpuUsage(cpu);
  return Math.min(wall, (used.user + used.system) * 1000 + 1000);
}

const median = (xs) => [...xs].sort((a, b) => a - b)[xs.length >> 1];

// Runs both by turns and returns nanoseconds an operation and the ratio.
function compare(operations, ours, peer) {
  // Until the compiler is through, which has threads of its own and may wait for the processor.
  const end = Date.now() + WARM_UP_MS;
  do check(ours(), peer()); while (Date.now() < end);
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) {
    const [a, b] = i % 2 === 0 ? [time(ours), time(peer)] : [time(peer), time(ours)].reverse();
    rounds.push([a / operations, b / operations]);
  }
  return { ours: median(rounds.map((r) => r[0])), peer: median(rounds.map((r) => r[1])), ratio: median(rounds.map((r) => r[1] / r[0])) };
}

function check(a, b) {
  if (a !== b) throw new Error(`ours gave ${a}, the peer ${b}`);
}

function random(n, count) {
  let x = 88172645463325252n;
  return Array.from({ length: count }, () => {
    x ^= BigInt.asUintN(64, x << 13n);
    x ^= x >> 7n;
    x ^= BigInt.asUintN(64, x << 17n);
    return Number(x % BigInt(n));
  });
}

const results = [];
function report(row, part, r) {
  const [ours, peer] = [r.ours, r.peer].map((ns) => ns.toFixed(1).padStart(8));
  console.error(`${row.padEnd(16)} ${part.padEnd(8)} ours ${ours} ns, peer ${peer} ns, ratio ${r.ratio.toFixed(2)}`);
  return r;
}
function keep(row, r) {
  results.push({ row, ours: r.ours, peer: r.peer, unit: 'ns', ratio: r.ratio, goal: GOALS[row] });
}

// Module-level functions, one a variant, so that each is compiled for what it gets.
function sumInts(map, keys) {
  let sum = 0;
  for (let i = 0; i < keys.length; i++) sum += map.get(keys[i]);
  return sum;
}
function sumIntsPeer(map, keys) {
  let sum = 0;
  for (let i = 0; i < keys.length; i++) sum += map.get(keys[i]);
  return sum;
}
function sumStrings(map, keys) {
  let sum = 0;
  for (let i = 0; i < keys.length; i++) sum += map.get(keys[i]);
  return sum;
}
function sumStringsPeer(map, keys) {
  let sum = 0;
  for (let i = 0; i < keys.length; i++) sum += map.get(keys[i]);
  return sum;
}

function sumNth(vector, indices) {
  let sum = 0;
  for (let i = 0; i < indices.length; i++) sum += vector.get(indices[i]);
  return sum;
}
function sumNthPeer(vector, indices) {
  let sum = 0;
  for (let i = 0; i < indices.length; i++) sum += vector.get(indices[i]);
  return sum;
}

const slab = openAnonymous();

function gets(row, n) {
  const picks = random(n, 50000);
  const name = (i) => `key-${String(i).padStart(8, '0')}`;
  const ints = slab.atom(`${row}-int`, new Map(Array.from({ length: n }, (_, i) => [i, i]))).deref();
  const peerInts = IMap(Array.from({ length: n }, (_, i) => [i, i]));
  const a = report(row, 'int', compare(picks.length, () => sumInts(ints, picks), () => sumIntsPeer(peerInts, picks)));
  const strings = slab.atom(`${row}-str`, new Map(Array.from({ length: n }, (_, i) => [name(i), i]))).deref();
  const peerStrings = IMap(Array.from({ length: n }, (_, i) => [name(i), i]));
  // Equal strings, not the ones in the map; flat, as texts that a program has read are.
  const names = picks.map((i) => Buffer.from(name(i)).toString());
  const b = report(row, 'string', compare(picks.length, () => sumStrings(strings, names), () => sumStringsPeer(peerStrings, names)));
  keep(row, a.ratio < b.ratio ? a : b);
}

function vectors() {
  const n = 1_000_000;
  const xs = Array.from({ length: n }, (_, i) => i);
  const ours = slab.atom('vector', xs).deref();
  const peer = List(xs);
  const picks = random(n, 50000);
  keep('node-nth', report('node-nth', '', compare(picks.length, () => sumNth(ours, picks), () => sumNthPeer(peer, picks))));
  const sum = (a, x) => a + x;
  const plus = (a, x) => a + x;
  keep('node-vec-reduce', report('node-vec-reduce', '', compare(n, () => ours.reduce(sum, 0), () => peer.reduce(plus, 0))));
}

function swaps() {
  const n = 10000;
  const atom = slab.atom('swap', new Map(Array.from({ length: n }, (_, i) => [i, i])));
  let peer = IMap(Array.from({ length: n }, (_, i) => [i, i]));
  const picks = random(n, 5000);
  let round = 0;
  const ours = () => {
    round++;
    for (let i = 0; i < picks.length; i++) atom.assoc(picks[i], i + round);
    return atom.deref().size;
  };
  const theirs = () => {
    round++;
    for (let i = 0; i < picks.length; i++) peer = peer.set(picks[i], i + round);
    return peer.size;
  };
  keep('node-swap-10k', report('node-swap-10k', '', compare(picks.length, ours, theirs)));
  const general = () => {
    round++;
    for (let i = 0; i < picks.length; i++) atom.swap((m) => m.set(picks[i], i + round));
    return atom.deref().size;
  };
  report('(general swap)', '', compare(picks.length, general, theirs));
}

gets('node-get-10k', 10_000);
gets('node-get-1m', 1_000_000);
vectors();
swaps();
slab.close();
const text = JSON.stringify(results, null, 2);
if (process.argv[2]) writeFileSync(process.argv[2], `${text}\n`);
else console.log(text);
