// Look-ups and walks in tries, array maps and collision nodes. All functions are at module level and each key kind has its own: the compiler
// makes good code of them only so. Results are places of words (memory.js), or -1. Flags are compared with true: a mere `if` asks for all that is false.
import { corrupt, unstorable } from './error.js';
import { hashInt, hashLong } from './hash.js';
import {
  ARRAY_MAP_MAX, DESC_STRING, FLAG_ASCII, MAP_COLLISION, MAP_NODE, SET_COLLISION, SET_NODE, TEXT,
} from './layout.js';
import { DESCRIPTOR } from './kind.js';
import { indexAt, place, released, segment, wordsAt } from './memory.js';
import { decodeExact, symbolOf } from './reader.js';
import { equal, hash } from './value.js';
import { integerHigh, integerLow } from './word.js';

const { imul } = Math;
// Nothing found. Not exported: each use of an import looks into a cell, and whether it has been set yet.
const NONE = -1;
const COLLISION = -2;
/** Not to be found in segment 0 alone. */
const OTHER = -3;
/** int32 of an entry of a map and of a set. */
const MAP_STRIDE = 4;
const SET_STRIDE = 2;

// 11 bits at once: three loads instead of the four of a table of bytes, and at 2 KiB it stays in the cache.
const POPCOUNT = new Uint8Array(2048);
for (let i = 1; i < 2048; i++) POPCOUNT[i] = POPCOUNT[i >> 1] + (i & 1);

// A constant, not a function declaration: the compiler would check each time that nobody has replaced that.
const popcount = (x) => POPCOUNT[x & 2047] + POPCOUNT[(x >>> 11) & 2047] + POPCOUNT[x >>> 22];

// Of the collision node that `leaf` met; read at once by its caller.
let collisionLow = 0;
let collisionHigh = 0;

// The index in segment 0 of the only entry that can have this hash, or NONE, or OTHER. Always a small integer: places are that or large ones, and the compiler
// would make doubles of both.
function leaf(m, c, h) {
  const I = m.I0;
  const limit = m.L0;
  let shift = 0;
  // Known to be int32, they stay in registers as they are; the loop would convert them at each level.
  let lo = c._rootLow | 0;
  let hi = c._rootHigh | 0;
  h |= 0;
  // As `segment` checks, with what doesn't change held in registers: an offset that is not aligned becomes a large number.
  while (hi === 0 && ((lo >>> 4) | (lo << 28)) >>> 0 < limit && shift < 35) {
    const o = lo >>> 2;
    const nodes = I[o + 3];
    // Children everywhere, as near the root: nothing is to be counted.
    if (nodes === -1) {
      const c = o + 4 + 2 * ((h >>> shift) & 31);
      lo = I[c];
      hi = I[c + 1];
      shift += 5;
      continue;
    }
    const bit = 1 << (h >>> shift);
    if ((nodes & bit) !== 0) {
      const c = o + 4 + 2 * popcount(nodes & (bit - 1));
      lo = I[c];
      hi = I[c + 1];
      shift += 5;
      continue;
    }
    // Whatever else a damaged pointer leads to, the way ends here.
    if ((I[o] & 0xff) !== c._type) throw corrupt('not a node of the trie', lo, hi);
    const data = I[o + 2];
    return (data & bit) === 0 ? NONE : o + 4 + 2 * popcount(nodes) + c._stride * popcount(data & (bit - 1));
  }
  return OTHER;
}

