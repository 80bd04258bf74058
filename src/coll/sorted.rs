//! Sorted maps and sets: a head with an order over a B+tree. Keys are those that compare as equal, as in Clojure.
//!
//! The order is natural ([`mod@crate::value::compare`]), its reverse, or has a name: the core can't compare then, so each operation that looks for a key takes
//! a function that does. Functions of maps and sets in general ([`super::map`], [`super::set`]) come here with sorted ones.

use super::btree::{self, Probe, WordProbe};
pub use super::btree::{Comparator, Order, Range, Seek};
use super::btree_edit::{build, insert, remove};
use super::champ::Change;
use super::head::{self, COUNT, META, ROOT};
use super::key::Wanted;
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::slab::writer::{Token, Writer, PERSISTENT};
use crate::value::compare::check_comparable;
use crate::value::word::symbol;
use crate::value::{compare, text_of};
use std::cmp::Ordering;
use std::ops::Bound;

/// Word of the order.
pub(super) const ORDER: usize = 4;
const SIZE: usize = 40;

/// Is `coll` a sorted map or set?
#[inline]
pub fn is_sorted(r: Reader, coll: u64) -> Result<bool> {
    Ok(is_pointer(coll) && is_head(r.node(coll)?.kind()))
}

#[inline]
pub(super) fn is_head(kind: u8) -> bool {
    matches!(kind, SORTED_MAP | SORTED_SET)
}

/// Head of the sorted map or set `coll`. `Type` if it is something else.
#[inline]
fn head_of<'a>(r: Reader<'a>, coll: u64) -> Result<Node<'a>> {
    if is_pointer(coll) {
        let node = r.node(coll)?;
        if is_head(node.kind()) {
            return Ok(node);
        }
    }
    Err(Error::type_("a sorted map or set is needed"))
}

/// Words of an entry.
#[inline]
pub(super) fn entry_words(head: Node) -> usize {
    if head.kind() == SORTED_MAP {
        btree::MAP
    } else {
        btree::SET
    }
}

/// What the word of a head's order says. `by` compares if the order has a name; without it that is an error.
#[inline(always)]
fn order_of<'f>(r: Reader, order: u64, by: Option<Comparator<'f>>) -> Result<Order<'f>> {
    match (order, by) {
        (NIL, _) => Ok(Order::Natural),
        (ORDER_REVERSE, _) => Ok(Order::Reverse),
        (_, Some(by)) if symbol(order).is_some() => Ok(Order::Named(by)),
        _ => Err(no_comparator(r, order)),
    }
}

#[cold]
fn no_comparator(r: Reader, order: u64) -> Error {
    match text_of(r, order) {
        Ok(name) if symbol(order).is_some() => Error::type_(format!(
            "a collection is in the order of the comparator {}, which this operation was not given",
            String::from_utf8_lossy(&name)
        )),
        _ => Error::corrupt("a sorted collection has no order", order),
    }
}

/// Is `order` nil (natural), [`ORDER_REVERSE`], or a keyword or symbol that names a comparator?
pub fn check_order(order: u64) -> Result<()> {
    if matches!(order, NIL | ORDER_REVERSE) || symbol(order).is_some() {
        return Ok(());
    }
    Err(Error::arg(
        "an order is nil, -1, or a keyword or symbol that names a comparator",
    ))
}

/// The empty sorted map in `order`: see [`check_order`].
pub fn empty_map(w: &mut Writer, order: u64) -> Result<u64> {
    empty(w, SORTED_MAP, order)
}

/// The empty sorted set in `order`.
pub fn empty_set(w: &mut Writer, order: u64) -> Result<u64> {
    empty(w, SORTED_SET, order)
}

fn empty(w: &mut Writer, kind: u8, order: u64) -> Result<u64> {
    check_order(order)?;
    put_new(w, PERSISTENT, kind, order, 0, 0)
}

fn put_new(w: &mut Writer, token: Token, kind: u8, order: u64, count: usize, root: u64) -> Result<u64> {
    let head = w.alloc(kind, SIZE, None, token)?;
    head.set_halves(COUNT, count as u32, 0);
    head.set(ROOT, root);
    head.set(META, NIL);
    head.set(ORDER, order);
    Ok(head.offset())
}

