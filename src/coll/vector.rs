//! Vectors: a tail of 1 to 32 elements, and a tree ([`super::radix`]) of the full leaves before it.

use super::head::count_up;
use super::radix::{self, Tree, FIRST, SHIFT_MAX};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::slab::writer::{Token, Writer, PERSISTENT};

const ROOT: usize = 2;
const TAIL: usize = 3;
const META: usize = 4;
const HASH: usize = 5;
const SIZE: usize = 48;

/// What a head says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) count: usize,
    pub(super) tree: Tree,
    /// 0 in an empty vector with metadata.
    pub(super) tail: u64,
    meta: u64,
}

const EMPTY: Head = Head {
    count: 0,
    tree: radix::EMPTY,
    tail: 0,
    meta: NIL,
};

impl Head {
    /// Number of elements in the tree.
    #[inline]
    pub(super) fn tree_len(&self) -> usize {
        tree_len(self.count)
    }
}

/// Elements in the tree of a vector of `count`.
#[inline]
fn tree_len(count: usize) -> usize {
    count.saturating_sub(1) & !(VECTOR_WIDTH - 1)
}

#[inline]
fn node_of<'a>(r: Reader<'a>, v: u64) -> Result<Option<Node<'a>>> {
    if is_pointer(v) {
        let node = r.node(v)?;
        if node.kind() == VECTOR {
            return Ok(Some(node));
        }
    } else if v == EMPTY_VECTOR {
        return Ok(None);
    }
    Err(Error::type_("a vector is needed"))
}

#[inline]
fn read(node: Node) -> Head {
    let tree = Tree {
        root: node.word(ROOT),
        shift: node.high(1),
    };
    Head {
        count: node.low(1) as usize,
        tree,
        tail: node.word(TAIL),
        meta: node.word(META),
    }
}

/// Head object and content of vector `v`. `Type` if it isn't a vector.
pub(super) fn head_of<'a>(r: Reader<'a>, v: u64) -> Result<(Option<Node<'a>>, Head)> {
    let node = node_of(r, v)?;
    let head = node.map_or(EMPTY, read);
    if head.tree.shift > SHIFT_MAX || head.tree.shift % radix::BITS != 0 || head.tree.shift == 0 {
        return Err(Error::corrupt("a vector has an impossible shift", v));
    }
    Ok((node, head))
}

fn put(w: &mut Writer, token: Token, old: Option<Node>, h: Head) -> Result<u64> {
    let node = match old {
        Some(n) if w.editable(n, token) => w.edit(n, token),
        Some(n) => {
            let copy = w.alloc(VECTOR, SIZE, old, token)?;
            match (
                n.word(ROOT) == h.tree.root,
                n.word(TAIL) == h.tail,
                n.word(META) == h.meta,
            ) {
                (true, _, true) => w.differs_at(copy, n, TAIL),
                (_, true, true) => w.differs_at(copy, n, ROOT),
                _ => {}
            }
            copy
        }
        None => w.alloc(VECTOR, SIZE, old, token)?,
    };
    node.set_halves(1, h.count as u32, h.tree.shift);
    node.set(ROOT, h.tree.root);
    node.set(TAIL, h.tail);
    node.set(META, h.meta);
    node.set(HASH, 0);
    Ok(node.offset())
}

/// The elements of a short vector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf<'a> {
    node: Node<'a>,
    /// How many they are.
    pub(crate) len: usize,
}

impl Leaf<'_> {
    /// Element `i`.
    #[inline]
    pub(crate) fn get(&self, i: usize) -> u64 {
        self.node.word(radix::FIRST + i)
    }
}

/// The elements of the vector `v`, if they lie in one node.
#[inline]
pub(crate) fn only_leaf<'a>(r: Reader<'a>, v: u64) -> Result<Option<Leaf<'a>>> {
    let (_, h) = head_of(r, v)?;
    if h.count == 0 || h.count > VECTOR_WIDTH {
        return Ok(None);
    }
    let node = r.node_of(h.tail, VECTOR_NODE)?;
    Ok(Some(Leaf { node, len: h.count }))
}

/// Number of elements.
#[inline]
pub fn count(r: Reader, v: u64) -> Result<usize> {
    Ok(node_of(r, v)?.map_or(0, |n| n.low(1) as usize))
}

/// Element `i`, None beyond the end.
#[inline]
pub fn nth(r: Reader, v: u64, i: usize) -> Result<Option<u64>> {
    let Some(node) = node_of(r, v)? else { return Ok(None) };
    let count = node.low(1) as usize;
    if i >= count {
        return Ok(None);
    }
    let start = tree_len(count);
    if i >= start {
        return Ok(Some(r.node(node.word(TAIL))?.word(FIRST + i - start)));
    }
    let tree = Tree {
        root: node.word(ROOT),
        shift: node.high(1),
    };
    Ok(Some(radix::leaf(r, tree, i)?.word(FIRST + i % VECTOR_WIDTH)))
}

