// The build buffer: how values that are not in the slab cross to the core (docs/format.md, section 4).
import { EveError, typeError } from './error.js';
import { K, ORDER, describe, isHandle, kindOf } from './kind.js';
import { DEPTH_MAX } from './layout.js';
import { released } from './memory.js';
import { elements, entries } from './value.js';

const NIL = 0;
const TRUE = 1;
const FALSE = 2;
const INTEGER = 3;
const DOUBLE = 4;
const CHAR = 5;
const STRING = 6;
const KEYWORD = 7;
const SYMBOL = 8;
const BIGINT = 9;
const RATIO = 10;
const DECIMAL = 11;
const UUID = 12;
const DATE = 13;
const INSTANT = 14;
const BYTES = 15;
const VECTOR = 16;
const LIST = 17;
const SET = 18;
const MAP = 19;
const WORD = 20;
const FOREIGN = 21;
const SORTED_SET = 22;
const SORTED_MAP = 23;
const TWO32 = 0x100000000;
const NO_NAMESPACE = 0xffff;
const MAX_BUFFER = 0x7fffffff;
/** Steps of a path in an error, at each end of it. */
const STEPS_SHOWN = 8;

const encoder = new TextEncoder();

/** Writes values into `buffer`, which grows: `onGrow(ArrayBuffer)` is called with each new one. */
export class Encoder {
  constructor(onGrow) {
    this.onGrow = onGrow;
    this.length = 0;
    this.busy = false;
    this.path = [];
    this.depth = 0;
    this.resize(4096);
  }

  resize(size) {
    const bytes = new Uint8Array(new ArrayBuffer(size));
    if (this.bytes) bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.data = new DataView(bytes.buffer);
    this.onGrow(bytes.buffer);
  }

  /** Throws if the buffer is in use: code of a value given (a getter, an iterator) runs while the value is being written. */
  check() {
    if (this.busy) throw new EveError('EVE_BUSY', 'a getter or iterator of a value being stored changed or closed a slab, or looked for an atom by name');
  }

  /** Makes room for `n` more bytes. */
  room(n) {
    const needed = this.length + n;
    if (needed <= this.bytes.length) return;
    if (needed > MAX_BUFFER) throw new EveError('EVE_LIMIT', 'the value is larger than 2 GiB; build it in several steps');
    this.resize(Math.min(Math.max(needed, 2 * this.bytes.length), MAX_BUFFER));
  }

  /** Lets a buffer go that one large value needed. */
  shrink() {
    if (this.bytes.length > 1 << 20) {
      this.length = 0;
      this.bytes = null;
      this.resize(4096);
    }
  }

  /**
   * Encodes the values, one after the other; returns the bytes used. Handles on `memory` are written as words of transaction `txn` where it can see
   * them, else as words of their version; handles on other slabs by content.
   */
  encode(values, memory, txn) {
    this.check();
    this.busy = true;
    this.length = 0;
    this.memory = memory;
    this.txn = txn;
    this.path.length = 0;
    this.depth = 0;
    try {
      for (let i = 0; i < values.length; i++) this.value(values[i]);
      return this.length;
    } catch (e) {
      this.shrink();
      throw e;
    } finally {
      this.busy = false;
      this.txn = null; // it would keep a version pinned
    }
  }

