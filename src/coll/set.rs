//! Sets. Empty: a constant. Else a trie.

use super::champ::{self, Change, Entry};
use super::head::{self, META, ROOT};
use super::key::{Wanted, WordKey};
use super::sorted::{self, is_sorted};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::slab::writer::{Token, Writer};

const E: usize = champ::SET;

/// Head of set `s`, None for the empty constant. `Type` if it isn't a set.
#[inline]
pub(super) fn head_of<'a>(r: Reader<'a>, s: u64) -> Result<Option<Node<'a>>> {
    if is_pointer(s) {
        let node = r.node(s)?;
        if node.kind() == SET {
            return Ok(Some(node));
        }
    } else if s == EMPTY_SET {
        return Ok(None);
    }
    Err(Error::type_("a set is needed"))
}

fn root_of(head: Option<Node>) -> u64 {
    head.map_or(0, |h| h.word(ROOT))
}

/// Number of elements.
pub fn count(r: Reader, s: u64) -> Result<usize> {
    if is_sorted(r, s)? {
        return sorted::count(r, s);
    }
    Ok(head_of(r, s)?.map_or(0, head::count))
}

/// Is `key`, whose hash is `hash`, in the set?
#[inline]
pub fn contains(r: Reader, s: u64, key: u64, hash: u32) -> Result<bool> {
    Ok(get(r, s, key, hash)?.is_some())
}

/// The element equal to `key`, as it lies in the set.
#[inline]
pub fn get(r: Reader, s: u64, key: u64, hash: u32) -> Result<Option<u64>> {
    get_wanted(r, s, hash, WordKey { r, word: key })
}

/// The element that has `hash` and that `is` accepts: for values that have no word.
#[inline]
pub fn get_with(r: Reader, s: u64, hash: u32, is: impl Fn(u64) -> Result<bool> + Copy) -> Result<Option<u64>> {
    get_wanted(r, s, hash, is)
}

/// The element that has `hash` and is `wanted`.
#[inline(always)]
pub(super) fn get_wanted(r: Reader, s: u64, hash: u32, wanted: impl Wanted) -> Result<Option<u64>> {
    let head = match head_of(r, s) {
        Ok(Some(head)) => head,
        Ok(None) => return Ok(None),
        Err(_) if is_sorted(r, s)? => return Ok(sorted::find_wanted(r, s, wanted)?.map(|(node, i)| node.word(i))),
        Err(e) => return Err(e),
    };
    champ::find::<E, u64>(r, head.word(ROOT), head::count(head), hash, wanted, |node, i| {
        node.word(i)
    })
}

/// `s` with `key`; `s` itself if an equal element is there.
pub fn conj(w: &mut Writer, token: Token, s: u64, key: u64, hash: u32) -> Result<u64> {
    if is_sorted(w.reader(), s)? {
        return sorted::assoc(w, token, s, key, NIL, None);
    }
    let head = head_of(w.reader(), s)?;
    let (root, change) = champ::insert::<E>(w, token, root_of(head), Entry { key, hash, value: 0 })?;
    if change == Change::None {
        return Ok(s);
    }
    let count = head::count_up(head.map_or(0, head::count))?;
    head::put(w, token, SET, head, count, root, head.map_or(NIL, |h| h.word(META)))
}

/// `s` without `key`; `s` itself if it isn't there.
pub fn disj(w: &mut Writer, token: Token, s: u64, key: u64, hash: u32) -> Result<u64> {
    if is_sorted(w.reader(), s)? {
        return sorted::dissoc(w, token, s, key, None);
    }
    let Some(head) = head_of(w.reader(), s)? else {
        return Ok(s);
    };
    match champ::remove::<E>(w, token, head.word(ROOT), key, hash)? {
        None => Ok(s),
        Some(root) => head::put_less(w, token, SET, head, root, EMPTY_SET),
    }
}

/// Metadata of `s`, nil if it has none.
pub fn meta(r: Reader, s: u64) -> Result<u64> {
    if is_sorted(r, s)? {
        return sorted::meta(r, s);
    }
    Ok(head_of(r, s)?.map_or(NIL, |h| h.word(META)))
}

/// `s` with metadata `meta` (a map or nil).
pub fn with_meta(w: &mut Writer, s: u64, meta: u64) -> Result<u64> {
    if is_sorted(w.reader(), s)? {
        return sorted::with_meta(w, s, meta);
    }
    let head = head_of(w.reader(), s)?;
    head::put_meta(w, SET, head, meta, EMPTY_SET)
}