// The place of the only entry that can have this hash, NONE or COLLISION, wherever the way leads.
function farLeaf(m, c, h) {
  let lo = c._rootLow;
  let hi = c._rootHigh;
  const type = c._type;
  const stride = c._stride;
  for (let shift = 0; shift < 35; shift += 5) {
    const I = segment(m, lo, hi);
    const o = lo >>> 2;
    if ((I[o] & 0xff) !== type) throw corrupt('not a node of the trie', lo, hi);
    const data = I[o + 2];
    const nodes = I[o + 3];
    const bit = 1 << (h >>> shift);
    if ((nodes & bit) !== 0) {
      const c = o + 4 + 2 * popcount(nodes & (bit - 1));
      lo = I[c];
      hi = I[c + 1];
    } else if ((data & bit) === 0) {
      return NONE;
    } else {
      return place(hi, o + 4 + 2 * popcount(nodes) + stride * popcount(data & (bit - 1)));
    }
  }
  collisionLow = lo;
  collisionHigh = hi;
  return COLLISION;
}

/** Place of the key equal to `x`, of any kind. */
export function findKey(view, c, x) {
  try {
    if (c._small === true) return scan(view, segment(view.memory, c._rootLow, c._rootHigh), c._rootHigh, (c._rootLow >>> 2) + 6, c._count, MAP_STRIDE, x);
    if (c._count === 0) return NONE;
    return confirm(view, c, hash(x), x);
  } catch (e) {
    return unstorable(e, NONE);
  }
}

// The slow end of every look-up: compares by Clojure's equality.
function confirm(view, c, h, x) {
  const m = view.memory;
  const p = farLeaf(m, c, h);
  if (p === NONE) return NONE;
  if (p === COLLISION) {
    const I = collision(m, collisionLow, collisionHigh, c._type, c._stride);
    const o = collisionLow >>> 2;
    return scan(view, I, collisionHigh, o + 4, I[o + 3], c._stride, x);
  }
  const I = wordsAt(m, p);
  const i = indexAt(p);
  return equal(decodeExact(view, I[i], I[i + 1]), x) ? p : NONE;
}

function scan(view, I, hi, at, n, stride, x) {
  for (let k = 0; k < n; k++, at += stride) {
    if (equal(decodeExact(view, I[at], I[at + 1]), x)) return place(hi, at);
    if (view.group.alive !== true) throw released(view); // x has code of its own (a Proxy, say) that closed the slab: its memory is gone
  }
  return NONE;
}

// Checks a collision node and returns its segment's words.
function collision(m, lo, hi, type, stride) {
  const I = segment(m, lo, hi);
  const o = lo >>> 2;
  if ((I[o] & 0xff) !== (type === MAP_NODE ? MAP_COLLISION : SET_COLLISION)) throw corrupt('not a collision node', lo, hi);
  if (I[o + 3] < 2) throw corrupt('a collision node without a collision', lo, hi);
  m.extent(lo, hi, 16 + 4 * stride * I[o + 3]);
  return I;
}

// ---- integers ----

/** Place of an integer key of 32 bits. */
function findInt32(view, c, k) {
  const m = view.memory;
  const lo = (k << 1) | 1;
  const hi = k >> 31;
  if (c._small === true) return findWord(m, c, lo, hi);
  if (c._count === 0) return NONE;
  const h = hashLong(k, hi);
  const p = leaf(m, c, h);
  if (p >= 0) {
    const I = m.I0;
    return I[p] === lo && I[p + 1] === hi ? p : NONE;
  }
  return p === NONE ? NONE : confirm(view, c, h, k);
}

/** Place of a key that is a safe integer. */
function findInteger(view, c, k) {
  if (c._small === true) return findWord(view.memory, c, integerLow(k), integerHigh(k));
  return findKey(view, c, k);
}

// Place of a word in an array map.
function findWord(m, c, lo, hi) {
  const I = segment(m, c._rootLow, c._rootHigh);
  let at = (c._rootLow >>> 2) + 6;
  for (let k = c._count; k > 0; k--, at += MAP_STRIDE) {
    if (I[at] === lo && I[at + 1] === hi) return place(c._rootHigh, at);
  }
  return NONE;
}

// ---- strings ----

const LONGEST = 256;
const PACKED = new Int32Array(LONGEST / 4);