/// The tail, checked against the count.
fn tail<'a>(r: Reader<'a>, h: &Head) -> Result<Node<'a>> {
    let tail = r.node_of(h.tail, VECTOR_NODE)?;
    if radix::used(tail)? != h.count - h.tree_len() {
        return Err(Error::corrupt(
            "a vector's tail has another length than its count says",
            h.tail,
        ));
    }
    Ok(tail)
}

/// `v` with `word` at its end.
pub fn conj(w: &mut Writer, token: Token, v: u64, word: u64) -> Result<u64> {
    let r = w.reader();
    let (node, mut h) = head_of(r, v)?;
    let count = count_up(h.count)?;
    if h.count > 0 && h.count - h.tree_len() < VECTOR_WIDTH {
        h.tail = radix::push(w, token, tail(r, &h)?, word)?;
    } else {
        if h.count > 0 {
            let full = tail(r, &h)?.offset();
            h.tree = radix::push_leaf(w, token, h.tree, h.tree_len(), full)?;
        }
        let tail = radix::alloc(w, token, None, 1)?;
        tail.set(FIRST, word);
        h.tail = tail.offset();
    }
    put(w, token, node, Head { count, ..h })
}

/// `v` with element `i` replaced by `word`; `v` itself if it is that already. `Arg` beyond the end.
pub fn assoc(w: &mut Writer, token: Token, v: u64, i: usize, word: u64) -> Result<u64> {
    let r = w.reader();
    let (node, mut h) = head_of(r, v)?;
    if i >= h.count {
        return Err(Error::arg("the index is beyond the vector's end"));
    }
    if nth(r, v, i)? == Some(word) {
        return Ok(v);
    }
    if i >= h.tree_len() {
        h.tail = radix::set(w, token, tail(r, &h)?, i - h.tree_len(), word)?;
    } else {
        h.tree.root = radix::assoc(w, token, h.tree, i, word)?;
    }
    put(w, token, node, h)
}

/// `v` without its last element. `Arg` if it is empty.
pub fn pop(w: &mut Writer, token: Token, v: u64) -> Result<u64> {
    let r = w.reader();
    let (node, mut h) = head_of(r, v)?;
    let Some(node) = node.filter(|_| h.count > 0) else {
        return Err(Error::arg("the vector is empty"));
    };
    let last = tail(r, &h)?;
    let len = h.tree_len();
    h.count -= 1;
    if h.count > len {
        h.tail = radix::pop(w, token, last)?;
        return put(w, token, Some(node), h);
    }
    if h.count > 0 {
        (h.tree, h.tail) = radix::pop_leaf(w, token, h.tree, len)?;
        let v = put(w, token, Some(node), h)?;
        w.free_if_editable(last, token);
        return Ok(v);
    }
    let empty = if h.meta == NIL {
        EMPTY_VECTOR
    } else {
        put(w, token, Some(node), Head { meta: h.meta, ..EMPTY })?
    };
    w.free_if_editable(last, token);
    if empty == EMPTY_VECTOR {
        w.free_if_editable(node, token);
    }
    Ok(empty)
}

/// A vector of `words`, every node as large as it need be.
pub fn from_words(w: &mut Writer, words: &[u64]) -> Result<u64> {
    if words.is_empty() {
        return Ok(EMPTY_VECTOR);
    }
    count_up(words.len() - 1)?;
    let (full, rest) = words.split_at(tree_len(words.len()));
    let tree = radix::build(w, full)?;
    let tail = radix::make(w, rest)?;
    put(
        w,
        PERSISTENT,
        None,
        Head {
            count: words.len(),
            tree,
            tail,
            meta: NIL,
        },
    )
}

/// Metadata of `v`, nil if it has none.
pub fn meta(r: Reader, v: u64) -> Result<u64> {
    Ok(node_of(r, v)?.map_or(NIL, |n| n.word(META)))
}

/// `v` with metadata `meta` (a map or nil).
pub fn with_meta(w: &mut Writer, v: u64, meta: u64) -> Result<u64> {
    let (node, h) = head_of(w.reader(), v)?;
    if h.meta == meta {
        return Ok(v);
    }
    if h.count == 0 && meta == NIL {
        return Ok(EMPTY_VECTOR);
    }
    let new = put(w, PERSISTENT, node, Head { meta, ..h })?;
    if let Some(old) = node {
        // The content is the same, so a known hash stays.
        w.memory().map.node_mut(new).set(HASH, old.word(HASH));
    }
    Ok(new)
}
