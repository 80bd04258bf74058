//! Text: strings of generalized UTF-8 (see [`super::utf8`]), in the word up to 7 bytes, else in a TEXT object.

use super::utf8::{self, TextInfo};
use super::{hash, word};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Bytes, Node, NodeMut, Reader};
use crate::slab::writer::{Writer, PERSISTENT};
use std::cmp::Ordering;

/// Where the bytes of a TEXT start.
const ASCII_BYTES: usize = 16;
const WIDE_BYTES: usize = 24;

/// The word of a text that needs no object; None if it is longer. The text is not checked.
#[inline]
pub fn inline(text: &[u8]) -> Option<u64> {
    (text.len() <= INLINE_STRING_MAX).then(|| word::string(text))
}

/// Checks text from outside. The error says where it is wrong.
pub fn scan(text: &[u8]) -> Result<TextInfo> {
    let info = utf8::scan(text).map_err(|at| Error::arg(format!("the text is not UTF-8 at byte {at}")))?;
    if text.len() > i32::MAX as usize {
        return Err(Error::limit("a text has more than 2147483647 bytes"));
    }
    Ok(info)
}

/// A string of `text`, which may have lone surrogates. `Arg` if it isn't (generalized) UTF-8.
pub fn make(w: &mut Writer, text: &[u8]) -> Result<u64> {
    let info = scan(text)?;
    if let Some(word) = inline(text) {
        return Ok(word);
    }
    let node = w.alloc(TEXT, size(text, &info), None, PERSISTENT)?;
    w.set_flags(node, flags(&info));
    fill(node, text, &info);
    Ok(node.offset())
}

/// Size of the TEXT object of `text`.
pub(super) fn size(text: &[u8], info: &TextInfo) -> usize {
    text.len() + if info.is_ascii { ASCII_BYTES } else { WIDE_BYTES }
}

/// Flags of the TEXT object.
pub(crate) fn flags(info: &TextInfo) -> u8 {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    flag(info.is_ascii, FLAG_ASCII)
        | flag(info.has_question_mark, FLAG_QUESTION)
        | flag(info.has_lone_surrogate, FLAG_SURROGATE)
}

/// Writes everything of a TEXT object of the right [`size`] but its header.
pub(super) fn fill(node: NodeMut, text: &[u8], info: &TextInfo) {
    node.set_halves(1, hash::hash_string(text) as u32, info.utf16_len as u32);
    if !info.is_ascii {
        node.set_halves(2, text.len() as u32, 0);
    }
    let start = if info.is_ascii { ASCII_BYTES } else { WIDE_BYTES };
    node.put_bytes(start, text, size(text, info));
}

/// Place and number of the bytes of a TEXT.
fn place(node: Node) -> (usize, usize) {
    if header_flags(node.header()) & FLAG_ASCII != 0 {
        (ASCII_BYTES, node.high(1) as usize)
    } else {
        (WIDE_BYTES, node.low(2) as usize)
    }
}

/// Appends the text of the string `word` to `out`. `Type` if it is no string.
pub fn copy_to(r: Reader, word: u64, out: &mut Vec<u8>) -> Result<()> {
    if !is_pointer(word) {
        let text = word::short_text(word).ok_or_else(not_a_string)?;
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    let node = r.node(word)?;
    if node.kind() != TEXT {
        return Err(not_a_string());
    }
    let (start, len) = place(node);
    r.bytes(node, start, len)?.copy_to(out);
    Ok(())
}

#[cold]
fn not_a_string() -> Error {
    Error::type_("a string is needed")
}

/// The text of the string `word`. `Type` if it is no string.
pub fn to_vec(r: Reader, word: u64) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    copy_to(r, word, &mut out)?;
    Ok(out)
}

/// Is `word` the string `text`? Other kinds of values aren't.
pub fn is(r: Reader, word: u64, text: &[u8]) -> Result<bool> {
    if !is_pointer(word) {
        return Ok(inline(text) == Some(word));
    }
    let node = r.node(word)?;
    if node.kind() != TEXT {
        return Ok(false);
    }
    let (start, len) = place(node);
    Ok(len == text.len() && r.bytes(node, start, len)?.is(text))
}

/// Are two TEXT objects equal? Word 1 is hash and length.
pub(super) fn same(r: Reader, a: Node, b: Node) -> Result<bool> {
    let ((start_a, len_a), (start_b, len_b)) = (place(a), place(b));
    if a.word(1) != b.word(1) || start_a != start_b || len_a != len_b {
        return Ok(false);
    }
    Ok(r.bytes(a, start_a, len_a)?.same(&r.bytes(b, start_b, len_b)?))
}

/// Order of two strings as Java's `String.compareTo`. `Type` if one is no string.
pub fn compare(r: Reader, a: u64, b: u64) -> Result<Ordering> {
    let (short_a, short_b) = (word::short_text(a), word::short_text(b));
    Ok(compare_bytes(&view(r, a, &short_a)?, &view(r, b, &short_b)?))
}

/// Order of the value `word` and the string `text` as Clojure's `compare`. `Type` if `word` is neither a string nor nil.
pub fn compare_with(r: Reader, word: u64, text: &[u8]) -> Result<Ordering> {
    if word == NIL {
        return Ok(Ordering::Less);
    }
    let short = word::short_text(word);
    let text_of = view(r, word, &short).map_err(|e| match e {
        Error::Type(_) => Error::type_("can't compare a string with something else"),
        other => other,
    })?;
    Ok(compare_bytes(&text_of, &Bytes::of(text)))
}

fn compare_bytes(x: &Bytes, y: &Bytes) -> Ordering {
    /// No character of several bytes that could be out of order starts with a byte below this one.
    const SURROGATES: u8 = 0xED;
    // The order of bytes is that of code points. UTF-16 units are in another one only if both are surrogates or beyond.
    match x.first_difference(y) {
        None => x.len().cmp(&y.len()),
        Some((p, q)) if p.min(q) < SURROGATES => p.cmp(&q),
        Some(_) => utf8::compare(&x.to_vec(), &y.to_vec()),
    }
}

/// The bytes of the string `word`, whose text is `short` if it lies in the word.
fn view<'a>(r: Reader<'a>, word: u64, short: &'a Option<word::ShortText>) -> Result<Bytes<'a>> {
    if let Some(text) = short {
        return Ok(Bytes::of(text.as_bytes()));
    }
    if is_pointer(word) {
        let node = r.node(word)?;
        if node.kind() == TEXT {
            let (start, len) = place(node);
            return r.bytes(node, start, len);
        }
    }
    Err(not_a_string())
}
