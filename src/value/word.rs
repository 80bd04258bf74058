//! Words: what the 64 bits of a slot say without a look at the slab. `docs/format.md`, section 2.

use super::flonum;
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::Reader;

/// What kind of value a word is. The numbers are those of the C ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Kind {
    /// nil.
    Nil = 0,
    /// true or false.
    Bool = 1,
    /// Integer in the range of i64.
    Int = 2,
    /// Double.
    Double = 3,
    /// UTF-16 unit.
    Char = 4,
    /// Text.
    String = 5,
    /// Keyword.
    Keyword = 6,
    /// Symbol.
    Symbol = 7,
    /// Integer of any size, as Clojure's `5N`.
    BigInt = 8,
    /// Ratio of two integers.
    Ratio = 9,
    /// Decimal.
    Decimal = 10,
    /// UUID.
    Uuid = 11,
    /// Instant in ms, `java.util.Date`.
    Date = 12,
    /// Instant in ns, `java.time.Instant`.
    Instant = 13,
    /// Byte array.
    Bytes = 14,
    /// Map.
    Map = 15,
    /// Set.
    Set = 16,
    /// Vector.
    Vector = 17,
    /// List.
    List = 18,
}

/// The kind of `word`. `Corrupt` if it is no value.
#[inline]
pub fn kind(r: Reader, word: u64) -> Result<Kind> {
    if is_pointer(word) {
        return object_kind(r.node(word)?.kind()).ok_or_else(|| not_a_value(word));
    }
    immediate_kind(word).ok_or_else(|| not_a_value(word))
}

#[cold]
fn not_a_value(word: u64) -> Error {
    Error::corrupt("a word is no value", word)
}

/// The kind of values that objects of type `object` are.
pub(crate) fn object_kind(object: u8) -> Option<Kind> {
    Some(match object {
        TEXT => Kind::String,
        I64 => Kind::Int,
        F64 => Kind::Double,
        BIGINT => Kind::BigInt,
        RATIO => Kind::Ratio,
        DECIMAL => Kind::Decimal,
        UUID => Kind::Uuid,
        DATE => Kind::Date,
        INSTANT => Kind::Instant,
        BYTES => Kind::Bytes,
        ARRAY_MAP | MAP | SORTED_MAP => Kind::Map,
        SET | SORTED_SET => Kind::Set,
        VECTOR => Kind::Vector,
        LIST => Kind::List,
        _ => return None,
    })
}

/// The kind of a word that is no pointer; None if it has bits that no value has.
pub fn immediate_kind(word: u64) -> Option<Kind> {
    if word & 1 == 1 {
        return Some(Kind::Int);
    }
    if flonum::is_flonum(word) {
        return Some(Kind::Double);
    }
    match word as u8 {
        DESC_KEYWORD => Some(Kind::Keyword),
        DESC_SYMBOL => Some(Kind::Symbol),
        DESC_CHAR => (word == from_char((word >> 32) as u16)).then_some(Kind::Char),
        _ => match word {
            NIL => Some(Kind::Nil),
            TRUE | FALSE => Some(Kind::Bool),
            ZERO | MINUS_ZERO => Some(Kind::Double),
            EMPTY_MAP => Some(Kind::Map),
            EMPTY_VECTOR => Some(Kind::Vector),
            EMPTY_SET => Some(Kind::Set),
            EMPTY_LIST => Some(Kind::List),
            _ => short_text(word).map(|_| Kind::String),
        },
    }
}

/// The word of integer `i`, if it fits 63 bits.
#[inline]
pub const fn from_int(i: i64) -> Option<u64> {
    if i << 1 >> 1 == i {
        Some((i as u64) << 1 | 1)
    } else {
        None
    }
}

/// The integer of an integer word.
#[inline]
pub const fn int(word: u64) -> Option<i64> {
    if word & 1 == 1 {
        Some(word as i64 >> 1)
    } else {
        None
    }
}

/// The word of `b`.
#[inline]
pub const fn from_bool(b: bool) -> u64 {
    if b {
        TRUE
    } else {
        FALSE
    }
}

/// The boolean of a boolean word.
#[inline]
pub const fn to_bool(word: u64) -> Option<bool> {
    match word {
        TRUE => Some(true),
        FALSE => Some(false),
        _ => None,
    }
}

/// The word of `x`, if it needs no object.
#[inline]
pub const fn from_double(x: f64) -> Option<u64> {
    const PLUS: u64 = 0.0f64.to_bits();
    const MINUS: u64 = (-0.0f64).to_bits();
    match x.to_bits() {
        PLUS => Some(ZERO),
        MINUS => Some(MINUS_ZERO),
        _ => flonum::encode(x),
    }
}

/// The double of a double word.
#[inline]
pub const fn double(word: u64) -> Option<f64> {
    match word {
        ZERO => Some(0.0),
        MINUS_ZERO => Some(-0.0),
        _ if flonum::is_flonum(word) => Some(flonum::decode(word)),
        _ => None,
    }
}

