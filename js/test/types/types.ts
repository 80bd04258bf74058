// Compiled by `tsc --noEmit`, never run: the declarations say what they should. A line after @ts-expect-error must not compile.
import {
  Atom, Char, Decimal, EveError, EveList, EveMap, EveSet, EveVector, Instant, Keyword, Ratio, Slab, Snapshot, UUID, Value, add, assoc, conj, disj, dissoc,
  EveSortedMap, EveSortedSet, double, equal, hash, inc, keyword, kw, list, open, openAnonymous, pop, print, registerComparator, sortedMap, sortedSet, symbol,
} from 'eve';

const slab: Slab = open('x.eve', { create: 'new', mode: 0o600, syncMode: 'commit', maxBytes: 1e9 });
open(new URL('file:///x.eve'), { readOnly: true });
// @ts-expect-error an unknown option
open('x.eve', { creat: true });
// @ts-expect-error an unknown mode
openAnonymous({ syncMode: 'always' });

interface City { name: string }
const counter = slab.atom<number>('app/counter', 0);
const n: number = counter.deref();
const m: number = counter.swap((x) => x + 1);
const k: number = counter.swap((x, y: number) => x + y, 2);
// @ts-expect-error the argument of f is missing
counter.swap((x: number, y: number) => x + y);
// @ts-expect-error functions can't be stored
counter.swap(() => () => 1);
counter.swap(inc);
counter.swap(add, 5);
counter.add();
counter.add(5n);

const cities: Atom<EveMap<string, EveMap<string, Value>>> = slab.atom(keyword('app', 'cities'), {});
const one: EveMap<string, Value> | undefined = cities.deref().get('Berlin');
const name: Value | undefined = one?.get('name');
const or: Value | 0 | undefined = one?.get('x', 0);
cities.swap((c) => c.set('Berlin', { name: 'Berlin', tags: new Set([kw`a/b`]), at: [52.5, 13.4], id: 1n }));
cities.swap(assoc, 'Paris', new Map([[keyword('name'), 'Paris']]));
cities.swap(dissoc, 'Paris');
cities.assoc('x', list(1, 'a', double(1)));
for (const [key, value] of cities.deref()) console.log(key.length, value.size);
const size: number = cities.read((c) => c?.size ?? 0);
const all: Map<unknown, unknown> = cities.deref().toJS();
const readonlyMap: ReadonlyMap<string, EveMap<string, Value>> = cities.deref();
const copied: Map<string, EveMap<string, Value>> = new Map(cities.deref());
const city: City = { name: 'Rome' };
cities.assoc('Rome', { ...city });

const v: EveVector<number> = slab.atom<EveVector<number>>('v', [1, 2]).deref();
const sum: number = v.reduce((a, b) => a + b, 0);
const doubled: string[] = v.map((x) => String(x * 2));
const last: number | undefined = v.at(-1);
const s: EveSet<string> = slab.atom<EveSet<string>>('s', new Set()).swap(conj, 'a');
slab.atom('s').swap(disj, 'a');
const readonlySet: ReadonlySet<string> = s;
const native: Set<string> = new Set(s);
slab.atom('v').swap(pop);
const l: EveList<number> = slab.atom<EveList<number>>('l', list(1)).deref().rest();

const stop: () => void = counter.watch((value, old) => console.log(value! + old!), { ref: true });
stop();
const snapshot: Snapshot = slab.snapshot();
const then: number | undefined = snapshot.get(counter);
snapshot.state.get(keyword('app/counter'));
snapshot.close();
const versionMade: number = counter.update((n, by: number) => n + by, 5) + slab.pins().held;
const read: number = counter.read((n, by: number) => n! + by, 5);
export function later(): number | undefined {
  using held = counter.snapshot();
  return held.value ?? held.deref();
}
const durable: number = slab.sync();
export const checked: Promise<boolean> = slab.verifyAsync().then((r) => r.sound);
const same: boolean = equal(new Ratio(1, 2), new Decimal('0.5')) && counter.compareAndSet(1, 2);
const text: string = print([new UUID('00000000-0000-0000-0000-000000000000'), new Instant(1, 2), new Char('x'), symbol('x'), new Date()]) + hash('x');
// @ts-expect-error keywords are made by keyword()
new Keyword();
try { slab.close(); } catch (e) { if (e instanceof EveError && e.code === 'EVE_CLOSED') throw e; }
export { City, all, doubled, read, versionMade, durable, k, l, last, m, n, name, or, s, same, size, sum, text, then };

const sorted = slab.atom<EveSortedMap<number, string>>('sorted', sortedMap([[2, 'b'], [1, 'a']], 'reverse'));
const nearest: [number, string] | undefined = sorted.deref().last({ before: 2 });
for (const [at, word] of sorted.deref().entries({ from: 2, to: 1, reverse: true })) console.log(at.toFixed(), word.length);
sorted.swap((m) => m.set(3, 'c').delete(1).merge({ x: 1 }));
const ranks: number = sorted.deref().count({ after: 1 });
const asMap: ReadonlyMap<number, string> = sorted.deref();
const words: EveSortedSet<string> = slab.atom<EveSortedSet<string>>('words', sortedSet(['b', 'a'], keyword('by/length'))).deref();
const firstWord: string | undefined = words.first() ?? words.at(-1);
registerComparator(keyword('by/length'), (a: string, b: string) => a.length - b.length);
// @ts-expect-error not a part of a range
words.values({ form: 'a' });
// @ts-expect-error an unknown order
sortedSet([], 'ascending');
