//! Generalized UTF-8: the form in which the slab keeps text.
//!
//! Text is a sequence of UTF-16 units, as in Java and JavaScript, where a surrogate may stand alone. It is kept as
//! UTF-8 in which a lone surrogate has its three-byte form (ED A0..BF xx) and a surrogate pair has its four-byte form,
//! never two three-byte ones. So one text has one encoding, and text without lone surrogates is ordinary UTF-8.
//!
//! Only `scan` judges. The other functions expect text that `scan` accepts; other bytes give an answer without meaning
//! (each byte that belongs to no character reads as U+FFFD), never a panic or an endless loop.

use core::cmp::Ordering;

/// The high bit of each of eight bytes: set where a byte is not ASCII.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const LOW_BITS: u64 = 0x0101_0101_0101_0101;

/// What `scan` finds out about a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextInfo {
    /// Length in UTF-16 units, as Java and JavaScript count it.
    pub utf16_len: usize,
    /// All bytes are below 0x80; then `utf16_len` is the length in bytes.
    pub is_ascii: bool,
    /// A '?' is among the characters. Readers that turn unmappable characters into '?' must not compare bytes then.
    pub has_question_mark: bool,
    /// The text is not ordinary UTF-8.
    pub has_lone_surrogate: bool,
}

/// Checks that `text` is generalized UTF-8 and measures it. The error is the offset of the first byte that is wrong.
pub fn scan(text: &[u8]) -> Result<TextInfo, usize> {
    let mut info = TextInfo {
        utf16_len: 0,
        is_ascii: true,
        has_question_mark: false,
        has_lone_surrogate: false,
    };
    let mut at = 0;
    let mut after_high_surrogate = false;
    while at < text.len() {
        if let Some(word) = ascii_word(&text[at..]) {
            info.has_question_mark |= contains_byte(word, b'?');
            info.utf16_len += 8;
            at += 8;
            after_high_surrogate = false;
            continue;
        }
        if let Some(word) = short_ascii_word(&text[at..]) {
            info.has_question_mark |= contains_byte(word, b'?');
            info.utf16_len += text.len() - at;
            break;
        }
        let (code, len) = decode(&text[at..]).ok_or(at)?;
        if after_high_surrogate && is_low_surrogate(code) {
            return Err(at);
        }
        after_high_surrogate = is_high_surrogate(code);
        info.has_question_mark |= code == u32::from(b'?');
        info.is_ascii &= len == 1;
        info.has_lone_surrogate |= after_high_surrogate || is_low_surrogate(code);
        info.utf16_len += if len == 4 { 2 } else { 1 };
        at += len;
    }
    Ok(info)
}

/// Length in UTF-16 units.
pub fn utf16_len(text: &[u8]) -> usize {
    // One unit for every byte that starts a character, one more for a lead byte of a four-byte form.
    text.iter()
        .map(|&byte| usize::from(byte & 0xc0 != 0x80) + usize::from(byte >= 0xf0))
        .sum()
}

/// Order of Java's `String.compareTo`, which is that of the UTF-16 units and not that of the bytes: U+10000 and up sort
/// before U+E000.
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let Some(mut start) = a.iter().zip(b).position(|(x, y)| x != y) else {
        return a.len().cmp(&b.len());
    };
    if a[start] < 0x80 && b[start] < 0x80 {
        return a[start].cmp(&b[start]);
    }
    // The bytes before are equal, so the character that holds the first difference starts at one place in both.
    while start > 0 && a[start] & 0xc0 == 0x80 && b[start] & 0xc0 == 0x80 {
        start -= 1;
    }
    utf16_units(&a[start..]).cmp(utf16_units(&b[start..]))
}

/// The UTF-16 units of `text` in order.
pub fn utf16_units(text: &[u8]) -> Utf16Units<'_> {
    Utf16Units {
        rest: text,
        low_surrogate: None,
    }
}

/// Iterator over UTF-16 units, made by `utf16_units`.
#[derive(Clone, Debug)]
pub struct Utf16Units<'a> {
    rest: &'a [u8],
    /// The second unit of a pair whose first was given out.
    low_surrogate: Option<u16>,
}

