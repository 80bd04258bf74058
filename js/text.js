// Texts: UTF-8, with lone surrogates in their three-byte form.
import { corrupt } from './error.js';
import { FLAG_ASCII, FLAG_SURROGATE, TEXT } from './layout.js';
import { segment } from './memory.js';

const { fromCharCode } = String;

// Node has faster ways (setDecoders); these work everywhere.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
let decodeAscii = (bytes, from, to) => utf8.decode(copied(bytes, from, to));
let decodeUtf8 = decodeAscii;

// A TextDecoder refuses shared memory.
function copied(bytes, from, to) {
  return bytes.slice(from, to);
}

/** Sets the functions (bytes, from, to) -> string for ASCII and for well-formed UTF-8. */
export function setDecoders(ascii, wellFormed) {
  decodeAscii = ascii;
  decodeUtf8 = wellFormed;
}

/** UTF-8 with lone surrogates as three bytes; a sequence that isn't well formed otherwise becomes U+FFFD, byte by byte. */
export function decodeSurrogates(bytes, from, to) {
  let out = '';
  for (let i = from; i < to; ) {
    const a = bytes[i++];
    const extra = a < 0x80 ? 0 : a >= 0xc2 && a < 0xe0 ? 1 : a >= 0xe0 && a < 0xf0 ? 2 : a >= 0xf0 && a < 0xf5 ? 3 : -1;
    let code = extra === 0 ? a : extra < 0 ? 0xfffd : a & (0x3f >> extra);
    let k = 0;
    for (; k < extra && i + k < to && (bytes[i + k] & 0xc0) === 0x80; k++) code = (code << 6) | (bytes[i + k] & 0x3f);
    if (extra > 0 && k === extra) i += extra;
    else if (extra > 0) code = 0xfffd;
    out += code > 0xffff && code <= 0x10ffff ? String.fromCodePoint(code) : fromCharCode(code > 0xffff ? 0xfffd : code);
  }
  return out;
}

/** Text of the TEXT at (lo, hi). */
export function textAt(m, lo, hi) {
  const I = segment(m, lo, hi);
  const o = lo >>> 2;
  const header = I[o];
  if ((header & 0xff) !== TEXT) throw corrupt('not a text', lo, hi);
  const length = I[o + 3];
  if (((header >>> 8) & FLAG_ASCII) !== 0) {
    if (length >= 0 && length <= 16) return shortAscii(m.extent(lo, hi, 16 + length), (lo >>> 0) + 16, length);
    return longText(m, lo, hi, 16, length >>> 0, decodeAscii);
  }
  const surrogates = ((header >>> 8) & FLAG_SURROGATE) !== 0;
  return longText(m, lo, hi, 24, I[o + 4] >>> 0, surrogates ? decodeSurrogates : decodeUtf8);
}

function longText(m, lo, hi, at, length, decode) {
  const bytes = m.extent(lo, hi, at + length);
  const from = (lo >>> 0) + at;
  return decode(bytes, from, from + length);
}

function shortAscii(B, at, n) {
  const a = n & ~7;
  let s = '';
  for (let i = 0; i < a; i += 8, at += 8) {
    s += fromCharCode(B[at], B[at + 1], B[at + 2], B[at + 3], B[at + 4], B[at + 5], B[at + 6], B[at + 7]);
  }
  switch (n & 7) {
    case 1: return s + fromCharCode(B[at]);
    case 2: return s + fromCharCode(B[at], B[at + 1]);
    case 3: return s + fromCharCode(B[at], B[at + 1], B[at + 2]);
    case 4: return s + fromCharCode(B[at], B[at + 1], B[at + 2], B[at + 3]);
    case 5: return s + fromCharCode(B[at], B[at + 1], B[at + 2], B[at + 3], B[at + 4]);
    case 6: return s + fromCharCode(B[at], B[at + 1], B[at + 2], B[at + 3], B[at + 4], B[at + 5]);
    case 7: return s + fromCharCode(B[at], B[at + 1], B[at + 2], B[at + 3], B[at + 4], B[at + 5], B[at + 6]);
    default: return s;
  }
}
