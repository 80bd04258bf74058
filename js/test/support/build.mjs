// A reader of build buffers (docs/format.md, section 4), as tests/data has them.
import { decodeSurrogates } from '../../text.js';
import { Char, Decimal, Double, Instant, Ratio, UUID, list } from '../../values.js';
import { exactly } from '../../types.js';
import { narrow } from '../../word.js';

/** The value of a buffer in hex. Doubles are Double; a date that no Date holds is an invalid one. */
export function valueOf(hex) {
  const bytes = Uint8Array.from(hex.match(/../g), (h) => parseInt(h, 16));
  const data = new DataView(bytes.buffer);
  let at = 0;
  const take = (n, read) => { at += n; return read(at - n); };
  const u16 = () => take(2, (i) => data.getUint16(i, true));
  const u32 = () => take(4, (i) => data.getUint32(i, true));
  const i32 = () => take(4, (i) => data.getInt32(i, true));
  const i64 = () => take(8, (i) => data.getBigInt64(i, true));
  const slice = (n) => take(n, (i) => bytes.slice(i, i + n));
  const text = (n) => decodeSurrogates(slice(n), 0, n);
  const bigint = () => { const b = slice(u32()); return BigInt.asIntN(8 * b.length, BigInt(`0x${Buffer.from(b).toString('hex')}`)); };
  const name = () => { const n = u16(); return n === 0xffff ? null : text(n); };
  const many = () => Array.from({ length: u32() }, value);
  const value = () => {
    const op = bytes[at++];
    switch (op) {
      case 0: return null;
      case 1: return true;
      case 2: return false;
      case 3: return narrow(i64());
      case 4: return new Double(take(8, (i) => data.getFloat64(i, true)));
      case 5: return new Char(u16());
      case 6: return text(u32());
      case 7: return exactly(0, name(), name());
      case 8: return exactly(1, name(), name());
      case 9: return narrow(bigint());
      case 10: return new Ratio(value(), value());
      case 11: { const scale = i32(); return new Decimal(value(), scale); }
      case 12: return new UUID(i64(), i64());
      case 13: return new Date(Number(i64()));
      case 14: return new Instant(i64(), u32());
      case 15: return slice(u32());
      case 16: return many();
      case 17: return list(...many());
      case 18: return new Set(many());
      case 19: return new Map(Array.from({ length: u32() }, () => [value(), value()]));
      default: throw new Error(`op ${op}`);
    }
  };
  return value();
}
