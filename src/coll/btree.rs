//! The B+tree of sorted maps and sets (`docs/format.md`, section 3): reading. `E` is the number of words of an entry, as in the trie.
//!
//! Entries lie in the leaves. A node has a child's first key beside the child: the same word that lies in the leaf, which keeps the key alive, so the node's is no
//! slot. It also has the number of entries below each child, so that a place is found by its rank as well as by its key.
//!
//! B1. All leaves stand at one depth; a node's level is one more than its children's, leaves are at 0. So a walk down ends in a damaged tree too.
//! B2. A leaf or node has at most [`WIDTH`] entries or children; one that is not on the right edge of the tree has [`LEAST`] at least; the root, if it
//!     is no leaf, has two children. On the right edge one is enough: what is appended fills the last leaf, then the next.
//! B3. Keys ascend, by the order of the head.

use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::value::compare::compare;
use std::cmp::Ordering;

/// Words of a map's entry: key and value.
pub(super) const MAP: usize = 2;
/// Words of a set's entry: the key.
pub(super) const SET: usize = 1;

/// Entries of a leaf and children of a node, as we make them. Small in this crate's own tests, so that few entries make many levels.
pub(super) const WIDTH: usize = if cfg!(test) { 5 } else { 47 };
/// Entries or children below which a node is joined with a neighbour.
pub(super) const LEAST: usize = if WIDTH / 3 < 2 { 2 } else { WIDTH / 3 };
/// Bytes of the largest leaf.
const LEAF_BYTES: usize = 8 * (FIRST + MAP * WIDTH);
/// Words of a node before its first slot.
pub(super) const FIRST: usize = 2;

/// Type of the tree's leaves.
pub(super) const fn leaf_kind(entry: usize) -> u8 {
    if entry == MAP {
        BTREE_MAP_LEAF
    } else {
        BTREE_SET_LEAF
    }
}

/// A function that compares two keys, for collections in an order that has a name.
pub type Comparator<'f> = &'f mut dyn FnMut(u64, u64) -> Result<Ordering>;

/// The order of a collection.
pub enum Order<'f> {
    /// Clojure's `compare`.
    Natural,
    /// The reverse of it.
    Reverse,
    /// What the comparator says.
    Named(Comparator<'f>),
}

impl Order<'_> {
    /// Order of the keys `a` and `b`.
    #[inline(always)]
    pub fn compare(&mut self, r: Reader, a: u64, b: u64) -> Result<Ordering> {
        match self {
            Order::Natural => compare(r, a, b),
            Order::Reverse => compare(r, b, a),
            Order::Named(f) => f(a, b),
        }
    }
}

/// What a search looks for.
pub(super) trait Probe {
    /// Where the key `word` of the tree stands to what is sought.
    fn order(&mut self, word: u64) -> Result<Ordering>;

    /// If an integer is sought in an order that is by value: its word, and what turns words so that they ascend (0, or all bits in a reverse order).
    fn integer(&self) -> Option<(u64, u64)> {
        None
    }
}

/// A key that has a word.
pub(super) struct WordProbe<'r, 'o, 'f> {
    pub(super) r: Reader<'r>,
    pub(super) key: u64,
    pub(super) order: &'o mut Order<'f>,
}

impl Probe for WordProbe<'_, '_, '_> {
    #[inline(always)]
    fn order(&mut self, word: u64) -> Result<Ordering> {
        self.order.compare(self.r, word, self.key)
    }

    #[inline(always)]
    fn integer(&self) -> Option<(u64, u64)> {
        match self.order {
            _ if self.key & 1 == 0 => None,
            Order::Natural => Some((self.key, 0)),
            Order::Reverse => Some((self.key, u64::MAX)),
            Order::Named(_) => None,
        }
    }
}

/// A node, taken apart: children from word [`FIRST`] on, then their first keys, then the numbers of entries below them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inner<'a> {
    pub(super) node: Node<'a>,
    pub(super) n: usize,
}