/** Place of a string key. One pass hashes and packs it as it lies in the slab. */
export function findString(view, c, s) {
  const l = s.length;
  if (l > LONGEST) return findKey(view, c, s);
  let h = 0;
  let or = 0;
  let i = 0;
  let j = 0;
  for (; i + 4 <= l; i += 4, j++) {
    const a = s.charCodeAt(i);
    const b = s.charCodeAt(i + 1);
    const d = s.charCodeAt(i + 2);
    const e = s.charCodeAt(i + 3);
    or |= a | b | d | e;
    PACKED[j] = a | (b << 8) | (d << 16) | (e << 24);
    h = (imul(h, 923521) + imul(a, 29791) + imul(b, 961) + imul(d, 31) + e) | 0;
  }
  if (i < l) {
    let t = 0;
    for (let q = 0; i < l; i++, q += 8) {
      const a = s.charCodeAt(i);
      or |= a;
      t |= a << q;
      h = (imul(31, h) + a) | 0;
    }
    PACKED[j] = t;
  }
  if (or > 127) return findKey(view, c, s);
  if (l <= 7) return findShort(view, c, s, h, l);
  h = hashInt(h);
  if (c._small === true) return findText(view.memory, c, h, l);
  if (c._count === 0) return NONE;
  const p = leaf(view.memory, c, h);
  if (p >= 0) {
    const I = view.memory.I0;
    return isPacked(view.memory, I[p], I[p + 1], h, l) ? p : NONE;
  }
  return p === NONE ? NONE : confirm(view, c, h, s);
}

function findShort(view, c, s, h, l) {
  const a = l > 0 ? PACKED[0] : 0;
  const b = l > 4 ? PACKED[1] : 0;
  const lo = (DESC_STRING + 8 * l) | (a << 8);
  const hi = (a >>> 24) | (b << 8);
  if (c._small === true) return findWord(view.memory, c, lo, hi);
  if (c._count === 0) return NONE;
  const p = leaf(view.memory, c, hashInt(h));
  if (p >= 0) {
    const I = view.memory.I0;
    return I[p] === lo && I[p + 1] === hi ? p : NONE;
  }
  return p === NONE ? NONE : confirm(view, c, hashInt(h), s);
}

// Is the word the ASCII text in PACKED? It is at most 256 bytes long, which is within SLACK.
function isPacked(m, lo, hi, h, l) {
  if ((lo & 15) !== 0 || lo === 0) return false;
  const I = segment(m, lo, hi);
  const o = lo >>> 2;
  if (I[o + 2] !== h || I[o + 3] !== l || (I[o] & 0xff) !== TEXT || ((I[o] >>> 8) & FLAG_ASCII) === 0) return false;
  for (let x = 0; x * 4 < l; x++) if (I[o + 4 + x] !== PACKED[x]) return false;
  return true;
}

function findText(m, c, h, l) {
  const I = segment(m, c._rootLow, c._rootHigh);
  let at = (c._rootLow >>> 2) + 6;
  for (let k = c._count; k > 0; k--, at += MAP_STRIDE) {
    if (isPacked(m, I[at], I[at + 1], h, l)) return place(c._rootHigh, at);
  }
  return NONE;
}

// ---- keywords and symbols ----

/** Place of a keyword or symbol. */
export function findNamed(view, c, x, descriptor) {
  const m = view.memory;
  const h = x._hash;
  if (c._small === true) {
    const I = segment(m, c._rootLow, c._rootHigh);
    let at = (c._rootLow >>> 2) + 6;
    for (let k = c._count; k > 0; k--, at += MAP_STRIDE) {
      if (I[at + 1] !== h) continue;
      if (isNamed(m, I[at], x, descriptor)) return place(c._rootHigh, at);
      if (view.group.alive !== true) throw released(view); // as in `scan`
    }
    return NONE;
  }
  if (c._count === 0) return NONE;
  const p = leaf(m, c, h);
  if (p >= 0) {
    const I = m.I0;
    return I[p + 1] === h && isNamed(m, I[p], x, descriptor) ? p : NONE;
  }
  return p === NONE ? NONE : confirm(view, c, h, x);
}

