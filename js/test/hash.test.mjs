// Hashes against the answers of real Clojure and Java (tests/data/hashes.tsv).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Char, Decimal, Double, Instant, Ratio, UUID, hash, list } from '../values.js';
import { foldLong, hashCombine, hashEntry, hashInt, hashUnencodedChars, javaBigIntHash, javaStringHash } from '../hash.js';
import { decodeSurrogates } from '../text.js';
import { twosComplement } from '../encode.js';
import { exactly } from '../types.js';

const lines = readFileSync(new URL('../../tests/data/hashes.tsv', import.meta.url), 'utf8').split('\n')
  .filter((l) => l !== '' && !l.startsWith('#')).map((l) => l.split('\t'));

const unhex = (s) => Uint8Array.from(s.match(/../g) ?? [], (h) => parseInt(h, 16));
const text = (s) => { const b = unhex(s); return decodeSurrogates(b, 0, b.length); };
const integer = (s) => BigInt.asIntN(s.length * 4, BigInt(`0x${s}`));
const named = (kind, s) => { const [ns, name] = s.split('/'); return exactly(kind, ns === '-' ? null : text(ns), text(name)); };
const decimal = (s) => { const [u, scale] = s.split('/'); return new Decimal(integer(u), Number(scale)); };
const ints = (s) => (s === '' ? [] : s.split(',').map(BigInt));
const pairs = (xs) => xs.flatMap((x, i) => (i % 2 === 0 ? [[x, xs[i + 1]]] : []));
const double = (s) => { const b = new DataView(new ArrayBuffer(8)); b.setBigUint64(0, BigInt(`0x${s}`)); return new Double(b.getFloat64(0)); };

const KINDS = {
  nil: () => hash(null),
  bool: (p) => hash(p === 'true'),
  long: (p) => hash(BigInt(p)),
  'murmur-int': (p) => hashInt(Number(p)),
  double: (p) => hash(double(p)),
  char: (p) => hash(new Char(parseInt(p, 16))),
  string: (p) => hash(text(p)),
  'java-string': (p) => javaStringHash(text(p)),
  'unencoded-chars': (p) => hashUnencodedChars(text(p)),
  symbol: (p) => hash(named(1, p)),
  keyword: (p) => hash(named(0, p)),
  combine: (p) => hashCombine(...p.split(',').map(Number)),
  uuid: (p) => hash(new UUID(BigInt(`0x${p.slice(0, 16)}`), BigInt(`0x${p.slice(16)}`))),
  date: (p) => foldLong(BigInt(p)),
  instant: (p) => { const [s, n] = p.split(','); return hash(new Instant(BigInt(s), Number(n))); },
  bigint: (p) => hash(integer(p)),
  'java-bigint': (p) => javaBigIntHash(integer(p)),
  ratio: (p) => hash(new Ratio(...p.split('/').map(integer))),
  decimal: (p) => hash(decimal(p)),
  bytes: (p) => hash(unhex(p)),
  ordered: (p) => (assert.equal(hash(list(...ints(p))), hash(ints(p))), hash(ints(p))),
  unordered: (p) => hash(new Set(ints(p))),
  map: (p) => hash(new Map(pairs(ints(p)))),
  entry: (p) => hashEntry(...ints(p).map(hash)),
};

for (const kind of Object.keys(KINDS)) {
  test(`hashes of kind ${kind} are Clojure's`, () => {
    const of = lines.filter(([k]) => k === kind);
    assert.ok(of.length > 0, 'no lines of that kind');
    for (const [, payload, answer] of of) assert.equal(KINDS[kind](payload), Number(answer), `${kind} ${payload}`);
  });
}

test('numbers hash as the integers and doubles that they are stored as', () => {
  for (const [kind, payload, answer] of lines) {
    if (kind !== 'long') continue;
    const n = Number(payload);
    if (Number.isSafeInteger(n) && !payload.startsWith('-0')) assert.equal(hash(n), Number(answer), payload);
  }
  assert.equal(hash(-0), 0);
});

test('texts have the UTF-16 units of Java', () => {
  for (const [kind, payload, answer] of lines) {
    if (kind !== 'utf16') continue;
    const units = Array.from({ length: text(payload).length }, (_, i) => text(payload).charCodeAt(i).toString(16).padStart(4, '0')).join('');
    assert.equal(units, answer);
  }
});

test('big integers have the bytes of BigInteger.toByteArray', () => {
  for (const [kind, payload, answer] of lines) {
    if (kind !== 'integer-text') continue;
    assert.equal(String(integer(payload)), answer);
    assert.equal(Buffer.from(twosComplement(integer(payload))).toString('hex'), payload);
  }
});

test('decimals compare by number, whatever the scale', () => {
  for (const [kind, payload, answer] of lines) {
    if (kind !== 'compare-decimals') continue;
    const m = payload.split('/');
    assert.equal(decimal(`${m[0]}/${m[1]}`)._equal(decimal(`${m[2]}/${m[3]}`)), answer === '0', payload);
  }
});
