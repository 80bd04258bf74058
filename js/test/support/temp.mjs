// Slabs in a folder that goes when the test file ends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'eve-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let n = 0;
/** A new path. */
export function temp(name = 'slab.eve') {
  return join(folder, `${n++}-${name}`);
}
export { folder };