impl<'a> Inner<'a> {
    /// `node` as a node of a tree.
    #[inline(always)]
    pub(super) fn of(node: Node<'a>) -> Result<Inner<'a>> {
        let n = node.low(1) as usize;
        if node.kind() != BTREE_NODE || n == 0 || n > BTREE_WIDTH {
            return Err(wrong_node(node));
        }
        Ok(Inner { node, n })
    }

    pub(super) fn level(self) -> usize {
        self.node.high(1) as usize
    }

    #[inline(always)]
    pub(super) fn child(self, i: usize) -> u64 {
        self.node.word(FIRST + i)
    }

    #[inline(always)]
    pub(super) fn key(self, i: usize) -> u64 {
        self.node.word(self.keys() + i)
    }

    /// Word of the first key.
    #[inline(always)]
    fn keys(self) -> usize {
        FIRST + self.n
    }

    /// Place of the first count, in half words.
    #[inline(always)]
    fn counts(self) -> usize {
        2 * (FIRST + 2 * self.n)
    }

    /// Entries below child `i`.
    #[inline(always)]
    pub(super) fn count(self, i: usize) -> usize {
        self.node.half(self.counts() + i) as usize
    }

    /// Entries below the children before child `i`.
    fn before(self, i: usize) -> usize {
        let pair = |k: usize| self.node.word(FIRST + 2 * self.n + k);
        let pairs = (0..i / 2)
            .map(pair)
            .fold(0, |sum, w| sum + (w as u32 as usize) + (w >> 32) as usize);
        if i % 2 == 1 {
            pairs + self.count(i - 1)
        } else {
            pairs
        }
    }

    /// Child `i`, which is looked into next: the lines that hold its keys are fetched together, as a search would wait for one after the other. The levels above
    /// are in the processor's caches anyhow.
    #[inline(always)]
    pub(super) fn fetch_child(self, r: Reader, i: usize) -> u64 {
        const LOW: u32 = 2;
        let at = self.child(i);
        if self.node.high(1) <= LOW {
            r.mapping().prefetch(at, LEAF_BYTES);
        }
        at
    }

    /// The child that may hold what is sought: the last whose first key isn't beyond it, else the first.
    #[inline(always)]
    pub(super) fn way(self, probe: &mut impl Probe) -> Result<usize> {
        let (at, found) = search(self.node, self.keys(), 1, self.n, probe)?;
        Ok(if found { at } else { at.saturating_sub(1) })
    }
}

/// Words of a node of `n` children.
pub(super) const fn inner_words(n: usize) -> usize {
    FIRST + 2 * n + n.div_ceil(2)
}

/// Number of entries of a leaf.
#[inline(always)]
pub(super) fn entries<const E: usize>(leaf: Node) -> Result<usize> {
    let n = leaf.low(1) as usize;
    if leaf.kind() != leaf_kind(E) || n == 0 || n > BTREE_WIDTH {
        return Err(wrong_node(leaf));
    }
    Ok(n)
}

#[cold]
fn wrong_node(node: Node) -> Error {
    Error::corrupt(
        "a B+tree has an object of another type or of an impossible size",
        node.offset(),
    )
}

#[cold]
pub(super) fn too_deep(root: u64) -> Error {
    Error::corrupt("a B+tree is deeper than it can be", root)
}

#[cold]
pub(super) fn wrong_count(at: u64) -> Error {
    Error::corrupt("a collection's count is not the number of its elements", at)
}

/// Of `n` ascending keys, `stride` words from each other from word `first` on: the place of the first that isn't before what is sought, and whether it is that.
#[inline(always)]
pub(super) fn search(
    node: Node,
    first: usize,
    stride: usize,
    n: usize,
    probe: &mut impl Probe,
) -> Result<(usize, bool)> {
    if let Some((key, turn)) = probe.integer() {
        if let Some(found) = search_integers(node, first, stride, n, key, turn) {
            return Ok(found);
        }
    }
    search_any(node, first, stride, n, probe)
}

/// [`search`] for an integer among integers: without a branch, as a guess would be as good as none. None if another key was met.
#[inline(always)]
fn search_integers(node: Node, first: usize, stride: usize, n: usize, key: u64, turn: u64) -> Option<(usize, bool)> {
    let sought = (key ^ turn) as i64;
    let (mut at, mut left, mut all) = (first, n, key);
    while left > 1 {
        let half = left / 2;
        let word = node.word(at + half * stride);
        all &= word;
        let on = ((word ^ turn) as i64 <= sought) as usize;
        at += on.wrapping_neg() & (half * stride);
        left -= half;
    }
    let word = node.word(at);
    if all & word & 1 == 0 {
        return None;
    }
    let before = ((word ^ turn) as i64) < sought;
    Some(((at - first) / stride + before as usize, word == key))
}

#[inline(never)]
fn search_any(node: Node, first: usize, stride: usize, n: usize, probe: &mut impl Probe) -> Result<(usize, bool)> {
    let (mut from, mut to) = (0, n);
    while from < to {
        let middle = (from + to) / 2;
        match probe.order(node.word(first + stride * middle))? {
            Ordering::Less => from = middle + 1,
            Ordering::Equal => return Ok((middle, true)),
            Ordering::Greater => to = middle,
        }
    }
    Ok((from, false))
}

/// The leaf and word of the entry that is sought in the tree at `root` (0: empty).
#[inline(always)]
pub(super) fn find<'a, const E: usize>(
    r: Reader<'a>,
    root: u64,
    probe: &mut impl Probe,
) -> Result<Option<(Node<'a>, usize)>> {
    if root == 0 {
        return Ok(None);
    }
    let mut at = root;
    for _ in 0..BTREE_LEVELS {
        let node = r.node(at)?;
        if node.kind() != BTREE_NODE {
            let (i, found) = search(node, FIRST, E, entries::<E>(node)?, probe)?;
            return Ok(found.then_some((node, FIRST + E * i)));
        }
        let inner = Inner::of(node)?;
        at = inner.fetch_child(r, inner.way(probe)?);
    }
    Err(too_deep(root))
}