function isNamed(m, lo, x, descriptor) {
  if (x._memory === m) return lo === x._low;
  if ((lo & 0xff) !== descriptor || symbolOf(m, lo >>> 8) !== x) return false;
  x._memory = m;
  x._low = lo;
  return true;
}

/** Place of any key. */
export function find(view, c, x) {
  switch (typeof x) {
    case 'string':
      return findString(view, c, x);
    case 'number':
      if ((x | 0) === x && (x !== 0 || !Object.is(x, -0))) return findInt32(view, c, x);
      return Number.isSafeInteger(x) && x !== 0 ? findInteger(view, c, x) : findKey(view, c, x);
    case 'object':
      if (x !== null) {
        const descriptor = x[DESCRIPTOR];
        if (descriptor !== undefined) return findNamed(view, c, x, descriptor);
      }
  }
  return findKey(view, c, x);
}

// ---- walks ----

/** Steps over the entries of a map or set: `next`, then `words` and `at` are where the key is, and the value 2 later. */
export class Cursor {
  constructor(view, c) {
    const m = view.memory;
    this.memory = m;
    this.view = view;
    this.stride = c._stride;
    this.type = c._type;
    this.left = c._count;
    // A valid trie has less nodes; one that has more is a cycle or a knot.
    this.nodes = 8 * c._count + 8;
    this.depth = -1;
    this.segments = [];
    this.children = [];
    this.ends = [];
    this.words = m.I0;
    this.at = 0;
    this.end = 0;
    if (c._small === true) {
      this.words = segment(m, c._rootLow, c._rootHigh);
      this.at = (c._rootLow >>> 2) + 2;
      this.end = this.at + c._count * MAP_STRIDE;
    } else if (c._count > 0) {
      this.enter(c._rootLow, c._rootHigh);
    }
  }

  enter(lo, hi) {
    if (--this.nodes < 0) throw corrupt('a trie with too many nodes', lo, hi);
    const m = this.memory;
    const o = lo >>> 2;
    if (this.depth === 6) {
      const I = collision(m, lo, hi, this.type, this.stride);
      this.words = I;
      this.at = o + 4 - this.stride;
      this.end = this.at + this.stride * I[o + 3];
      return;
    }
    const I = segment(m, lo, hi);
    if ((I[o] & 0xff) !== this.type) throw corrupt('not a node of the trie', lo, hi);
    const d = ++this.depth;
    this.segments[d] = I;
    this.children[d] = o + 4;
    this.ends[d] = o + 4 + 2 * popcount(I[o + 3]);
    this.words = I;
    this.at = this.ends[d] - this.stride;
    this.end = this.at + this.stride * popcount(I[o + 2]);
  }

  /** Goes to the next entry; false if there is none. */
  next() {
    while (this.at === this.end) {
      if (this.depth < 0) {
        if (this.left !== 0) throw corrupt('a collection with less elements than its count');
        return false;
      }
      const d = this.depth;
      const c = this.children[d];
      if (c === this.ends[d]) {
        this.depth--;
      } else {
        this.children[d] = c + 2;
        this.enter(this.segments[d][c], this.segments[d][c + 1]);
      }
    }
    if (--this.left < 0) throw corrupt('a collection with more elements than its count');
    this.at += this.stride;
    return true;
  }
}

/** What the heads of maps and sets share with the functions above. */
export const MAP_TRIE = { type: MAP_NODE, stride: MAP_STRIDE };
export const SET_TRIE = { type: SET_NODE, stride: SET_STRIDE };

/** Checks the count of an array map. */
export function checkSmall(lo, hi, count) {
  if (!(count >= 1 && count <= ARRAY_MAP_MAX)) throw corrupt('an array map with an impossible count', lo, hi);
}
