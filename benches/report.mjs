// report.mjs OUT PART...: joins the rows of the parts (JSON lists of {row, ours, peer, unit, ratio, goal}) into OUT and prints them as a table.
// ratio = how many times the speed of the reference (more is better); rows without a goal are shown for information.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const [out, ...parts] = process.argv.slice(2);
const rows = parts.filter(existsSync).flatMap((p) => JSON.parse(readFileSync(p, 'utf8')));
const missing = parts.filter((p) => !existsSync(p));
writeFileSync(out, JSON.stringify(rows, null, 1) + '\n');

const number = (x) => (x === null || x === undefined ? '' : Math.abs(x) >= 100 ? Math.round(x).toString() : x.toPrecision(3));
const table = [['row', 'ours', 'reference', 'unit', 'ratio', 'goal', '']];
for (const r of rows) {
  const verdict = r.goal === null || r.goal === undefined ? '' : r.ratio >= r.goal ? 'ok' : 'below';
  table.push([r.row, number(r.ours), number(r.peer), r.unit, number(r.ratio), number(r.goal), verdict]);
}
const width = table[0].map((_, i) => Math.max(...table.map((t) => t[i].length)));
const left = new Set([0, 3, 6]);
for (const t of table) console.log(t.map((c, i) => (left.has(i) ? c.padEnd(width[i]) : c.padStart(width[i]))).join('  ').trimEnd());
for (const p of missing) console.log(`no results of ${p}: its benchmark did not run`);
const below = rows.filter((r) => r.goal !== null && r.goal !== undefined && r.ratio < r.goal).length;
console.log(`\n${rows.length} rows, ${below} below their goal; written to ${out}`);