/// Which entry [`seek`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// The last one before the key.
    Before,
    /// The last one that isn't beyond the key.
    AtMost,
    /// The first one that isn't before the key.
    AtLeast,
    /// The first one beyond the key.
    Beyond,
}

/// The leaf and word of the entry nearest to what is sought.
pub(super) fn seek<'a, const E: usize>(
    r: Reader<'a>,
    root: u64,
    seek: Seek,
    probe: &mut impl Probe,
) -> Result<Option<(Node<'a>, usize)>> {
    if root == 0 {
        return Ok(None);
    }
    let (mut at, mut left, mut right) = (root, 0, 0);
    for _ in 0..BTREE_LEVELS {
        let node = r.node(at)?;
        if node.kind() != BTREE_NODE {
            let n = entries::<E>(node)?;
            let (i, found) = search(node, FIRST, E, n, probe)?;
            let place = |i: usize| Ok(Some((node, FIRST + E * i)));
            return match seek {
                Seek::AtMost | Seek::AtLeast if found => place(i),
                Seek::Before | Seek::AtMost if i > 0 => place(i - 1),
                Seek::Before | Seek::AtMost => edge::<E>(r, left, true),
                _ if i + (found as usize) < n => place(i + found as usize),
                _ => edge::<E>(r, right, false),
            };
        }
        let inner = Inner::of(node)?;
        let i = inner.way(probe)?;
        if i > 0 {
            left = inner.child(i - 1);
        }
        if i + 1 < inner.n {
            right = inner.child(i + 1);
        }
        at = inner.child(i);
    }
    Err(too_deep(root))
}

/// The first or last entry below `at`; None if that is 0.
fn edge<const E: usize>(r: Reader, at: u64, last: bool) -> Result<Option<(Node, usize)>> {
    if at == 0 {
        return Ok(None);
    }
    let mut node = r.node(at)?;
    for _ in 0..BTREE_LEVELS {
        if node.kind() != BTREE_NODE {
            let n = entries::<E>(node)?;
            return Ok(Some((node, FIRST + if last { E * (n - 1) } else { 0 })));
        }
        let inner = Inner::of(node)?;
        node = r.node(inner.child(if last { inner.n - 1 } else { 0 }))?;
    }
    Err(too_deep(at))
}

/// Number of entries before what is sought, and whether that is there.
pub(super) fn rank<const E: usize>(r: Reader, root: u64, probe: &mut impl Probe) -> Result<(usize, bool)> {
    if root == 0 {
        return Ok((0, false));
    }
    let (mut at, mut before) = (root, 0);
    for _ in 0..BTREE_LEVELS {
        let node = r.node(at)?;
        if node.kind() != BTREE_NODE {
            let (i, found) = search(node, FIRST, E, entries::<E>(node)?, probe)?;
            return Ok((before + i, found));
        }
        let inner = Inner::of(node)?;
        let i = inner.way(probe)?;
        before += inner.before(i);
        at = inner.child(i);
    }
    Err(too_deep(root))
}

