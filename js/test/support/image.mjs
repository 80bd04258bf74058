// Slabs made by hand, from docs/format.md: for what the core writes rarely (collisions, further segments) or never (damage).
import { DESCRIPTOR } from '../../kind.js';
import { Double, Keyword, ListOf } from '../../types.js';
import { Group, Memory, View } from '../../memory.js';
import { decode } from '../../reader.js';
import { hash } from '../../value.js';
import * as L from '../../layout.js';

const SEGMENT = 1n << 32n;
const DATA = 0x10000n; // the tables between are not needed for reading

export class Image {
  /** With `far`, objects lie in segments 0 and 1 by turns. */
  constructor({ far = false, size = 1 << 22 } = {}) {
    this.segments = far ? [new DataView(new ArrayBuffer(size)), new DataView(new ArrayBuffer(size))] : [new DataView(new ArrayBuffer(size))];
    this.next = this.segments.map((_, s) => (s === 0 ? DATA : BigInt(s) * SEGMENT + DATA));
    this.turn = 0;
    this.ids = new Map();
  }

  at(offset) {
    return [this.segments[Number(offset >> 32n)], Number(offset & 0xffffffffn)];
  }
  u32(offset, n) {
    const [d, i] = this.at(offset);
    d.setUint32(i, n >>> 0, true);
  }
  u64(offset, n) {
    const [d, i] = this.at(offset);
    d.setBigUint64(i, BigInt.asUintN(64, n), true);
  }
  get64(offset) {
    const [d, i] = this.at(offset);
    return d.getBigUint64(i, true);
  }

  /** A new object of `bytes` bytes with its header. */
  object(type, bytes, flags = 0) {
    const s = this.turn++ % this.segments.length;
    const offset = this.next[s];
    this.next[s] += BigInt((bytes + 15) & ~15);
    this.u64(offset, BigInt(type) | (BigInt(flags) << 8n) | (1n << 16n));
    return offset;
  }

  text(s) {
    const bytes = Buffer.from(s, 'utf8');
    if (bytes.length <= 7) return bytes.reduce((w, b, i) => w | (BigInt(b) << BigInt(8 * (i + 1))), BigInt(L.DESC_STRING + 8 * bytes.length));
    const ascii = bytes.length === s.length;
    const head = ascii ? 16 : 24;
    const o = this.object(L.TEXT, head + bytes.length + 8, ascii ? L.FLAG_ASCII : 0);
    this.u32(o + 8n, hash(s));
    this.u32(o + 12n, s.length);
    if (!ascii) this.u32(o + 16n, bytes.length);
    const [d, i] = this.at(o + BigInt(head));
    new Uint8Array(d.buffer).set(bytes, i);
    return o;
  }

  named(x) {
    let id = this.ids.get(x);
    if (id === undefined) this.ids.set(x, (id = this.ids.size));
    return BigInt(x instanceof Keyword ? L.DESC_KEYWORD : L.DESC_SYMBOL) | (BigInt(id) << 8n) | (BigInt(x._hash >>> 0) << 32n);
  }

  /** Writes the symbol table: after all values. */
  symbols() {
    const directory = this.object(L.SYMBOL_DIR, 16 + 8 * L.SYMBOL_CHUNKS);
    const chunks = [];
    for (const [x, id] of this.ids) {
      const k = 31 - Math.clz32((id >>> 6) + 1);
      if (!chunks[k]) {
        chunks[k] = this.object(L.SYMBOL_CHUNK, 16 + 8 * 64 * 2 ** k);
        this.u32(chunks[k] + 8n, 64 * 2 ** k);
        this.u64(directory + 16n + 8n * BigInt(k), chunks[k]);
      }
      const o = this.object(L.SYMBOL, 32);
      this.u32(o + 12n, id | ((x instanceof Keyword ? 0 : 1) << 24));
      this.u64(o + 16n, x.namespace === null ? 0n : this.text(x.namespace));
      this.u64(o + 24n, this.text(x.name));
      this.u64(chunks[k] + 16n + 8n * BigInt(id - 64 * (2 ** k - 1)), o);
    }
    this.u64(BigInt(L.CONTROL_SYMBOLS), directory);
  }

  double(x) {
    if (x === 0) return BigInt(Object.is(x, -0) ? L.MINUS_ZERO : L.ZERO);
    const d = new DataView(new ArrayBuffer(8));
    d.setFloat64(0, x);
    const bits = d.getBigUint64(0);
    const top = Number((bits >> 60n) & 7n);
    if (top === 3 || top === 4) return (BigInt.asUintN(64, (bits << 3n) | (bits >> 61n)) & ~3n) | 2n;
    const o = this.object(L.F64, 16);
    this.u64(o + 8n, bits);
    return o;
  }

