// Look-ups and walks in the B+trees of sorted maps and sets (docs/format.md, section 3). What they take of a handle: _rootLow, _rootHigh, _count, _leaf (type
// of the leaves), _stride (int32 of an entry) and _order. Nodes are within SLACK (memory.js) and a way down ends after BTREE_LEVELS, in damaged slabs too.
import { compare, compareNames } from './compare.js';
import { corrupt } from './error.js';
import { DESCRIPTOR } from './kind.js';
import { BTREE_LEVELS, BTREE_NODE, BTREE_WIDTH, DESC_STRING, FLAG_ASCII, TEXT } from './layout.js';
import { place, released, segment } from './memory.js';
import { comparatorOf } from './order.js';
import { decode, decodeExact } from './reader.js';
import { kindIn } from './value.js';
import { integerHigh, integerLow, isInlineText } from './word.js';

const NONE = -1;
/** A search for an integer that met another key. */
const MIXED = -1;
const SIGN = 0x80000000 | 0;

/** Place of the entry whose key is the same as `x` by the order, or -1. */
export function findSorted(view, c, x) {
  return descend(view, c, x, false);
}

/** 2 * the number of entries before `x`, + 1 if there is one of `x`. */
export function rankSorted(view, c, x) {
  return descend(view, c, x, true);
}

function descend(view, c, x, ranked) {
  const m = view.memory;
  const order = comparerOf(c, x);
  const integer = (c._order === null || c._order === -1) && Number.isSafeInteger(x) && !Object.is(x, -0);
  const turn = c._order === -1 ? -1 : 0;
  const wordLow = integer ? integerLow(x) : 0;
  const wordHigh = integer ? integerHigh(x) : 0;
  let before = 0;
  let lo = c._rootLow;
  let hi = c._rootHigh;
  if (lo === 0 && hi === 0) return ranked ? 0 : NONE;
  for (let level = 0; level < BTREE_LEVELS; level++) {
    const I = segment(m, lo, hi);
    const o = lo >>> 2;
    const inner = (I[o] & 0xff) === BTREE_NODE;
    const n = checkNode(I, o, inner ? BTREE_NODE : c._leaf, lo, hi);
    const at = inner ? o + 4 + 2 * n : o + 4;
    const stride = inner ? 2 : c._stride;
    let found = integer ? searchIntegers(I, at, stride, n, wordLow, wordHigh, turn) : MIXED;
    if (found === MIXED) found = search(view, I, at, stride, n, x, order, turn);
    let i = found >>> 1;
    const hit = (found & 1) === 1;
    if (!inner) {
      if (ranked) return 2 * before + found;
      return hit ? place(hi, at + stride * i) : NONE;
    }
    // The last child whose first key isn't beyond x, else the first.
    if (!hit && i > 0) i--;
    if (ranked) for (let k = 0; k < i; k++) before += I[o + 4 + 4 * n + k] >>> 0;
    lo = I[o + 4 + 2 * i];
    hi = I[o + 5 + 2 * i];
  }
  throw tooDeep(lo, hi);
}

// The number of entries or children of a node, which must be of that type.
function checkNode(I, o, type, lo, hi) {
  const n = I[o + 2];
  if ((I[o] & 0xff) !== type || !(n >= 1 && n <= BTREE_WIDTH)) throw corrupt('a B+tree has an object of another type or of an impossible size', lo, hi);
  return n;
}

function tooDeep(lo, hi) {
  return corrupt('a B+tree is deeper than it can be', lo, hi);
}

// ---- in a node: of `n` ascending keys, `stride` int32 apart from index `at` on, 2 * how many are before the one sought, + 1 if it is there ----

// Words of integers are in the order of the integers; `turn` is -1 in a reverse order, which turns them all over.
function searchIntegers(I, at, stride, n, lo, hi, turn) {
  const high = hi ^ turn;
  const low = lo ^ turn ^ SIGN;
  let from = 0;
  let to = n;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const k = at + middle * stride;
    if ((I[k] & 1) === 0) return MIXED;
    const h = I[k + 1] ^ turn;
    const l = I[k] ^ turn ^ SIGN;
    if (h === high) {
      if (l === low) return 2 * middle + 1;
      if (l < low) from = middle + 1;
      else to = middle;
    } else if (h < high) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return 2 * from;
}

function search(view, I, at, stride, n, x, order, turn) {
  let from = 0;
  let to = n;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const k = at + middle * stride;
    const c = order(view, I[k], I[k + 1], x);
    if (c === 0) return 2 * middle + 1;
    if (turn === 0 ? c < 0 : c > 0) from = middle + 1;
    else to = middle;
  }
  return 2 * from;
}

// The function (view, low, high, x) that compares the key of that word with `x`.
function comparerOf(c, x) {
  kindIn(x); // throws for what no slab can hold
  if (c._order !== null && c._order !== -1) {
    const f = comparatorOf(c._order);
    return (view, lo, hi) => {
      const order = f(decode(view, lo, hi), x);
      if (view.group.alive !== true) throw released(view); // f has closed the slab: its memory is gone
      return order;
    };
  }
  if (typeof x === 'string') return compareString;
  return typeof x === 'object' && x !== null && x[DESCRIPTOR] !== undefined ? compareNamed : compareAny;
}