/// The word of a char.
#[inline]
pub const fn from_char(unit: u16) -> u64 {
    (unit as u64) << 32 | DESC_CHAR as u64
}

/// The UTF-16 unit of a char word.
#[inline]
pub const fn char_unit(word: u64) -> Option<u16> {
    if word as u8 == DESC_CHAR {
        Some((word >> 32) as u16)
    } else {
        None
    }
}

/// A keyword or symbol as its word tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// 0 keyword, 1 symbol.
    pub kind: u8,
    /// Number in the slab's symbol table.
    pub id: u32,
    /// Clojure's hash of the keyword or symbol.
    pub hash: u32,
}

/// The word of a keyword or symbol. The id has 24 bits.
#[inline]
pub const fn from_symbol(s: Symbol) -> u64 {
    let desc = if s.kind == 0 { DESC_KEYWORD } else { DESC_SYMBOL };
    (s.hash as u64) << 32 | (s.id as u64) << 8 | desc as u64
}

/// Kind, id and hash of a keyword or symbol word.
#[inline]
pub const fn symbol(word: u64) -> Option<Symbol> {
    let kind = match word as u8 {
        DESC_KEYWORD => 0,
        DESC_SYMBOL => 1,
        _ => return None,
    };
    Some(Symbol {
        kind,
        id: word as u32 >> 8,
        hash: (word >> 32) as u32,
    })
}

/// The word of the string `utf8` (generalized), which has at most [`INLINE_STRING_MAX`] bytes.
#[inline]
pub fn string(utf8: &[u8]) -> u64 {
    assert!(utf8.len() <= INLINE_STRING_MAX);
    let text = utf8.iter().rev().fold(0, |w, &b| w << 8 | b as u64);
    text << 8 | (DESC_STRING as u64 + 8 * utf8.len() as u64)
}

/// A text that lies in its word.
#[derive(Clone, Copy, Debug)]
pub struct ShortText {
    bytes: [u8; 8],
    len: usize,
}

impl ShortText {
    /// Its UTF-8 (generalized).
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[1..1 + self.len]
    }
}

/// The text of an inline string.
#[inline]
pub fn short_text(word: u64) -> Option<ShortText> {
    let desc = word as u8;
    if desc & 0b1100_0111 != DESC_STRING {
        return None;
    }
    let len = (desc - DESC_STRING) as usize / 8;
    // Two shifts, as one by 64 is not allowed.
    if word >> 8 >> (8 * len) != 0 {
        return None;
    }
    Some(ShortText {
        bytes: word.to_le_bytes(),
        len,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_63_bits_have_a_word_and_no_others() {
        for i in [0, 1, -1, 42, i64::MAX >> 1, i64::MIN >> 1] {
            assert_eq!(int(from_int(i).unwrap()), Some(i));
        }
        for i in [i64::MAX, i64::MIN, (i64::MAX >> 1) + 1, (i64::MIN >> 1) - 1] {
            assert_eq!(from_int(i), None, "{i}");
        }
    }

    #[test]
    fn words_are_the_ones_of_the_format() {
        assert_eq!(from_int(5), Some(11));
        assert_eq!(from_char(b'a' as u16), 0x61_0000_000C);
        assert_eq!(string(b""), 0x44);
        assert_eq!(string(b"a"), 0x614C);
        assert_eq!(string(b"abcdefg"), 0x6766_6564_6362_617C);
        assert_eq!(
            from_symbol(Symbol {
                kind: 0,
                id: 0x123456,
                hash: 0xABCDEF01
            }),
            0xABCD_EF01_1234_5614
        );
        assert_eq!(from_double(0.0), Some(ZERO));
        assert_eq!(from_double(-0.0), Some(MINUS_ZERO));
        assert_eq!(from_double(f64::NAN), None);
    }

    #[test]
    fn immediates_with_stray_bits_are_no_values() {
        let good = [
            NIL,
            TRUE,
            FALSE,
            ZERO,
            MINUS_ZERO,
            EMPTY_MAP,
            EMPTY_VECTOR,
            EMPTY_SET,
            EMPTY_LIST,
        ];
        assert!(good.iter().all(|&w| immediate_kind(w).is_some()));
        let strings: Vec<u64> = (0..8).map(|n| string(&b"abcdefg"[..n])).collect();
        for (n, &w) in strings.iter().enumerate() {
            assert_eq!(immediate_kind(w), Some(Kind::String));
            assert_eq!(short_text(w).unwrap().as_bytes(), &b"abcdefg"[..n]);
            if n < 7 {
                assert_eq!(immediate_kind(w | 1 << 63), None, "{n}");
            }
        }
        for bad in [
            0x004,
            0x904,
            TRUE | 1 << 16,
            EMPTY_LIST | 1 << 63,
            0x24,
            0x2C,
            0x34,
            0x3C,
            0x84,
            0xC4,
            0x10C,
            0x0100_0000_0000_000C,
        ] {
            assert_eq!(immediate_kind(bad), None, "{bad:#x}");
        }
    }
}
