// From words to values. Scalars are copied out; collections become handles (map.js, set.js, vector.js, list.js) that read in place.
import { DESCRIPTOR, K, KIND } from './kind.js';
import { corrupt, typeError } from './error.js';
import {
  ARRAY_MAP, BIGINT, BYTES, CONTROL_SYMBOLS, DATE, DECIMAL, DESC_CHAR, DESC_CONSTANT, DESC_KEYWORD, DESC_SYMBOL, EMPTY_LIST, EMPTY_MAP, EMPTY_SET,
  EMPTY_VECTOR, F64, FALSE, I64, INSTANT, LIST, MAP, MINUS_ZERO, RATIO, SET, SORTED_MAP, SORTED_SET, SYMBOL, SYMBOL_CHUNK, SYMBOL_DIR, TEXT, TRUE,
  UUID as UUID_TYPE, VECTOR, ZERO,
} from './layout.js';
import { FIRST_SEGMENT, indexAt, segment, wordsAt } from './memory.js';
import { decodeSurrogates, textAt } from './text.js';
import { Char, Decimal, Double, Instant, Ratio, UUID, exactly } from './types.js';
import { bigOfBits, doubleOfBits, flonumOf, inlineText, integerOf, isInlineText, longOfBits } from './word.js';
import { emptyList, listAt } from './list.js';
import { arrayMapAt, emptyMap, mapAt } from './map.js';
import { emptySet, setAt } from './set.js';
import { sortedMapAt, sortedSetAt } from './sorted.js';
import { emptyVector, vectorAt } from './vector.js';

/** The value of the word at a place. */
export function decodeAt(view, p) {
  if (p < FIRST_SEGMENT) return decodeNear(view, p);
  const I = wordsAt(view.memory, p);
  const i = indexAt(p);
  return decode(view, I[i], I[i + 1]);
}

/** The value of the word with that index in segment 0. */
export function decodeNear(view, i) {
  const I = view.memory.I0;
  const lo = I[i];
  const hi = I[i + 1];
  // The most frequent kind without a call: what `decode` has become after all kinds is too large to be inlined.
  return hi === 0 && (lo & 1) !== 0 ? lo >>> 1 : decode(view, lo, hi);
}

/** decodeExact of the word at a place. */
export function decodeExactAt(view, p) {
  const I = wordsAt(view.memory, p);
  const i = indexAt(p);
  return decodeExact(view, I[i], I[i + 1]);
}

/** The value of a word. Doubles and integers both become numbers; decodeExact tells them apart. */
export function decode(view, lo, hi) {
  if ((lo & 1) !== 0) return integerOf(lo, hi);
  if ((lo & 3) === 2) return flonumOf(lo, hi);
  if ((lo & 15) === 0) return lo === 0 && hi === 0 ? null : decodeObject(view, lo, hi);
  return decodeImmediate(view, lo, hi);
}

/** The same, but a double with an integral value becomes a Double. */
export function decodeExact(view, lo, hi) {
  const x = decode(view, lo, hi);
  if (typeof x === 'number' && (lo & 1) === 0 && Number.isSafeInteger(x) && !Object.is(x, -0) && isDouble(view.memory, lo, hi)) return new Double(x);
  return x;
}

function isDouble(m, lo, hi) {
  return (lo & 3) === 2 || lo === ZERO || ((lo & 15) === 0 && (segment(m, lo, hi)[lo >>> 2] & 0xff) === F64);
}

function decodeImmediate(view, lo, hi) {
  switch (lo & 0xff) {
    case DESC_CONSTANT:
      return decodeConstant(view, lo, hi);
    case DESC_CHAR:
      if (lo !== DESC_CHAR || hi >>> 16 !== 0) break;
      return new Char(hi);
    case DESC_KEYWORD:
    case DESC_SYMBOL: {
      const symbol = symbolOf(view.memory, lo >>> 8);
      if (symbol._hash !== hi || (symbol[KIND] === K.KEYWORD) !== ((lo & 0xff) === DESC_KEYWORD)) break;
      return symbol;
    }
    default:
      if (isInlineText(lo)) return inlineText(lo, hi, decodeSurrogates);
  }
  throw corrupt(`a word that means nothing (0x${(hi >>> 0).toString(16)} 0x${(lo >>> 0).toString(16)})`, lo, hi);
}

function decodeConstant(view, lo, hi) {
  if (hi === 0) {
    switch (lo) {
      case TRUE: return true;
      case FALSE: return false;
      case ZERO: return 0;
      case MINUS_ZERO: return -0;
      case EMPTY_MAP: return emptyMap(view);
      case EMPTY_VECTOR: return emptyVector(view);
      case EMPTY_SET: return emptySet(view);
      case EMPTY_LIST: return emptyList(view);
    }
  }
  throw corrupt('an unknown constant', lo, hi);
}

