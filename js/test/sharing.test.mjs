// Several processes and worker threads on one slab.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { all, startProcess, startWorker } from './support/run.mjs';
import { temp } from './support/temp.mjs';
import { open, openAnonymous } from 'eve';

for (const [kind, start] of [['processes', startProcess], ['worker threads', startWorker]]) {
  test(`counters and maps of several ${kind} are exact`, async () => {
    const path = temp();
    const slab = open(path);
    const count = slab.atom('count', 0);
    const map = slab.atom('map', {});
    const n = 3000;
    const others = [...[1, 2].map(() => start('count', { path, n })), ...[1, 2].map((me) => start('keys', { path, n: 1000, me }))];
    for (let i = 0; i < n; i++) {
      count.add();
      if (i % 100 === 0) await new Promise((r) => setImmediate(r));
    }
    await all(others);
    assert.equal(count.deref(), 3 * n);
    assert.equal(map.deref().size, 2000);
    for (const me of [1, 2]) for (let i = 0; i < 1000; i++) assert.ok(map.deref().get(`${me}-${i}`).equals([me, i]));
    slab.close();
  });

  test(`every version that ${kind} see is whole, and kept handles stay as they were`, async () => {
    const path = temp();
    const slab = open(path);
    slab.atom('pair', { left: [0], right: [0] });
    const ms = 1500;
    const writers = ['a', 'b'].map((me) => start('pairs', { path, ms, me }));
    const results = await all([start('check', { path, ms }), start('check', { path, ms }), ...writers]);
    assert.ok(results.every((n) => n > 0), String(results));
    slab.close();
  });

  test(`a hot loop in ${kind} sees what others commit`, async () => {
    const path = temp();
    const slab = open(path);
    const flag = slab.atom('flag', false);
    const ready = slab.atom('ready', 0);
    const other = start('spin', { path });
    while (ready.deref() !== 1) await new Promise((r) => setTimeout(r, 5));
    for (let i = 0; i < 1000; i++) ready.add(1);
    await new Promise((r) => setTimeout(r, 200)); // so that the loop has been optimized
    flag.reset(true);
    assert.ok((await other.result) > 0);
    slab.close();
  });

  test(`watches of ${kind} see each other's changes`, async () => {
    const path = temp();
    const slab = open(path);
    const question = slab.atom('question', null);
    const answer = slab.atom('answer', null);
    const other = start('answer', { path });
    const seen = [];
    await new Promise((resolve) => {
      let n = 0;
      const stop = answer.watch((value, old) => {
        seen.push([old, value]);
        question.reset(n < 5 ? n++ : 'done');
        if (value === 'answer to 4') {
          stop();
          resolve();
        }
      }, { ref: true });
    });
    assert.equal(await other.result, 'done');
    assert.deepEqual(seen, [[null, 'ready'], ['ready', 'answer to 0'], ['answer to 0', 'answer to 1'], ['answer to 1', 'answer to 2'],
      ['answer to 2', 'answer to 3'], ['answer to 3', 'answer to 4']]);
    slab.close();
  });

  test(`a slab lives on when ${kind} end without closing it`, async () => {
    const path = temp();
    const slab = open(path);
    const map = slab.atom('map', {});
    assert.equal(await start('leave', { path }).result, 'left');
    const killed = start('forever', { path });
    await killed.first;
    if (killed.worker) {
      killed.result.catch(() => {});
      await killed.worker.terminate();
    } else {
      killed.process.kill('SIGKILL');
      await assert.rejects(killed.result);
    }
    for (let i = 0; i < 1000; i++) map.assoc(`mine-${i % 10}`, i);
    assert.equal(map.deref().get('mine-9'), 999);
    assert.ok(map.deref().has('killed-0'));
    slab.close();
    const again = open(path);
    assert.equal(again.atom('map').deref().get('mine-9'), 999);
    again.close();
  });
}

test('a watch sees changes of its own process, only of its atom, and stops', async () => {
  const slab = openAnonymous();
  const a = slab.atom('a', 0);
  const b = slab.atom('b', 0);
  const seen = [];
  const stop = a.watch((value, old) => seen.push([old, value]));
  const until = async (n) => { while (seen.length < n) await new Promise((r) => setTimeout(r, 5)); };
  a.add();
  await until(1);
  b.add();
  b.add();
  a.reset({ x: 1 });
  await until(2);
  assert.deepEqual(seen[0], [0, 1]);
  assert.equal(seen[1][0], 1);
  assert.equal(seen[1][1].get('x'), 1);
  slab.remove('a');
  await until(3);
  assert.equal(seen[2][1], undefined);
  stop();
  stop();
  slab.atom('a', 5).add();
  await new Promise((r) => setTimeout(r, 100));
  assert.equal(seen.length, 3);
  slab.close();
});

test('a slab may be closed by its own watch', async () => {
  const slab = openAnonymous();
  const a = slab.atom('a', 0);
  const b = slab.atom('b', 0);
  await new Promise((resolve) => {
    for (const atom of [a, b]) atom.watch(() => { slab.close(); resolve(); }, { ref: true });
    a.add();
    b.add();
  });
  assert.throws(() => a.deref(), { code: 'EVE_CLOSED' });
});

test('an error in a watch is an uncaught exception; a watch alone keeps no process alive', async () => {
  const script = `
    import { openAnonymous } from 'eve';
    const slab = openAnonymous();
    const a = slab.atom('a', 0);
    if (process.argv[1] === 'throw') {
      process.on('uncaughtException', (e) => { console.log('caught ' + e.message); process.exit(0); });
      a.watch(() => { throw new Error('mine'); }, { ref: true });
      a.add();
    } else {
      a.watch(() => {});
      console.log('end');
    }`;
  const { spawn } = await import('node:child_process');
  for (const [how, expected] of [['throw', 'caught mine\n'], ['end', 'end\n']]) {
    const p = spawn(process.execPath, ['--input-type=module', '-e', script, how], { stdio: ['ignore', 'pipe', 'inherit'], cwd: new URL('.', import.meta.url) });
    let out = '';
    p.stdout.on('data', (d) => (out += d));
    const [code] = await once(p, 'close');
    assert.deepEqual([code, out], [0, expected]);
  }
});
