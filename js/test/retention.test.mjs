// Old versions take bounded memory. Long form: EVE_LONG=1 node --test test/retention.test.mjs
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inFastLoop } from './support/runs.mjs';
import { temp } from './support/temp.mjs';

const LONG = Boolean(process.env.EVE_LONG);
const MIB = 2 ** 20;

// What loop.mjs prints, run with these options of node and this budget.
function loop({ n, size = 100000, mode, heap = 0, flags = [], budget }) {
  const script = fileURLToPath(new URL('support/loop.mjs', import.meta.url));
  const env = { ...process.env, ...(budget && { EVE_PIN_BUDGET: budget }) };
  const p = spawnSync(process.execPath, [...flags, script, n, size, temp(), mode, heap].map(String), { env, encoding: 'utf8' });
  assert.equal(p.status, 0, `${p.signal} ${p.stderr}`);
  const r = JSON.parse(p.stdout);
  const name = [mode, ...flags, heap && `${heap} MiB of heap`].filter(Boolean).join(' ');
  const mib = (x) => (x / MIB).toFixed(1);
  console.log(`${name}: peak ${mib(r.peak)} MiB, live ${mib(r.live)}, RSS ${mib(r.rss)}, ${r.ns} ns, ${r.gcs} collections`);
  return r;
}

// A young generation that is smaller than what comes between two groups: they grow old before they are found dead.
const SMALL = '--max-semi-space-size=1';

test('old versions take bounded memory, in a loop without turns and in one with turns', { skip: inFastLoop }, () => {
  for (const mode of ['sync', 'async']) {
    for (const flags of [[], [SMALL]]) {
      const { peak, live, leaked } = loop({ n: 300000, mode, flags, budget: '8m' });
      assert.ok(peak <= 1.5 * live + 32 * MIB, `${peak} with ${live} live`);
      assert.equal(leaked, 0);
    }
  }
});

test('old versions take bounded memory, long', { skip: !LONG && 'EVE_LONG=1 runs it' }, () => {
  const n = 5000000;
  for (const run of [{ mode: 'sync' }, { mode: 'async' }, { mode: 'sync', flags: [SMALL] }, { mode: 'sync', flags: ['--max-semi-space-size=64'] },
    { mode: 'sync', heap: 200 }, { mode: 'async', heap: 200 }, { mode: 'sync', size: 10000 }]) {
    const { peak, live } = loop({ n, ...run });
    assert.ok(peak <= 1.5 * live + 64 * MIB, `${peak} with ${live} live`);
  }
});
