//! Level 2: sorted maps and sets. The calls of maps and sets work on them too, if the order is natural or its reverse.

use super::guard::{guard, required, store};
use super::read::{open_iter, OpenEntries};
use super::slab::slab;
use super::txn::with_writer;
use super::*;
use crate::coll::sorted::{self, Comparator, Seek};
use crate::error::{Error, Result};
use std::ffi::c_void;
use std::ops::Bound;

/// Order of a sorted collection: Clojure's `compare`. The name of a comparator (a keyword or symbol) is an order, too.
pub const EVE_NATURAL: EveWord = 0;
/// Order of a sorted collection: the reverse of `compare`.
pub const EVE_REVERSE: EveWord = u64::MAX;

/// Entry sought: the key's own.
pub const EVE_SEEK_EQUAL: u32 = 0;
/// Entry sought: the last before the key.
pub const EVE_SEEK_BEFORE: u32 = 1;
/// Entry sought: the key's own, or the last before it.
pub const EVE_SEEK_AT_MOST: u32 = 2;
/// Entry sought: the key's own, or the first beyond it.
pub const EVE_SEEK_AT_LEAST: u32 = 3;
/// Entry sought: the first beyond the key.
pub const EVE_SEEK_BEYOND: u32 = 4;

/// Range: from the key `from` on.
pub const EVE_FROM: u32 = 1;
/// Range: without the key `from` itself.
pub const EVE_FROM_EXCLUDED: u32 = 2;
/// Range: up to the key `to`.
pub const EVE_TO: u32 = 4;
/// Range: without the key `to` itself.
pub const EVE_TO_EXCLUDED: u32 = 8;
/// Range: from its end to its start.
pub const EVE_BACKWARD: u32 = 16;

/// What a comparator returns when it can't compare: the call ends with EVE_E_TYPE.
pub const EVE_COMPARE_FAILED: i32 = i32::MIN;

/// Compares keys of a collection whose order has a name.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EveComparator {
    /// Below 0, 0, above 0: `a` comes before `b`, is equal, comes after it. It may read the slab, but not use the transaction of the call.
    pub compare: Option<unsafe extern "C" fn(context: *mut c_void, a: EveWord, b: EveWord) -> i32>,
    /// Its first argument.
    pub context: *mut c_void,
}

/// A part of a sorted collection: EVE_FROM and the others, or 0 for all of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EveRange {
    /// Where it starts in the collection's order, if EVE_FROM is set.
    pub from: EveWord,
    /// Where it ends, if EVE_TO is set.
    pub to: EveWord,
    /// EVE_FROM, EVE_FROM_EXCLUDED, EVE_TO, EVE_TO_EXCLUDED, EVE_BACKWARD.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

/// Runs `f` with the comparator that `by` points to, if it isn't NULL.
///
/// # Safety
/// `by` is NULL or valid, and so is its function for its context.
unsafe fn with_comparator<T>(by: *const EveComparator, f: impl FnOnce(Option<Comparator>) -> Result<T>) -> Result<T> {
    if by.is_null() {
        return f(None);
    }
    // SAFETY: the caller's promise.
    let EveComparator { compare, context } = unsafe { *by };
    let compare = compare.ok_or_else(|| Error::arg("a comparator has no function"))?;
    // SAFETY: the caller's promise.
    let mut by = |a, b| match unsafe { compare(context, a, b) } {
        EVE_COMPARE_FAILED => Err(Error::type_("the comparator can't compare two keys")),
        order => Ok(order.cmp(&0)),
    };
    f(Some(&mut by))
}

/// The empty sorted map in `order`: EVE_NATURAL, EVE_REVERSE, or a keyword or symbol that names a comparator of yours.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_sorted_map(
    txn: EveTxn,
    order: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { with_writer(txn, out, err, |w| sorted::empty_map(w, order)) }
}

/// The empty sorted set in `order`, as eve_sorted_map.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_sorted_set(
    txn: EveTxn,
    order: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { with_writer(txn, out, err, |w| sorted::empty_set(w, order)) }
}

/// The order of a sorted map or set; EVE_NOT_FOUND if the value is something else.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_sorted_order(
    slab: EveSlab,
    value: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            let s = self::slab(slab)?;
            if !sorted::is_sorted(s.reader(), value)? {
                return Ok(EVE_NOT_FOUND);
            }
            store(out, sorted::order(s.reader(), value)?)
        })
    }
}