impl Iterator for Utf16Units<'_> {
    type Item = u16;

    #[inline]
    fn next(&mut self) -> Option<u16> {
        if let Some(low) = self.low_surrogate.take() {
            return Some(low);
        }
        let (code, rest) = next_char(self.rest)?;
        self.rest = rest;
        let (first, second) = to_units(code);
        self.low_surrogate = second;
        Some(first)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let pending = usize::from(self.low_surrogate.is_some());
        (pending + self.rest.len().div_ceil(4), Some(pending + self.rest.len()))
    }
}

/// The first eight bytes as a little-endian word, if there are eight and all are ASCII.
#[inline]
pub(super) fn ascii_word(text: &[u8]) -> Option<u64> {
    let word = u64::from_le_bytes(*text.first_chunk()?);
    (word & HIGH_BITS == 0).then_some(word)
}

/// All bytes as a little-endian word with zeros above, if they are fewer than eight and all ASCII.
#[inline]
pub(super) fn short_ascii_word(text: &[u8]) -> Option<u64> {
    let len = text.len();
    let word = match len {
        0 => 0,
        // First, middle and last byte, or first and last four: where two overlap they agree. Most keys are short, and
        // a loop over their bytes costs more than the hash.
        1..=3 => [0, len / 2, len - 1]
            .into_iter()
            .fold(0, |word, at| word | u64::from(text[at]) << (8 * at)),
        4..=7 => {
            let first = u32::from_le_bytes(*text.first_chunk()?);
            let last = u32::from_le_bytes(*text.last_chunk()?);
            u64::from(first) | u64::from(last) << (8 * (len - 4))
        }
        _ => return None,
    };
    (word & HIGH_BITS == 0).then_some(word)
}

/// The first character (or lone surrogate) and the text after it; `None` at the end.
#[inline]
pub(super) fn next_char(text: &[u8]) -> Option<(u32, &[u8])> {
    if text.is_empty() {
        return None;
    }
    let (code, len) = decode(text).unwrap_or((0xfffd, 1));
    Some((code, &text[len..]))
}

/// The one or two UTF-16 units of a code point.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    reason = "a unit has 16 bits, which the ranges in each branch ensure"
)]
pub(super) fn to_units(code: u32) -> (u16, Option<u16>) {
    if code < 0x1_0000 {
        (code as u16, None)
    } else {
        (0xd7c0 + (code >> 10) as u16, Some(0xdc00 | (code & 0x3ff) as u16))
    }
}

fn is_high_surrogate(code: u32) -> bool {
    code & !0x3ff == 0xd800
}

fn is_low_surrogate(code: u32) -> bool {
    code & !0x3ff == 0xdc00
}

/// Whether one of the eight bytes of `word` is `byte`; all of them and `byte` are ASCII.
fn contains_byte(word: u64, byte: u8) -> bool {
    let zero_where_equal = word ^ (LOW_BITS * u64::from(byte));
    zero_where_equal.wrapping_sub(LOW_BITS) & HIGH_BITS != 0
}

/// The code point that `text` starts with and its length in bytes; `None` if it starts with no character. Refuses
/// overlong forms and what is above U+10FFFF, takes surrogates.
#[inline]
fn decode(text: &[u8]) -> Option<(u32, usize)> {
    let first = *text.first()?;
    let (len, least, lead_bits) = match first {
        0..0x80 => return Some((u32::from(first), 1)),
        0xc0..0xe0 => (2, 0x80, first & 0x1f),
        0xe0..0xf0 => (3, 0x800, first & 0x0f),
        0xf0..0xf5 => (4, 0x1_0000, first & 0x07),
        _ => return None,
    };
    let mut code = u32::from(lead_bits);
    for &byte in text.get(1..len)? {
        if byte & 0xc0 != 0x80 {
            return None;
        }
        code = code << 6 | u32::from(byte & 0x3f);
    }
    (least..0x11_0000).contains(&code).then_some((code, len))
}

#[cfg(test)]
#[path = "utf8_tests.rs"]
mod tests;