function compareAny(view, lo, hi, x) {
  const order = compare(decodeExact(view, lo, hi), x);
  if (view.group.alive !== true) throw released(view); // x has code of its own (a Proxy, say) that closed the slab
  return order;
}

// ASCII is compared as it lies there.
function compareString(view, lo, hi, s) {
  if (isInlineText(lo)) {
    const n = ((lo & 0xff) - DESC_STRING) >> 3;
    for (let i = 0; i < n; i++) {
      const unit = i < 3 ? (lo >>> (8 + 8 * i)) & 0xff : (hi >>> (8 * i - 24)) & 0xff;
      if (unit > 127) return compareAny(view, lo, hi, s);
      if (i >= s.length) return 1;
      const d = unit - s.charCodeAt(i);
      if (d !== 0) return d;
    }
    return n - s.length;
  }
  if ((lo & 15) !== 0 || (lo === 0 && hi === 0)) return compareAny(view, lo, hi, s);
  const I = segment(view.memory, lo, hi);
  const o = lo >>> 2;
  if ((I[o] & 0xff) !== TEXT || ((I[o] >>> 8) & FLAG_ASCII) === 0) return compareAny(view, lo, hi, s);
  const n = I[o + 3] >>> 0;
  const bytes = view.memory.extent(lo, hi, 16 + n);
  const at = (lo >>> 0) + 16;
  const common = Math.min(n, s.length);
  for (let i = 0; i < common; i++) {
    const d = bytes[at + i] - s.charCodeAt(i);
    if (d !== 0) return d;
  }
  return n - s.length;
}

function compareNamed(view, lo, hi, x) {
  if ((lo & 0xff) !== x[DESCRIPTOR]) return compareAny(view, lo, hi, x);
  const key = decode(view, lo, hi);
  if (key === x) return 0;
  const order = compareNames(key, x);
  if (view.group.alive !== true) throw released(view); // as in compareAny
  return order;
}

// ---- walks ----

/** Steps over the entries of the ranks from `from` to before `to`, or back from there: `next`, then `words` and `at` are where the key is. */
export class SortedCursor {
  constructor(view, c, from, to, reverse) {
    this.memory = view.memory;
    this.leaf = c._leaf;
    this.stride = c._stride;
    this.reverse = reverse;
    this.left = Math.max(0, Math.min(to, c._count) - from);
    this.depth = 0;
    this.segments = [];
    this.nodes = []; // index of each node above in its segment
    this.children = []; // which child of each we are below
    this.words = null;
    this.at = 0;
    this.end = 0; // index of the leaf's last entry in our direction
    if (this.left > 0) this.descend(c._rootLow, c._rootHigh, reverse ? Math.min(to, c._count) - 1 : from);
  }

  /** To the entry of that rank below a node; -1: the first in our direction. The next step gives it. */
  descend(lo, hi, rank) {
    for (;;) {
      const I = segment(this.memory, lo, hi);
      const o = lo >>> 2;
      if ((I[o] & 0xff) !== BTREE_NODE) return this.enter(I, o, rank, lo, hi);
      if (this.depth >= BTREE_LEVELS) throw tooDeep(lo, hi);
      const n = checkNode(I, o, BTREE_NODE, lo, hi);
      let i = rank < 0 && this.reverse ? n - 1 : 0;
      for (; rank >= 0 && i + 1 < n; i++) {
        const count = I[o + 4 + 4 * n + i] >>> 0;
        if (rank < count) break;
        rank -= count;
      }
      this.segments[this.depth] = I;
      this.nodes[this.depth] = o;
      this.children[this.depth++] = i;
      lo = I[o + 4 + 2 * i];
      hi = I[o + 5 + 2 * i];
    }
  }

  enter(I, o, rank, lo, hi) {
    const n = checkNode(I, o, this.leaf, lo, hi);
    const i = rank >= 0 ? rank : this.reverse ? n - 1 : 0;
    if (i >= n) throw wrongCount(lo, hi);
    this.words = I;
    this.at = o + 4 + this.stride * (this.reverse ? i + 1 : i - 1);
    this.end = o + 4 + this.stride * (this.reverse ? 0 : n - 1);
  }

  /** Goes to the next entry; false if there is none. */
  next() {
    if (this.left === 0) return false;
    if (this.at === this.end) this.nextLeaf();
    this.left--;
    this.at += this.reverse ? -this.stride : this.stride;
    return true;
  }

  nextLeaf() {
    while (this.depth > 0) {
      const d = --this.depth;
      const I = this.segments[d];
      const o = this.nodes[d];
      const i = this.children[d] + (this.reverse ? -1 : 1);
      if (i < 0 || i >= I[o + 2]) continue;
      this.children[d] = i;
      this.depth++;
      this.descend(I[o + 4 + 2 * i], I[o + 5 + 2 * i], -1);
      return;
    }
    throw wrongCount();
  }
}

function wrongCount(lo, hi) {
  return corrupt("a collection's count is not the number of its elements", lo, hi);
}
