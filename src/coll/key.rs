//! Equality of keys, as the tries need it: the common cases here, inlined; the rest is [`crate::value::equal`].

use crate::error::Result;
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::value;

/// Longest text, in words behind its second word, that [`Node::word`] reaches.
const WORDS_MAX: usize = 509;

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

/// What a look-up looks for, besides a hash. Any closure is one; the common keys have types, so that they are compared inline. `Copy`, so that what a rare
/// path is given is a copy, made there: a key whose address is known to others lies in memory, and is written there at each look-up.
pub trait Wanted: Copy {
    /// Is the key `word` the one?
    fn is(&self, word: u64) -> Result<bool>;

    /// The key sought, if it has a word: what a sorted collection looks for.
    fn word(&self) -> Option<u64> {
        None
    }
}

impl<F: Fn(u64) -> Result<bool> + Copy> Wanted for F {
    #[inline(always)]
    fn is(&self, word: u64) -> Result<bool> {
        self(word)
    }
}

/// A key that has a word.
#[derive(Clone, Copy, Debug)]
pub struct WordKey<'a> {
    /// Reads the keys.
    pub r: Reader<'a>,
    /// The key.
    pub word: u64,
}

impl Wanted for WordKey<'_> {
    #[inline(always)]
    fn is(&self, word: u64) -> Result<bool> {
        same(self.r, word, self.word)
    }

    fn word(&self) -> Option<u64> {
        Some(self.word)
    }
}

/// A text outside the slab, longer than a word holds. `bytes` is (generalized) UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct TextKey<'a> {
    r: Reader<'a>,
    bytes: &'a [u8],
    hash: u32,
}

impl<'a> TextKey<'a> {
    /// The key for `bytes`, more than [`INLINE_STRING_MAX`] of them.
    #[inline(always)]
    pub fn new(r: Reader<'a>, bytes: &'a [u8]) -> TextKey<'a> {
        assert!(bytes.len() > INLINE_STRING_MAX);
        let hash = value::hash::hash_string(bytes) as u32;
        TextKey { r, bytes, hash }
    }

    /// Clojure's hash of the text.
    #[inline]
    pub fn hash(&self) -> u32 {
        self.hash
    }

    /// The content of `text`, from word `start` on, against ours: eight bytes at a time, the rest against the text's zero-padded last word.
    #[inline(always)]
    fn is_content(&self, text: Node, start: usize) -> bool {
        let chunks = self.bytes.chunks_exact(8);
        let rest = chunks.remainder().len();
        let mut at = start;
        for chunk in chunks {
            if text.word(at) != u64::from_le_bytes(chunk.try_into().expect("eight bytes")) {
                return false;
            }
            at += 1;
        }
        let Some(last) = self.bytes.last_chunk() else {
            return false;
        };
        rest == 0 || text.word(at) == u64::from_le_bytes(*last) >> (64 - 8 * rest)
    }

    /// [`Wanted::is`] for texts that are not ASCII or long.
    #[inline(never)]
    fn is_other(&self, text: Node) -> Result<bool> {
        if text.kind() != TEXT || text.low(1) != self.hash {
            return Ok(false);
        }
        let (start, len) = if is_ascii(text) {
            (2, text.high(1))
        } else {
            (3, text.low(2))
        };
        Ok(len as usize == self.bytes.len() && self.r.bytes(text, start * 8, self.bytes.len())?.is(self.bytes))
    }
}

impl Wanted for TextKey<'_> {
    #[inline(always)]
    fn is(&self, word: u64) -> Result<bool> {
        if !is_pointer(word) {
            return Ok(false);
        }
        let text = self.r.node(word)?;
        let short = self.bytes.len() < 8 * WORDS_MAX;
        let hash_and_len = self.hash as u64 | (self.bytes.len() as u64) << 32;
        if short && text.kind() == TEXT && is_ascii(text) && text.word(1) == hash_and_len {
            return Ok(self.is_content(text, 2));
        }
        self.is_other(text)
    }
}