/// eve_map_assoc or eve_set_conj (`value` is not used) on a sorted collection in any order. `by`: compares if the order has a name, else it may be NULL.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_sorted_assoc(
    txn: EveTxn,
    token: u32,
    coll: EveWord,
    key: EveWord,
    value: EveWord,
    by: *const EveComparator,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        with_writer(txn, out, err, |w| {
            with_comparator(by, |by| sorted::assoc(w, token, coll, key, value, by))
        })
    }
}

/// eve_map_dissoc or eve_set_disj on a sorted collection in any order; `by` as for eve_sorted_assoc.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_sorted_dissoc(
    txn: EveTxn,
    token: u32,
    coll: EveWord,
    key: EveWord,
    by: *const EveComparator,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        with_writer(txn, out, err, |w| {
            with_comparator(by, |by| sorted::dissoc(w, token, coll, key, by))
        })
    }
}

/// # Safety
/// Pointers are NULL or valid.
unsafe fn store_entry(entry: Option<(u64, u64)>, key: *mut EveWord, value: *mut EveWord) -> Result<EveStatus> {
    let Some((k, v)) = entry else { return Ok(EVE_NOT_FOUND) };
    for (out, word) in [(key, k), (value, v)] {
        if !out.is_null() {
            // SAFETY: the caller's promise.
            unsafe { store(out, word)? };
        }
    }
    Ok(EVE_OK)
}

/// The entry nearest to `key` as `seek` says (EVE_SEEK_...), or EVE_NOT_FOUND. `by` as for eve_sorted_assoc. Of sets `value` is nil. Either out-pointer
/// may be NULL.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_sorted_seek(
    slab: EveSlab,
    coll: EveWord,
    seek: u32,
    key: EveWord,
    by: *const EveComparator,
    found: *mut EveWord,
    value: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            let s = self::slab(slab)?;
            let r = s.reader();
            let which = match seek {
                EVE_SEEK_EQUAL => None,
                EVE_SEEK_BEFORE => Some(Seek::Before),
                EVE_SEEK_AT_MOST => Some(Seek::AtMost),
                EVE_SEEK_AT_LEAST => Some(Seek::AtLeast),
                EVE_SEEK_BEYOND => Some(Seek::Beyond),
                _ => return Err(Error::arg("unknown kind of seek")),
            };
            let entry = with_comparator(by, |by| match which {
                None => sorted::get(r, coll, key, by),
                Some(which) => sorted::seek(r, coll, which, key, by),
            })?;
            store_entry(entry, found, value)
        })
    }
}

/// The entry of rank `index`, from 0 on, or EVE_NOT_FOUND. Either out-pointer may be NULL.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_sorted_nth(
    slab: EveSlab,
    coll: EveWord,
    index: u64,
    key: *mut EveWord,
    value: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            let s = self::slab(slab)?;
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            store_entry(sorted::nth(s.reader(), coll, index)?, key, value)
        })
    }
}

/// The entries of a range: how many they are, and an iterator over them as of eve_iter_open. Either out-pointer may be NULL. `by` as for eve_sorted_assoc;
/// the iterator doesn't need it.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_sorted_range(
    slab: EveSlab,
    coll: EveWord,
    range: *const EveRange,
    by: *const EveComparator,
    count: *mut u64,
    out: *mut EveIter,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(range)?;
            let EveRange { from, to, flags, .. } = *range;
            if flags >= 2 * EVE_BACKWARD {
                return Err(Error::arg("unknown flags of a range"));
            }
            let bound = |key, set: u32, excluded: u32| match (flags & set != 0, flags & excluded != 0) {
                (false, _) => Bound::Unbounded,
                (true, false) => Bound::Included(key),
                (true, true) => Bound::Excluded(key),
            };
            let from = bound(from, EVE_FROM, EVE_FROM_EXCLUDED);
            let to = bound(to, EVE_TO, EVE_TO_EXCLUDED);
            let backward = flags & EVE_BACKWARD != 0;
            let s = self::slab(slab)?;
            let n = with_comparator(by, |by| {
                if out.is_null() {
                    return Ok(sorted::range(s.reader(), coll, from, to, backward, by)?.remaining());
                }
                let mut n = 0;
                let iter = open_iter(&s, |r| {
                    let range = sorted::range(r, coll, from, to, backward, by)?;
                    n = range.remaining();
                    Ok(OpenEntries::Range(range))
                })?;
                store(out, iter)?;
                Ok(n)
            })?;
            if !count.is_null() {
                store(count, n as u64)?;
            }
            Ok(EVE_OK)
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_constants_are_the_orders() {
        use crate::slab::layout::{NIL, ORDER_REVERSE};
        assert_eq!((super::EVE_NATURAL, super::EVE_REVERSE), (NIL, ORDER_REVERSE));
    }
}
