//! Equality of keys, as the tries need it: the common cases here, inlined; the rest is [`crate::value::equal`].

use crate::error::Result;
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::value;

/// Longest text, in words behind its second word, that [`Node::word`] reaches.
const WORDS_MAX: usize = 510;

/// Are the values `a` and `b` equal? Identical words are, NaN too: a map finds the key that it was given.
#[inline(always)]
pub fn same(r: Reader, a: u64, b: u64) -> Result<bool> {
    if a == b || a & b & 1 == 1 {
        return Ok(a == b);
    }
    same_other(r, a, b)
}

#[inline(never)]
fn same_other(r: Reader, a: u64, b: u64) -> Result<bool> {
    if is_pointer(a) && is_pointer(b) {
        let (x, y) = (r.node(a)?, r.node(b)?);
        if x.kind() == TEXT && y.kind() == TEXT {
            return same_text(r, x, y);
        }
    }
    value::equal(r, a, b)
}

/// Hash of a key that lies in a collection: no object is read for an integer, one word of a text.
#[inline]
pub fn hash_of(r: Reader, key: u64) -> Result<u32> {
    if key & 1 == 1 {
        return Ok(value::hash::hash_long(key as i64 >> 1) as u32);
    }
    if is_pointer(key) {
        let node = r.node(key)?;
        if node.kind() == TEXT {
            return Ok(node.low(1));
        }
    }
    value::hash_word(r, key)
}

/// Words of a text's content from word 2 on. Texts are padded with zeros, so equal texts have equal words.
#[inline]
fn content_words(text: Node) -> usize {
    if is_ascii(text) {
        (text.high(1) as usize).div_ceil(8)
    } else {
        1 + (text.low(2) as usize).div_ceil(8)
    }
}

#[inline]
fn is_ascii(text: Node) -> bool {
    header_flags(text.header()) & FLAG_ASCII != 0
}

/// Are two TEXT objects equal? Word 1 is hash and length.
#[inline]
fn same_text(r: Reader, x: Node, y: Node) -> Result<bool> {
    if x.word(1) != y.word(1) || is_ascii(x) != is_ascii(y) {
        return Ok(false);
    }
    let words = content_words(x);
    if words > WORDS_MAX {
        return same_long_text(r, x, y);
    }
    Ok((2..2 + words).all(|i| x.word(i) == y.word(i)))
}

#[cold]
fn same_long_text(r: Reader, x: Node, y: Node) -> Result<bool> {
    let bytes = content_words(x) * 8;
    Ok(content_words(y) * 8 == bytes && r.bytes(x, 16, bytes)?.same(&r.bytes(y, 16, bytes)?))
}

/// A text outside the slab, longer than a word holds, compared with keys in it. `bytes` is (generalized) UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct TextKey<'a> {
    bytes: &'a [u8],
    hash: u32,
}

impl<'a> TextKey<'a> {
    /// The key for `bytes`, more than [`INLINE_STRING_MAX`] of them.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> TextKey<'a> {
        debug_assert!(bytes.len() > INLINE_STRING_MAX);
        TextKey {
            bytes,
            hash: value::hash::hash_string(bytes) as u32,
        }
    }

    /// Clojure's hash of the text.
    #[inline]
    pub fn hash(&self) -> u32 {
        self.hash
    }

    /// Is the value `word` this text?
    #[inline(always)]
    pub fn is(&self, r: Reader, word: u64) -> Result<bool> {
        if !is_pointer(word) {
            return Ok(false);
        }
        let text = r.node(word)?;
        if text.kind() != TEXT || text.low(1) != self.hash {
            return Ok(false);
        }
        let (start, len) = if is_ascii(text) {
            (2, text.high(1))
        } else {
            (3, text.low(2))
        };
        if len as usize != self.bytes.len() {
            return Ok(false);
        }
        if self.bytes.len() / 8 + start >= WORDS_MAX {
            return Ok(r.bytes(text, start * 8, self.bytes.len())?.is(self.bytes));
        }
        Ok(self.is_content(text, start))
    }

    /// Compares eight bytes at a time; the rest against the text's zero-padded last word.
    #[inline(always)]
    fn is_content(&self, text: Node, start: usize) -> bool {
        let full = self.bytes.len() / 8;
        let rest = self.bytes.len() % 8;
        let word = |i: usize| u64::from_le_bytes(self.bytes[i..i + 8].try_into().expect("eight bytes"));
        let Some(last) = self.bytes.len().checked_sub(8).map(word) else {
            return false;
        };
        (0..full).all(|i| text.word(start + i) == word(8 * i))
            && (rest == 0 || text.word(start + full) == last >> (64 - 8 * rest))
    }
}
