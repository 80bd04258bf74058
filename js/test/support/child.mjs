// What the tests run in other processes and workers. Arguments: the task, its parameters as JSON. It prints or posts its result as JSON.
import { parentPort, workerData } from 'node:worker_threads';
import { add, inc, open } from 'eve';

const tasks = {
  // n increments of a counter: with known functions and general ones by turns.
  count({ path, n }) {
    const slab = open(path);
    const a = slab.atom('count');
    for (let i = 0; i < n; i++) {
      if (i % 3 === 0) a.swap(inc);
      else if (i % 3 === 1) a.swap((x) => x + 1);
      else a.swap(add, 1);
    }
    slab.close();
    return n;
  },
  // Adds its own keys to one map.
  keys({ path, n, me }) {
    const slab = open(path);
    const a = slab.atom('map');
    for (let i = 0; i < n; i++) {
      if (i % 2 === 0) a.assoc(`${me}-${i}`, [me, i]);
      else a.swap((m) => m.set(`${me}-${i}`, [me, i]));
    }
    slab.close();
    return n;
  },
  // Adds its own elements to one sorted set, which it reads in order.
  sorted({ path, n, me }) {
    const slab = open(path);
    const a = slab.atom('sorted');
    for (let i = 0; i < n; i++) {
      const x = 3 * i + me;
      const set = i % 2 === 0 ? a.conj(x) : a.swap((s) => s.add(x));
      const [before] = set.keys({ before: x, reverse: true });
      if (!set.has(x) || !(before === undefined || before < x) || set.at(set.count({ before: x })) !== x) throw new Error(`${x} is not in its place`);
    }
    slab.close();
    return n;
  },
  // Reads while others write: every version must have two equal halves. Keeps some handles for later.
  async check({ path, ms }) {
    const slab = open(path);
    const a = slab.atom('pair');
    const end = Date.now() + ms;
    const kept = [];
    let reads = 0;
    while (Date.now() < end) {
      for (let i = 0; i < 500; i++, reads++) {
        const pair = a.deref();
        const left = pair.get('left');
        if (!left.equals(pair.get('right'))) throw new Error(`version ${slab.version}: ${pair}`);
        if (reads % 997 === 0) kept.push([pair, left.get(0)]);
        if (kept.length > 50) kept.shift();
      }
      await new Promise((r) => setImmediate(r));
    }
    for (const [pair, first] of kept) {
      if (pair.get('right').get(0) !== first || !pair.get('left').equals(pair.get('right'))) throw new Error('a kept handle changed');
    }
    slab.close();
    return reads;
  },
  pairs({ path, ms, me }) {
    const slab = open(path);
    const a = slab.atom('pair');
    const end = Date.now() + ms;
    let i = 0;
    for (; Date.now() < end; i++) {
      const half = [i, me, `text of ${me} number ${i}`, { nested: [i] }];
      if (i % 2 === 0) a.reset({ left: half, right: half });
      else a.swap((p) => p.merge({ left: half, right: half }));
    }
    slab.close();
    return i;
  },
  // Waits for a value by watching, then answers.
  async answer({ path }) {
    const slab = open(path);
    const question = slab.atom('question');
    const answer = slab.atom('answer');
    await new Promise((resolve) => {
      const stop = question.watch((q) => { if (q === 'done') { stop(); resolve(); } else answer.reset(`answer to ${q}`); }, { ref: true });
      answer.reset('ready');
    });
    slab.close();
    return 'done';
  },
  // Holds the current version until it is killed.
  hold({ path }) {
    const slab = open(path);
    globalThis.held = slab.snapshot();
    report(slab.version);
    setInterval(() => {}, 1000);
    return new Promise(() => {});
  },
  // Never ends: to be killed.
  forever({ path }) {
    const slab = open(path);
    const a = slab.atom('map');
    const kept = [];
    for (let i = 0; ; i++) {
      kept.push(a.assoc(`killed-${i % 100}`, i));
      if (kept.length > 1000) kept.length = 0;
      if (i === 100) report(true);
    }
  },
  // Holds open handles and a watch, then ends without closing anything.
  leave({ path }) {
    const slab = open(path);
    slab.atom('map').watch(() => {});
    globalThis.held = [slab.snapshot(), slab.atom('map').deref()];
    return 'left';
  },
  // Sees a change made by another process in a hot loop.
  spin({ path }) {
    const slab = open(path);
    const a = slab.atom('flag');
    slab.atom('ready', 0).reset(1);
    let n = 0;
    while (a.deref() !== true) n++;
    slab.close();
    return n;
  },
};

function report(result) {
  if (parentPort) parentPort.postMessage(result);
  else process.stdout.write(`${JSON.stringify(result)}\n`);
}

const [task, parameters] = parentPort ? [workerData.task, workerData.parameters] : [process.argv[2], JSON.parse(process.argv[3])];
report(await tasks[task](parameters));