/// Entries of a tree by rank, forwards or backwards. It yields as many as it was made for, or an error and then nothing more.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    r: Reader<'a>,
    /// Words of an entry.
    entry: usize,
    backward: bool,
    left: usize,
    /// The leaf; word of the next entry, or one entry beyond it when we go back; where the leaf ends in our direction.
    leaf: Option<Node<'a>>,
    at: usize,
    end: usize,
    /// The nodes above, and which child of each we are below.
    above: [Option<(Inner<'a>, usize)>; BTREE_LEVELS],
    depth: usize,
}

impl<'a> Range<'a> {
    /// The entries of the ranks from `from` to before `to` of the tree at `root`.
    pub(super) fn new(
        r: Reader<'a>,
        entry: usize,
        root: u64,
        from: usize,
        to: usize,
        backward: bool,
    ) -> Result<Range<'a>> {
        let left = if root == 0 { 0 } else { to.saturating_sub(from) };
        let mut range = Range {
            r,
            entry,
            backward,
            left,
            leaf: None,
            at: 0,
            end: 0,
            above: [None; BTREE_LEVELS],
            depth: 0,
        };
        if left > 0 {
            range.go_to(root, if backward { to - 1 } else { from })?;
        }
        Ok(range)
    }

    /// Number of entries still to come.
    pub fn remaining(&self) -> usize {
        self.left
    }

    /// To the entry of rank `rank` below `at`.
    fn go_to(&mut self, mut at: u64, mut rank: usize) -> Result<()> {
        while self.depth < BTREE_LEVELS {
            let node = self.r.node(at)?;
            if node.kind() != BTREE_NODE {
                return self.enter(node, Some(rank));
            }
            let inner = Inner::of(node)?;
            let mut i = 0;
            while i + 1 < inner.n && rank >= inner.count(i) {
                rank -= inner.count(i);
                i += 1;
            }
            self.push(inner, i);
            at = inner.child(i);
        }
        Err(too_deep(at))
    }

    fn push(&mut self, inner: Inner<'a>, i: usize) {
        self.above[self.depth] = Some((inner, i));
        self.depth += 1;
    }

    /// To entry `i` of a leaf; None: its first in our direction.
    fn enter(&mut self, leaf: Node<'a>, i: Option<usize>) -> Result<()> {
        let n = if self.entry == MAP {
            entries::<MAP>(leaf)?
        } else {
            entries::<SET>(leaf)?
        };
        let i = i.unwrap_or(if self.backward { n - 1 } else { 0 });
        if i >= n {
            return Err(wrong_count(leaf.offset()));
        }
        let place = |i: usize| FIRST + self.entry * i;
        (self.at, self.end) = if self.backward {
            (place(i + 1), FIRST)
        } else {
            (place(i), place(n))
        };
        self.leaf = Some(leaf);
        Ok(())
    }

    /// To the next leaf: there is one, as entries are left.
    #[inline(never)]
    fn next_leaf(&mut self) -> Result<()> {
        while self.depth > 0 {
            let Some((inner, i)) = self.above[self.depth - 1] else {
                break;
            };
            let next = if self.backward {
                i.checked_sub(1)
            } else {
                Some(i + 1).filter(|&i| i < inner.n)
            };
            self.depth -= 1;
            if let Some(i) = next {
                self.push(inner, i);
                return self.descend(inner.child(i));
            }
        }
        Err(wrong_count(self.leaf.map_or(0, |l| l.offset())))
    }

    fn descend(&mut self, mut at: u64) -> Result<()> {
        while self.depth < BTREE_LEVELS {
            let node = self.r.node(at)?;
            if node.kind() != BTREE_NODE {
                return self.enter(node, None);
            }
            let inner = Inner::of(node)?;
            let i = if self.backward { inner.n - 1 } else { 0 };
            self.push(inner, i);
            at = inner.child(i);
        }
        Err(too_deep(at))
    }

    #[inline(always)]
    pub(super) fn step(&mut self) -> Result<Option<(u64, u64)>> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.at == self.end {
            self.next_leaf()?;
        }
        let Some(leaf) = self.leaf else { return Ok(None) };
        self.left -= 1;
        let i = if self.backward {
            self.at -= self.entry;
            self.at
        } else {
            self.at += self.entry;
            self.at - self.entry
        };
        Ok(Some((
            leaf.word(i),
            if self.entry == MAP { leaf.word(i + 1) } else { 0 },
        )))
    }
}

impl Iterator for Range<'_> {
    type Item = Result<(u64, u64)>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let item = self.step().transpose();
        if let Some(Err(_)) = item {
            self.left = 0;
        }
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}