/// `old` with another tree. The hash counts as not computed.
fn put(w: &mut Writer, token: Token, old: Node, count: usize, root: u64) -> Result<u64> {
    let head = if w.editable(old, token) {
        w.edit(old, token)
    } else {
        let head = w.alloc(old.kind(), SIZE, Some(old), token)?;
        w.differs_at(head, old, ROOT);
        head.copy(META, old, META, 2);
        head
    };
    head.set_halves(COUNT, count as u32, 0);
    head.set(ROOT, root);
    Ok(head.offset())
}

/// Calls a function of the tree with the words of an entry that the head's kind has.
macro_rules! by_entry {
    ($head:expr, $f:ident, $($argument:expr),*) => {
        if $head.kind() == SORTED_MAP {
            btree::$f::<{ btree::MAP }>($($argument),*)
        } else {
            btree::$f::<{ btree::SET }>($($argument),*)
        }
    };
}

/// Number of entries.
pub fn count(r: Reader, coll: u64) -> Result<usize> {
    Ok(head::count(head_of(r, coll)?))
}

/// The word of the order: nil, [`ORDER_REVERSE`], or the comparator's name.
pub fn order(r: Reader, coll: u64) -> Result<u64> {
    Ok(head_of(r, coll)?.word(ORDER))
}

#[inline(always)]
fn entry_at(head: Node, found: Option<(Node, usize)>) -> Option<(u64, u64)> {
    let value = |node: Node, i: usize| if head.kind() == SORTED_MAP { node.word(i + 1) } else { 0 };
    found.map(|(node, i)| (node.word(i), value(node, i)))
}

/// The entry of `key`, as it lies there, and its value (0 in sets).
#[inline]
pub fn get(r: Reader, coll: u64, key: u64, by: Option<Comparator>) -> Result<Option<(u64, u64)>> {
    let head = head_of(r, coll)?;
    let mut order = order_of(r, head.word(ORDER), by)?;
    let order = &mut order;
    let probe = &mut WordProbe { r, key, order };
    Ok(entry_at(head, by_entry!(head, find, r, head.word(ROOT), probe)?))
}

/// Leaf and word of the key `wanted`, which must have a word.
pub(super) fn find_wanted<'a>(r: Reader<'a>, coll: u64, wanted: impl Wanted) -> Result<Option<(Node<'a>, usize)>> {
    let key = wanted
        .word()
        .ok_or_else(|| Error::type_("a sorted collection is not searched by hash"))?;
    let head = head_of(r, coll)?;
    let mut order = order_of(r, head.word(ORDER), None)?;
    let order = &mut order;
    let probe = &mut WordProbe { r, key, order };
    by_entry!(head, find, r, head.word(ROOT), probe)
}

struct Closure<F> {
    order: F,
    reverse: bool,
}

impl<F: FnMut(u64) -> Result<Ordering>> Probe for Closure<F> {
    fn order(&mut self, word: u64) -> Result<Ordering> {
        let order = (self.order)(word)?;
        Ok(if self.reverse { order.reverse() } else { order })
    }
}

/// The entry of a key that has no word. `order` says where a key of the collection stands to it in the natural order.
pub fn get_with(r: Reader, coll: u64, order: impl FnMut(u64) -> Result<Ordering>) -> Result<Option<(u64, u64)>> {
    let head = head_of(r, coll)?;
    let reverse = matches!(order_of(r, head.word(ORDER), None)?, Order::Reverse);
    let probe = &mut Closure { order, reverse };
    Ok(entry_at(head, by_entry!(head, find, r, head.word(ROOT), probe)?))
}

/// The map with `key` bound to `value`, or the set with `key` (`value` is not used). A key that is there already stays; what changes nothing gives
/// `coll` itself.
pub fn assoc(w: &mut Writer, token: Token, coll: u64, key: u64, value: u64, by: Option<Comparator>) -> Result<u64> {
    let r = w.reader();
    let head = head_of(r, coll)?;
    let mut order = order_of(r, head.word(ORDER), by)?;
    let root = head.word(ROOT);
    if root == 0 {
        // Nothing is there that it could fail to compare with.
        check_first(r, &mut order, key)?;
    }
    let order = &mut order;
    let (probe, entry) = (&mut WordProbe { r, key, order }, [key, value]);
    let (root, change) = if head.kind() == SORTED_MAP {
        insert::<{ btree::MAP }>(w, token, root, probe, entry)?
    } else {
        insert::<{ btree::SET }>(w, token, root, probe, entry)?
    };
    let count = match change {
        Change::None => return Ok(coll),
        Change::Replaced => head::count(head),
        Change::Added => head::count_up(head::count(head))?,
    };
    put(w, token, head, count, root)
}

