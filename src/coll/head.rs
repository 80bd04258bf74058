//! Heads of maps and sets with a trie: count, hash, root, meta.

use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::Node;
use crate::slab::writer::{Token, Writer};

/// Word of count and hash, in array maps too.
pub(super) const COUNT: usize = 1;
/// Word of the root.
pub(super) const ROOT: usize = 2;
/// Word of the metadata.
pub(super) const META: usize = 3;
const SIZE: usize = 32;
/// Elements of a collection, at most: Clojure counts with an int.
pub(super) const COUNT_MAX: usize = i32::MAX as usize;

/// Number of elements.
#[inline]
pub(super) fn count(head: Node) -> usize {
    head.low(COUNT) as usize
}

/// One more than `count`.
#[inline]
pub(super) fn count_up(count: usize) -> Result<usize> {
    if count >= COUNT_MAX {
        return Err(Error::limit("a collection has more than 2147483647 elements"));
    }
    Ok(count + 1)
}

/// A head of type `kind`, in the place of `old` if there is one. The hash counts as not computed.
#[inline]
pub(super) fn put(
    w: &mut Writer,
    token: Token,
    kind: u8,
    old: Option<Node>,
    count: usize,
    root: u64,
    meta: u64,
) -> Result<u64> {
    let head = match old {
        Some(n) if w.editable(n, token) => w.edit(n, token),
        Some(n) if n.word(META) == meta => {
            let copy = w.alloc(kind, SIZE, old, token)?;
            w.differs_at(copy, n, ROOT);
            copy
        }
        _ => w.alloc(kind, SIZE, old, token)?,
    };
    head.set_halves(COUNT, count as u32, 0);
    head.set(ROOT, root);
    head.set(META, meta);
    Ok(head.offset())
}

/// The head after an element went: `old` with the trie `root`, or `empty` when nothing is left to say.
pub(super) fn put_less(w: &mut Writer, token: Token, kind: u8, old: Node, root: u64, empty: u64) -> Result<u64> {
    let left = count(old).wrapping_sub(1);
    if (left == 0) != (root == 0) {
        return Err(Error::corrupt(
            "a collection's count is not the number of its elements",
            old.offset(),
        ));
    }
    let meta = old.word(META);
    if left == 0 && meta == NIL {
        w.free_if_editable(old, token);
        return Ok(empty);
    }
    put(w, token, kind, Some(old), left, root, meta)
}

/// `old` (None: the empty constant) with other metadata. The content is the same, so a known hash stays.
pub(super) fn put_meta(w: &mut Writer, kind: u8, old: Option<Node>, meta: u64, empty: u64) -> Result<u64> {
    let Some(n) = old else {
        return if meta == NIL {
            Ok(empty)
        } else {
            put(w, 0, kind, None, 0, 0, meta)
        };
    };
    if n.word(META) == meta {
        return Ok(n.offset());
    }
    if count(n) == 0 && meta == NIL {
        return Ok(empty);
    }
    let head = w.alloc(kind, SIZE, old, 0)?;
    head.copy(COUNT, n, COUNT, 2);
    head.set(META, meta);
    Ok(head.offset())
}
