//! Collections: maps, sets, vectors and lists as `docs/format.md` lays them out.
//!
//! Every operation takes words and gives words. A collection never changes: an operation copies the nodes on the path to what it changes and
//! shares the rest. With an edit token it is a step of a *transient*: nodes and heads that an earlier step with the same token made are changed
//! in place, and the word that comes back may be the one that went in. So the word given to such a step must not be used any more, only the
//! one that comes back; and as long as steps with a token go on, the collection must not be put into others or changed without it.
//! After an error a transient may be half changed.
//!
//! K1. A map, set or vector that is empty and has no metadata is a constant, but for sorted ones, which have an order. A map of 1 to 8 entries is an array map, or a trie that has shrunk.
//! K2. Tries are canonical: below the root a node without children has two entries or more. So equal contents have tries of equal shape.
//! K3. A node that carries a token hangs below nodes that carry the same one, up to the head: whoever may edit a node may edit its parents.
//! K4. A step frees the nodes with its token that it replaces: what a transient has made is reachable from its word, or freed.
//! K5. Look-ups and iteration end on any bytes: depth is bounded, and steps are counted against the count of the head.
//!
//! Equality and hash are [`crate::value`]'s. Equal values have equal hashes; `hash` arguments must be [`crate::value::hash_word`] of the key.

mod btree;
mod btree_edit;
pub mod champ;
pub mod check;
mod head;
pub mod iter;
pub mod key;
pub mod list;
pub mod lookup;
pub mod map;
mod radix;
pub mod set;
pub mod sorted;
pub mod vector;

#[cfg(test)]
mod tests;

pub use check::check;

use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::value::{hash_word, word};

#[cold]
fn not_a_collection() -> Error {
    Error::type_("a map, set, vector or list is needed")
}

/// A count that the slab has no room for would make a walk of a damaged collection, whose nodes are met again and again, endless.
fn check_count(r: Reader, count: usize, node: Node) -> Result<()> {
    if count as u64 > r.mapping().backed() / size_of::<u64>() as u64 {
        return Err(Error::corrupt(
            "a collection's count is larger than the slab",
            node.offset(),
        ));
    }
    Ok(())
}

/// Number of elements or entries; 0 for nil. `Type` if `coll` isn't a collection.
pub fn count(r: Reader, coll: u64) -> Result<usize> {
    if !is_pointer(coll) {
        return match coll {
            NIL | EMPTY_MAP | EMPTY_SET | EMPTY_VECTOR | EMPTY_LIST => Ok(0),
            _ => Err(not_a_collection()),
        };
    }
    match r.node(coll)?.kind() {
        MAP | ARRAY_MAP => map::count(r, coll),
        SET => set::count(r, coll),
        SORTED_MAP | SORTED_SET => sorted::count(r, coll),
        VECTOR => vector::count(r, coll),
        LIST => list::count(r, coll),
        _ => Err(not_a_collection()),
    }
}

/// Clojure's `get`: value under a map's key, a set's element, a vector's element by integer; None for anything else.
#[inline]
pub fn get(r: Reader, coll: u64, key: u64) -> Result<Option<u64>> {
    if !is_pointer(coll) {
        return Ok(None);
    }
    match r.node(coll)?.kind() {
        MAP | ARRAY_MAP => map::get(r, coll, key, hash_word(r, key)?),
        SET => set::get(r, coll, key, hash_word(r, key)?),
        SORTED_MAP => Ok(sorted::get(r, coll, key, None)?.map(|e| e.1)),
        SORTED_SET => Ok(sorted::get(r, coll, key, None)?.map(|e| e.0)),
        VECTOR => match word::int(key).and_then(|i| usize::try_from(i).ok()) {
            Some(i) => vector::nth(r, coll, i),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Element `i` of a vector or list, None beyond its end. In a list this takes `i` steps.
pub fn nth(r: Reader, coll: u64, i: u64) -> Result<Option<u64>> {
    let Ok(i) = usize::try_from(i) else { return Ok(None) };
    if coll == EMPTY_LIST || (is_pointer(coll) && r.node(coll)?.kind() == LIST) {
        return list::nth(r, coll, i);
    }
    vector::nth(r, coll, i)
}