  op(code) {
    this.room(16);
    this.bytes[this.length++] = code;
  }
  u32(n) {
    this.room(4);
    this.data.setUint32(this.length, n, true);
    this.length += 4;
  }
  u16(n) {
    this.room(2);
    this.data.setUint16(this.length, n, true);
    this.length += 2;
  }
  i64(n) {
    this.room(8);
    this.data.setBigInt64(this.length, n, true);
    this.length += 8;
  }
  words(lo, hi) {
    this.room(8);
    this.data.setInt32(this.length, lo, true);
    this.data.setInt32(this.length + 4, hi, true);
    this.length += 8;
  }
  raw(bytes) {
    this.room(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  value(x) {
    if (typeof x === 'number') return this.number(x);
    if (typeof x === 'string') return this.string(x);
    const kind = kindOf(x);
    switch (kind) {
      case K.NIL: return this.op(NIL);
      case K.BOOL: return this.op(x ? TRUE : FALSE);
      case K.INT: return this.bigint(x);
      case K.DOUBLE:
        this.op(DOUBLE);
        this.data.setFloat64(this.length, x.value, true);
        this.length += 8;
        return undefined;
      case K.CHAR:
        this.op(CHAR);
        return this.u16(x.code);
      case K.KEYWORD: return this.named(KEYWORD, x);
      case K.SYMBOL: return this.named(SYMBOL, x);
      case K.RATIO:
        this.op(RATIO);
        this.bigint(x.numerator);
        return this.bigint(x.denominator);
      case K.DECIMAL:
        this.op(DECIMAL);
        this.u32(x.scale);
        return this.bigint(x.unscaled);
      case K.UUID:
        this.op(UUID);
        this.i64(BigInt.asIntN(64, x.high));
        return this.i64(BigInt.asIntN(64, x.low));
      case K.DATE:
        this.op(DATE);
        return this.i64(BigInt(x.getTime()));
      case K.INSTANT:
        this.op(INSTANT);
        this.i64(x.seconds);
        return this.u32(x.nanoseconds);
      case K.BYTES:
        this.op(BYTES);
        this.u32(x.length);
        return this.raw(x);
      case K.MAP:
      case K.SET:
      case K.VECTOR:
      case K.LIST:
        return isHandle(x) && this.linkable(x._view) ? this.handle(x) : this.collection(kind, x);
      default:
        throw this.refuse(describe(x));
    }
  }

  refuse(what) {
    const steps = this.path.map(step);
    if (steps.length > 2 * STEPS_SHOWN) steps.splice(STEPS_SHOWN, steps.length - 2 * STEPS_SHOWN, '..');
    const where = steps.length === 0 ? '' : ` at [${steps.join(' ')}]`;
    return typeError(`cannot store ${what}${where}`);
  }

  number(x) {
    this.op(Number.isSafeInteger(x) && !Object.is(x, -0) ? INTEGER : DOUBLE);
    if (this.bytes[this.length - 1] === DOUBLE) {
      this.data.setFloat64(this.length, x, true);
    } else {
      const hi = Math.floor(x / TWO32);
      this.data.setInt32(this.length, (x - hi * TWO32) | 0, true);
      this.data.setInt32(this.length + 4, hi, true);
    }
    this.length += 8;
  }

  bigint(n) {
    if (typeof n === 'number') return this.number(n);
    if (BigInt.asIntN(64, n) === n) {
      this.op(INTEGER);
      return this.i64(n);
    }
    const bytes = twosComplement(n);
    this.op(BIGINT);
    this.u32(bytes.length);
    return this.raw(bytes);
  }

  string(s) {
    this.op(STRING);
    const start = this.length + 4;
    this.u32(0);
    this.utf8(s);
    this.data.setUint32(start - 4, this.length - start, true);
  }

  utf8(s) {
    const n = s.length;
    if (n > 64) return this.longUtf8(s);
    this.room(3 * n);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < n; i++) {
      const c = s.charCodeAt(i);
      if (c > 127) return this.longUtf8(s);
      bytes[at++] = c;
    }
    this.length = at;
    return undefined;
  }

  longUtf8(s) {
    if (s.isWellFormed ? !s.isWellFormed() : /[\ud800-\udbff](?![\udc00-\udfff])|(?:^|[^\ud800-\udbff])[\udc00-\udfff]/.test(s)) return this.units(s);
    if (s.length > MAX_BUFFER / 3) this.raw(encoder.encode(s));
    else {
      this.room(3 * s.length);
      this.length += encoder.encodeInto(s, this.bytes.subarray(this.length)).written;
    }
    return undefined;
  }

  // UTF-8 with lone surrogates in their three-byte form, which encoders replace.
  units(s) {
    this.room(3 * s.length);
    for (const c of s) {
      const code = c.codePointAt(0);
      if (code >= 0xd800 && code < 0xe000) {
        this.bytes[this.length++] = 0xe0 | (code >> 12);
        this.bytes[this.length++] = 0x80 | ((code >> 6) & 0x3f);
        this.bytes[this.length++] = 0x80 | (code & 0x3f);
      } else {
        this.length += encoder.encodeInto(c, this.bytes.subarray(this.length)).written;
      }
    }
  }

  named(op, x) {
    if (x._memory === this.memory && this.memory) {
      this.op(WORD);
      return this.words(x._low, x._hash);
    }
    this.op(op);
    this.name(x.namespace);
    return this.name(x.name);
  }

  name(text) {
    if (text === null) return this.u16(NO_NAMESPACE);
    const start = this.length + 2;
    this.u16(0);
    this.utf8(text);
    if (this.length - start >= NO_NAMESPACE) throw this.refuse('a name of 65535 bytes or more');
    return this.data.setUint16(start - 2, this.length - start, true);
  }

  // Words of the same slab, but not those that an ended transaction left behind: they belong to no version.
  linkable(view) {
    return view.memory === this.memory && (view.txn === null || view.txn === this.txn);
  }

  handle(x) {
    if (!x._group.alive) throw released(x._view);
    if ((x._low & 15) === 0 && !(this.txn && this.txn.sees(x._view))) {
      this.op(FOREIGN);
      this.i64(BigInt(x._view.version));
    } else {
      this.op(WORD);
    }
    return this.words(x._low, x._high);
  }

  collection(kind, x) {
    if (++this.depth > DEPTH_MAX) throw this.refuse(`a value nested deeper than ${DEPTH_MAX}, or one that contains itself,`);
    const order = x[ORDER];
    if (order === undefined) {
      this.op(kind === K.VECTOR ? VECTOR : kind === K.LIST ? LIST : kind === K.SET ? SET : MAP);
    } else {
      this.op(kind === K.SET ? SORTED_SET : SORTED_MAP);
      this.value(order);
    }
    const count = this.length;
    this.u32(0);
    let n = 0;
    if (kind === K.MAP) {
      for (const [k, v] of entries(x)) {
        this.path.push(k);
        this.value(k);
        this.value(v);
        this.path.pop();
        n++;
      }
    } else {
      for (const e of elements(x)) {
        this.path.push(kind === K.SET ? e : n);
        this.value(e);
        this.path.pop();
        n++;
      }
    }
    this.data.setUint32(count, n, true);
    this.depth--;
  }
}

// A step of a path as people write it, short.
function step(x) {
  const text = typeof x === 'string' ? JSON.stringify(x) : typeof x === 'object' && x !== null && x.fullName === undefined ? '{..}' : String(x);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

/** As BigInteger.toByteArray: big-endian, minimal. */
export function twosComplement(n) {
  let bits = 8;
  for (let m = n < 0n ? ~n : n; m >> BigInt(bits - 1) !== 0n; ) bits += 8 * Math.max(1, Math.floor((m >> BigInt(bits - 1)).toString(16).length / 2));
  while (bits > 8 && BigInt.asIntN(bits - 8, n) === n) bits -= 8;
  const hex = BigInt.asUintN(bits, n).toString(16).padStart(bits / 4, '0');
  return Uint8Array.from({ length: bits / 8 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