function decodeObject(view, lo, hi) {
  const m = view.memory;
  const I = segment(m, lo, hi);
  const o = lo >>> 2;
  switch (I[o] & 0xff) {
    case TEXT: return textAt(m, lo, hi);
    case MAP: return mapAt(view, lo, hi);
    case ARRAY_MAP: return arrayMapAt(view, lo, hi);
    case VECTOR: return vectorAt(view, lo, hi);
    case SET: return setAt(view, lo, hi);
    case LIST: return listAt(view, lo, hi);
    case I64: return longOfBits(I[o + 2], I[o + 3]);
    case F64: return doubleOfBits(I[o + 2], I[o + 3]);
    case BIGINT: return bigintAt(m, lo, hi);
    case RATIO: return ratioAt(m, I, o);
    case DECIMAL: return new Decimal(integerAt(m, I[o + 2], I[o + 3]), I[o + 4]);
    case UUID_TYPE: return new UUID(bigOfBits(I[o + 2], I[o + 3]), bigOfBits(I[o + 4], I[o + 5]));
    case DATE: return dateOf(longOfBits(I[o + 2], I[o + 3]));
    case INSTANT: return new Instant(bigOfBits(I[o + 2], I[o + 3]), nanosecondsOf(I[o + 4], lo, hi));
    case BYTES: return bytesAt(m, lo, hi);
    case SORTED_MAP: return sortedMapAt(view, lo, hi);
    case SORTED_SET: return sortedSetAt(view, lo, hi);
    default: throw corrupt(`an object of unknown type ${I[o] & 0xff}`, lo, hi);
  }
}

function dateOf(ms) {
  const date = new Date(Number(ms));
  if (Number.isNaN(date.getTime())) throw typeError(`the date of ${ms} ms since 1970 is beyond what a Date holds`);
  return date;
}

function nanosecondsOf(n, lo, hi) {
  if (n < 0 || n >= 1e9) throw corrupt('an instant with impossible nanoseconds', lo, hi);
  return n;
}

/** A big integer is always beyond 64 bits: those that fit have a shorter form. */
function bigintAt(m, lo, hi) {
  const length = segment(m, lo, hi)[(lo >>> 2) + 2] >>> 0;
  const bytes = m.extent(lo, hi, 16 + length);
  if (length === 0 || length > 0x1000000) throw corrupt('a big integer of impossible length', lo, hi);
  const at = (lo >>> 0) + 16;
  let hex = '0x';
  for (let i = 0; i < length; i++) hex += bytes[at + i].toString(16).padStart(2, '0');
  return BigInt.asIntN(8 * length, BigInt(hex));
}

function integerAt(m, lo, hi) {
  if ((lo & 1) !== 0) return BigInt(integerOf(lo, hi));
  if ((lo & 15) === 0) {
    const I = segment(m, lo, hi);
    const o = lo >>> 2;
    if ((I[o] & 0xff) === I64) return bigOfBits(I[o + 2], I[o + 3]);
    if ((I[o] & 0xff) === BIGINT) return bigintAt(m, lo, hi);
  }
  throw corrupt('a number whose part is not an integer', lo, hi);
}

function ratioAt(m, I, o) {
  const denominator = integerAt(m, I[o + 4], I[o + 5]);
  if (denominator < 2n) throw corrupt('a ratio with an impossible denominator', o << 2);
  return new Ratio(integerAt(m, I[o + 2], I[o + 3]), denominator);
}

function bytesAt(m, lo, hi) {
  const length = segment(m, lo, hi)[(lo >>> 2) + 2] >>> 0;
  const bytes = m.extent(lo, hi, 16 + length);
  const at = (lo >>> 0) + 16;
  return bytes.slice(at, at + length);
}

/** The keyword or symbol of an id. */
export function symbolOf(m, id) {
  return m.symbols[id] ?? loadSymbol(m, id);
}

function loadSymbol(m, id) {
  // The control page is not an object: its place is fixed.
  const chunk = 31 - Math.clz32((id >>> 6) + 1);
  const index = id - 64 * (2 ** chunk - 1);
  const [cl, ch] = wordIn(m, m.I0[CONTROL_SYMBOLS >>> 2], m.I0[(CONTROL_SYMBOLS >>> 2) + 1], SYMBOL_DIR, chunk);
  const I = segment(m, cl, ch);
  if ((I[cl >>> 2] & 0xff) !== SYMBOL_CHUNK || !(index < I[(cl >>> 2) + 2] >>> 0)) throw corrupt('a keyword with an unknown id', cl, ch);
  m.extent(cl, ch, 16 + 8 * (index + 1));
  const [sl, sh] = wordIn(m, cl, ch, SYMBOL_CHUNK, index);
  const S = segment(m, sl, sh);
  const s = sl >>> 2;
  if ((S[s] & 0xff) !== SYMBOL || (S[s + 3] & 0xffffff) !== id || S[s + 3] >>> 24 > 1) throw corrupt('a bad entry of the symbol table', sl, sh);
  const kind = S[s + 3] >>> 24;
  const namespace = S[s + 4] === 0 && S[s + 5] === 0 ? null : textOf(m, S[s + 4], S[s + 5]);
  const symbol = exactly(kind, namespace, textOf(m, S[s + 6], S[s + 7]));
  symbol._memory = m;
  symbol._low = (id << 8) | symbol[DESCRIPTOR];
  return (m.symbols[id] = symbol);
}

// Word `i` of the slots of a node.
function wordIn(m, lo, hi, type, i) {
  const I = segment(m, lo, hi);
  const o = lo >>> 2;
  if ((I[o] & 0xff) !== type) throw corrupt('a bad node of the symbol table', lo, hi);
  return [I[o + 4 + 2 * i], I[o + 5 + 2 * i]];
}

/** Text of a word that has to be one. */
export function textOf(m, lo, hi) {
  if (isInlineText(lo)) return inlineText(lo, hi, decodeSurrogates);
  if ((lo & 15) === 0 && (lo !== 0 || hi !== 0)) return textAt(m, lo, hi);
  throw corrupt('a name that is not a text', lo, hi);
}