fn check_first(r: Reader, order: &mut Order, key: u64) -> Result<()> {
    match order {
        Order::Named(by) => by(key, key).map(|_| ()),
        _ => check_comparable(r, key),
    }
}

/// The map or set without `key`; `coll` itself if it isn't there.
pub fn dissoc(w: &mut Writer, token: Token, coll: u64, key: u64, by: Option<Comparator>) -> Result<u64> {
    let r = w.reader();
    let head = head_of(r, coll)?;
    let mut order = order_of(r, head.word(ORDER), by)?;
    let order = &mut order;
    let (root, probe) = (head.word(ROOT), &mut WordProbe { r, key, order });
    let removed = if head.kind() == SORTED_MAP {
        remove::<{ btree::MAP }>(w, token, root, probe)?
    } else {
        remove::<{ btree::SET }>(w, token, root, probe)?
    };
    let Some(root) = removed else { return Ok(coll) };
    let left = head::count(head).wrapping_sub(1);
    if (left == 0) != (root == 0) {
        return Err(btree::wrong_count(coll));
    }
    put(w, token, head, left, root)
}

/// The entry of rank `i`; None beyond the end.
pub fn nth(r: Reader, coll: u64, i: usize) -> Result<Option<(u64, u64)>> {
    let head = head_of(r, coll)?;
    if i >= head::count(head) {
        return Ok(None);
    }
    Range::new(r, entry_words(head), head.word(ROOT), i, i + 1, false)?.step()
}

/// The entry nearest to `key` on the side that `which` says.
pub fn seek(r: Reader, coll: u64, which: Seek, key: u64, by: Option<Comparator>) -> Result<Option<(u64, u64)>> {
    let head = head_of(r, coll)?;
    let mut order = order_of(r, head.word(ORDER), by)?;
    let order = &mut order;
    let probe = &mut WordProbe { r, key, order };
    Ok(entry_at(head, by_entry!(head, seek, r, head.word(ROOT), which, probe)?))
}

/// The entries between two bounds, of which `from` comes first in the collection's order; forwards from it, or backwards from `to`. How many there are is known
/// at once: [`Range::remaining`].
pub fn range<'a>(
    r: Reader<'a>,
    coll: u64,
    from: Bound<u64>,
    to: Bound<u64>,
    backward: bool,
    mut by: Option<Comparator>,
) -> Result<Range<'a>> {
    let head = head_of(r, coll)?;
    let (root, count) = (head.word(ROOT), head::count(head));
    super::check_count(r, count, head)?;
    // The rank of the first entry beyond the bound, or of the one that the bound includes.
    let mut place = |key: u64, beyond: bool| {
        let by: Option<Comparator> = match &mut by {
            Some(by) => Some(&mut **by),
            None => None,
        };
        let mut order = order_of(r, head.word(ORDER), by)?;
        let order = &mut order;
        let probe = &mut WordProbe { r, key, order };
        let (rank, found) = by_entry!(head, rank, r, root, probe)?;
        Ok::<usize, Error>(rank + (beyond && found) as usize)
    };
    let from = match from {
        Bound::Unbounded => 0,
        Bound::Included(key) => place(key, false)?,
        Bound::Excluded(key) => place(key, true)?,
    };
    let to = match to {
        Bound::Unbounded => count,
        Bound::Included(key) => place(key, true)?,
        Bound::Excluded(key) => place(key, false)?,
    };
    Range::new(r, entry_words(head), root, from, to.min(count), backward)
}

/// All entries, for [`super::iter`].
pub(super) fn all<'a>(r: Reader<'a>, head: Node<'a>) -> Result<Range<'a>> {
    Range::new(r, entry_words(head), head.word(ROOT), 0, head::count(head), false)
}

/// A sorted map of `entries`: of equal keys the first stays, with the last value. They are fastest in ascending order. In a named order they must be
/// ascending: nobody is here to compare them.
pub fn map_of(w: &mut Writer, token: Token, order: u64, entries: Vec<[u64; 2]>) -> Result<u64> {
    of(w, token, SORTED_MAP, order, entries)
}

/// A sorted set of the first words of `entries`, as [`map_of`].
pub fn set_of(w: &mut Writer, token: Token, order: u64, entries: Vec<[u64; 2]>) -> Result<u64> {
    of(w, token, SORTED_SET, order, entries)
}

