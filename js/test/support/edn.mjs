// A reader of EDN for the conformance vectors. The package edn-data knows no ratios and no ##NaN.
import { Char, Decimal, Double, Instant, Ratio, UUID, keyword, list, symbol } from '../../values.js';

const CHARS = { newline: '\n', space: ' ', tab: '\t', backspace: '\b', formfeed: '\f', return: '\r' };
const ESCAPES = { n: '\n', t: '\t', r: '\r', f: '\f', b: '\b', '"': '"', '\\': '\\' };
const SYMBOLIC = { NaN, Inf: Infinity, '-Inf': -Infinity };
const CONSTANTS = { nil: null, true: true, false: false };

/** The one value of a text. Doubles with integral values are Double, integers beyond 2^53 BigInt. */
export function parse(text) {
  let at = 0;
  const fail = (what) => { throw new SyntaxError(`${what} at ${at}: ${text.slice(at, at + 40)}`); };
  const space = () => { while (/[\s,]/.test(text[at] ?? 'x')) at++; };
  const token = () => {
    const m = /[^\s,"()[\]{}]+/y;
    m.lastIndex = at;
    const t = m.exec(text)?.[0] ?? fail('nothing');
    at += t.length;
    return t;
  };
  const until = (close) => {
    const out = [];
    for (space(); text[at] !== close; space()) out.push(value());
    at++;
    return out;
  };
  const string = () => {
    let out = '';
    for (; text[at] !== '"'; at++) {
      if (at >= text.length) fail('a string without end');
      if (text[at] !== '\\') out += text[at];
      else if (text[++at] === 'u') {
        out += String.fromCharCode(parseInt(text.slice(at + 1, at + 5), 16));
        at += 4;
      } else out += ESCAPES[text[at]] ?? fail('an unknown escape');
    }
    at++;
    return out;
  };
  const map = () => {
    const xs = until('}');
    if (xs.length % 2) fail('a map with an odd number of forms');
    return new Map(xs.flatMap((x, i) => (i % 2 ? [] : [[x, xs[i + 1]]])));
  };
  const dispatch = () => {
    if (text[at] === '{') return at++, new Set(until('}'));
    if (text[at] === '#') return at++, SYMBOLIC[token()] ?? fail('an unknown symbolic value');
    const tag = token();
    const x = value();
    if (tag === 'uuid') return new UUID(x);
    if (tag === 'inst') return new Date(x);
    if (tag === 'eve/bytes') return Uint8Array.from(x.match(/../g) ?? [], (h) => parseInt(h, 16));
    if (tag === 'eve/instant') {
      const [, seconds, digits = ''] = /^([^.]*?)(?:\.(\d+))?Z$/.exec(x);
      return new Instant(BigInt(Date.parse(`${seconds}Z`) / 1000), Number(digits.padEnd(9, '0')));
    }
    return fail(`an unknown tag ${tag}`);
  };
  const char = () => {
    let t = text[at++];
    if (/[a-zA-Z]/.test(t)) while (/[a-zA-Z0-9]/.test(text[at] ?? ' ')) t += text[at++];
    if (t.length === 1) return new Char(t);
    return new Char(CHARS[t] ?? (/^u[0-9a-f]{4}$/.test(t) ? parseInt(t.slice(1), 16) : fail(`an unknown character ${t}`)));
  };
  const atom = () => {
    const t = token();
    if (Object.hasOwn(CONSTANTS, t)) return CONSTANTS[t];
    if (/^[+-]?\d+N?$/.test(t)) return integer(BigInt(t.replace('N', '')));
    if (/^[+-]?\d+\/\d+$/.test(t)) return new Ratio(...t.split('/').map(BigInt));
    if (/^[+-]?\d[\d.]*([eE][+-]?\d+)?M$/.test(t)) return new Decimal(t.slice(0, -1));
    if (/^[+-]?\d[\d.]*([eE][+-]?\d+)?$/.test(t)) return new Double(Number(t));
    if (t.startsWith(':')) return t === ':/' ? keyword(null, '/') : keyword(t.slice(1));
    return t === '/' ? symbol(null, '/') : symbol(t);
  };
  const value = () => {
    space();
    const c = text[at];
    switch (c) {
      case '(': return at++, list(...until(')'));
      case '[': return at++, until(']');
      case '{': return at++, map();
      case '"': return at++, string();
      case '#': return at++, dispatch();
      case '\\': return at++, char();
      default: return atom();
    }
  };
  const x = value();
  space();
  if (at < text.length) fail('more than one value');
  return x;
}

function integer(n) {
  return BigInt.asIntN(53, n) === n ? Number(n) : n;
}
