//! Lists: cells of a first element, the rest and the count.

use super::head::count_up;
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::slab::writer::{Writer, PERSISTENT};

pub(super) const FIRST: usize = 2;
pub(super) const REST: usize = 3;
const SIZE: usize = 32;

/// First cell of list `l`, None for the empty list. `Type` if it isn't a list.
#[inline]
pub(super) fn cell_of<'a>(r: Reader<'a>, l: u64) -> Result<Option<Node<'a>>> {
    if is_pointer(l) {
        let node = r.node(l)?;
        if node.kind() == LIST {
            return Ok(Some(node));
        }
    } else if l == EMPTY_LIST {
        return Ok(None);
    }
    Err(Error::type_("a list is needed"))
}

/// Number of elements.
pub fn count(r: Reader, l: u64) -> Result<usize> {
    Ok(cell_of(r, l)?.map_or(0, |c| c.low(1) as usize))
}

/// First element, nil of the empty list.
pub fn first(r: Reader, l: u64) -> Result<u64> {
    Ok(cell_of(r, l)?.map_or(NIL, |c| c.word(FIRST)))
}

/// The list without its first element; the empty list of the empty list.
pub fn rest(r: Reader, l: u64) -> Result<u64> {
    Ok(cell_of(r, l)?.map_or(EMPTY_LIST, |c| c.word(REST)))
}

/// Element `i`, None beyond the end. Takes `i` steps.
pub fn nth(r: Reader, l: u64, i: usize) -> Result<Option<u64>> {
    let mut at = l;
    let mut left = count(r, l)?;
    if i >= left {
        return Ok(None);
    }
    for _ in 0..i {
        at = rest(r, at)?;
        left -= 1;
        if count(r, at)? != left {
            return Err(wrong_count(at));
        }
    }
    first(r, at).map(Some)
}

pub(super) fn wrong_count(at: u64) -> Error {
    Error::corrupt("a list's cell has a wrong count", at)
}

/// `l` with `word` before its first element.
pub fn conj(w: &mut Writer, l: u64, word: u64) -> Result<u64> {
    let count = count_up(count(w.reader(), l)?)?;
    let cell = w.alloc(LIST, SIZE, None, PERSISTENT)?;
    cell.set_halves(1, count as u32, 0);
    cell.set(FIRST, word);
    cell.set(REST, l);
    Ok(cell.offset())
}

/// A list of `words`.
pub fn from_words(w: &mut Writer, words: &[u64]) -> Result<u64> {
    words.iter().rev().try_fold(EMPTY_LIST, |l, &word| conj(w, l, word))
}