fn of(w: &mut Writer, token: Token, kind: u8, order: u64, mut entries: Vec<[u64; 2]>) -> Result<u64> {
    check_order(order)?;
    if symbol(order).is_none() {
        entries = sort(w.reader(), order, entries)?;
        if !ascend(w.reader(), order, &entries)? {
            return one_by_one(w, token, kind, order, &entries);
        }
    }
    if entries.len() > head::COUNT_MAX {
        return head::count_up(head::COUNT_MAX).map(|_| 0);
    }
    let count = entries.len();
    let root = if kind == SORTED_MAP {
        build::<{ btree::MAP }>(w, token, entries)?
    } else {
        build::<{ btree::SET }>(w, token, entries)?
    };
    put_new(w, token, kind, order, count, root)
}

/// Do the keys ascend?
fn ascend(r: Reader, order: u64, entries: &[[u64; 2]]) -> Result<bool> {
    let mut order = order_of(r, order, None)?;
    for pair in entries.windows(2) {
        if !order.compare(r, pair[0][0], pair[1][0])?.is_lt() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// For keys that no sorting brings into order: a NaN, or a double beside integers that it can't tell apart, compares as equal with keys that aren't equal.
fn one_by_one(w: &mut Writer, token: Token, kind: u8, order: u64, entries: &[[u64; 2]]) -> Result<u64> {
    let mut coll = put_new(w, token, kind, order, 0, 0)?;
    for &[key, value] in entries {
        coll = assoc(w, token, coll, key, value, None)?;
    }
    Ok(coll)
}

/// Sorts the entries and makes their keys unique.
fn sort(r: Reader, order: u64, entries: Vec<[u64; 2]>) -> Result<Vec<[u64; 2]>> {
    if let [only] = entries[..] {
        check_comparable(r, only[0])?;
    }
    if ascend(r, order, &entries)? {
        return Ok(entries);
    }
    let mut order = order_of(r, order, None)?;
    let mut entries = merge_sort(entries, |a, b| order.compare(r, a[0], b[0]))?;
    let mut failed = None;
    entries.dedup_by(|later, earlier| {
        let same = compare(r, later[0], earlier[0]).unwrap_or_else(|e| {
            failed.get_or_insert(e);
            Ordering::Less
        });
        if same.is_eq() {
            earlier[1] = later[1];
        }
        same.is_eq()
    });
    failed.map_or(Ok(entries), Err)
}

/// Stable. The standard library's sort may panic if the order isn't total, and goes on after an error.
fn merge_sort<T: Copy>(mut from: Vec<T>, mut order: impl FnMut(&T, &T) -> Result<Ordering>) -> Result<Vec<T>> {
    let (mut to, mut run) = (Vec::with_capacity(from.len()), 1);
    while run < from.len() {
        for pair in from.chunks(2 * run) {
            let (mut a, mut b) = pair.split_at(run.min(pair.len()));
            while let ([x, rest_a @ ..], [y, rest_b @ ..]) = (a, b) {
                if order(y, x)?.is_lt() {
                    to.push(*y);
                    b = rest_b;
                } else {
                    to.push(*x);
                    a = rest_a;
                }
            }
            to.extend_from_slice(a);
            to.extend_from_slice(b);
        }
        std::mem::swap(&mut from, &mut to);
        to.clear();
        run *= 2;
    }
    Ok(from)
}

/// Metadata of `coll`, nil if it has none.
pub fn meta(r: Reader, coll: u64) -> Result<u64> {
    Ok(head_of(r, coll)?.word(META))
}

/// `coll` with metadata `meta` (a map or nil). The content is the same, so a known hash stays.
pub fn with_meta(w: &mut Writer, coll: u64, meta: u64) -> Result<u64> {
    let old = head_of(w.reader(), coll)?;
    if old.word(META) == meta {
        return Ok(coll);
    }
    let head = w.alloc(old.kind(), SIZE, Some(old), PERSISTENT)?;
    head.copy(COUNT, old, COUNT, 4);
    head.set(META, meta);
    Ok(head.offset())
}

/// The map or set without all entries, in the same order, with the same metadata.
pub fn cleared(w: &mut Writer, coll: u64) -> Result<u64> {
    let old = head_of(w.reader(), coll)?;
    put(w, PERSISTENT, old, 0, 0)
}
