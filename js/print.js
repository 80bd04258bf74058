// EDN, as Clojure's pr-str.
import { K } from './kind.js';
import { dateText } from './time.js';
import { elements, entries, kindIn } from './value.js';
import { enter, leave } from './walk.js';

const ESCAPES = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r', '\f': '\\f', '\b': '\\b' };
const CHARS = { 10: 'newline', 32: 'space', 9: 'tab', 8: 'backspace', 12: 'formfeed', 13: 'return' };

/** EDN text of a value. */
export function print(x) {
  const out = [];
  write(out, x);
  return out.join('');
}

function write(out, x) {
  const kind = kindIn(x);
  switch (kind) {
    case K.NIL: return void out.push('nil');
    case K.INT: return void out.push(typeof x === 'bigint' && BigInt.asIntN(64, x) !== x ? `${x}N` : String(x));
    case K.DOUBLE: return void out.push(doubleText(typeof x === 'number' ? x : x.value));
    case K.CHAR: return void out.push(`\\${CHARS[x.code] ?? lone(String.fromCharCode(x.code))}`);
    case K.STRING: return void out.push(`"${lone(x.replace(/["\\\n\t\r\f\b]/g, (c) => ESCAPES[c]))}"`);
    case K.DECIMAL: return void out.push(`${x}M`);
    case K.UUID: return void out.push(`#uuid "${x}"`);
    case K.DATE: return void out.push(`#inst "${dateText(x)}"`);
    case K.INSTANT: return void out.push(`#eve/instant "${x}"`);
    case K.BYTES: return void out.push(`#eve/bytes "${Array.from(x, (b) => b.toString(16).padStart(2, '0')).join('')}"`);
    case K.MAP: return writeMap(out, x);
    case K.SET: return writeAll(out, '#{', x, '}');
    case K.VECTOR: return writeAll(out, '[', x, ']');
    case K.LIST: return writeAll(out, '(', x, ')');
    default: return void out.push(lone(String(x)));
  }
}

// A surrogate without its other half has no UTF-8: it is written as \\ud800 even outside of strings.
function lone(text) {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}

function writeAll(out, open, x, close) {
  out.push(open);
  enter(x);
  try {
    let separator = '';
    for (const e of elements(x)) {
      out.push(separator);
      write(out, e);
      separator = ' ';
    }
  } finally {
    leave();
  }
  out.push(close);
}

function writeMap(out, x) {
  out.push('{');
  enter(x);
  try {
    let separator = '';
    for (const [k, v] of entries(x)) {
      out.push(separator);
      write(out, k);
      out.push(' ');
      write(out, v);
      separator = ', ';
    }
  } finally {
    leave();
  }
  out.push('}');
}

// The fewest digits that read back as x, but at least two if the nearest two do, as Java has it: 4.9E-324.
function shortest(x) {
  const text = x.toExponential();
  if (text[1] === '.') return text;
  const two = x.toExponential(1);
  return Number(two) === x ? two.replace('.0e', 'e') : text;
}

/** As Java's Double.toString, with EDN's names for what has no digits. */
export function doubleText(x) {
  if (x !== x) return '##NaN';
  if (x === Infinity) return '##Inf';
  if (x === -Infinity) return '##-Inf';
  if (x === 0) return Object.is(x, -0) ? '-0.0' : '0.0';
  const [mantissa, exponent] = shortest(Math.abs(x)).split('e');
  const digits = mantissa.replace('.', '');
  const e = Number(exponent);
  const sign = x < 0 ? '-' : '';
  if (e < -3 || e >= 7) return `${sign}${digits[0]}.${digits.slice(1) || '0'}E${e}`;
  if (e < 0) return `${sign}0.${'0'.repeat(-e - 1)}${digits}`;
  return `${sign}${digits.slice(0, e + 1).padEnd(e + 1, '0')}.${digits.slice(e + 1) || '0'}`;
}