  /** The word of a value. */
  word(x) {
    if (x === null) return 0n;
    if (x === true) return BigInt(L.TRUE);
    if (x === false) return BigInt(L.FALSE);
    if (typeof x === 'string') return this.text(x);
    if (typeof x === 'bigint') return BigInt.asUintN(64, (x << 1n) | 1n);
    if (typeof x === 'number') return Number.isSafeInteger(x) && !Object.is(x, -0) ? this.word(BigInt(x)) : this.double(x);
    if (x instanceof Double) return this.double(x.value);
    if (x[DESCRIPTOR]) return this.named(x);
    if (x instanceof Map) return this.map([...x].map(([k, v]) => ({ hash: hash(k), words: [this.word(k), this.word(v)] })), L.MAP);
    if (x instanceof Set) return this.map([...x].map((k) => ({ hash: hash(k), words: [this.word(k)] })), L.SET);
    if (x instanceof ListOf) return this.list([...x]);
    if (Array.isArray(x)) return this.vector(x);
    throw new TypeError(`no word for ${String(x)}`);
  }

  list(xs) {
    let rest = BigInt(L.EMPTY_LIST);
    for (let i = xs.length - 1; i >= 0; i--) {
      const first = this.word(xs[i]);
      const o = this.object(L.LIST, 32);
      this.u32(o + 8n, xs.length - i);
      this.u64(o + 16n, first);
      this.u64(o + 24n, rest);
      rest = o;
    }
    return rest;
  }

  node(words) {
    const o = this.object(L.VECTOR_NODE, 16 + 8 * words.length);
    this.u32(o + 8n, words.length);
    this.u32(o + 12n, words.length);
    words.forEach((w, i) => this.u64(o + 16n + 8n * BigInt(i), w));
    return o;
  }

  vector(xs) {
    if (xs.length === 0) return BigInt(L.EMPTY_VECTOR);
    const words = xs.map((x) => this.word(x));
    const tail = (xs.length - 1) & ~31;
    let level = [];
    for (let i = 0; i < tail; i += 32) level.push(this.node(words.slice(i, i + 32)));
    let shift = 5;
    let root = 0n;
    if (level.length > 0) {
      for (; ; shift += 5) {
        const up = [];
        for (let i = 0; i < level.length; i += 32) up.push(this.node(level.slice(i, i + 32)));
        level = up;
        if (level.length === 1) break;
      }
      [root] = level;
    }
    const o = this.object(L.VECTOR, 48);
    this.u32(o + 8n, xs.length);
    this.u32(o + 12n, shift);
    this.u64(o + 16n, root);
    this.u64(o + 24n, this.node(words.slice(tail)));
    return o;
  }

  map(entries, type) {
    if (entries.length === 0) return BigInt(type === L.MAP ? L.EMPTY_MAP : L.EMPTY_SET);
    if (type === L.MAP && entries.length <= L.ARRAY_MAP_MAX) {
      const o = this.object(L.ARRAY_MAP, 24 + 16 * entries.length);
      this.u32(o + 8n, entries.length);
      entries.flatMap((e) => e.words).forEach((w, i) => this.u64(o + 24n + 8n * BigInt(i), w));
      return o;
    }
    const root = this.trie(entries, 0, type);
    const o = this.object(type, 32);
    this.u32(o + 8n, entries.length);
    this.u64(o + 16n, root);
    return o;
  }

  trie(entries, shift, type) {
    if (shift > 30) {
      const words = entries.flatMap((e) => e.words);
      const o = this.object(type === L.MAP ? L.MAP_COLLISION : L.SET_COLLISION, 16 + 8 * words.length);
      this.u32(o + 8n, entries[0].hash);
      this.u32(o + 12n, entries.length);
      words.forEach((w, i) => this.u64(o + 16n + 8n * BigInt(i), w));
      return o;
    }
    const slots = new Map();
    for (const e of entries) {
      const i = (e.hash >>> shift) & 31;
      slots.set(i, [...(slots.get(i) ?? []), e]);
    }
    const order = [...slots].sort(([a], [b]) => a - b);
    const children = order.filter(([, es]) => es.length > 1);
    const data = order.filter(([, es]) => es.length === 1);
    const words = [...children.map(([, es]) => this.trie(es, shift + 5, type)), ...data.flatMap(([, [e]]) => e.words)];
    const o = this.object(type === L.MAP ? L.MAP_NODE : L.SET_NODE, 16 + 8 * words.length);
    const mask = (list) => list.reduce((m, [i]) => m | (1 << i), 0);
    this.u32(o + 8n, mask(data));
    this.u32(o + 12n, mask(children));
    words.forEach((w, i) => this.u64(o + 16n + 8n * BigInt(i), w));
    return o;
  }

  /** A view of the image as readers see a version. */
  view() {
    const last = this.segments.length - 1;
    const source = {
      reserved: this.segments.length * 2 ** 32,
      backed: () => Number(this.next[last]),
      window: (s) => this.segments[s].buffer,
    };
    return new View(new Group(new Memory(source, 'image')), 1);
  }

  /** Writes a value and reads it back. */
  read(x) {
    const word = this.word(x);
    this.symbols();
    return this.value(word);
  }

  value(word) {
    return decode(this.view(), Number(BigInt.asIntN(32, word)), Number(BigInt.asIntN(32, word >> 32n)));
  }
}
