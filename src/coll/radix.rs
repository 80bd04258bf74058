//! The trie of vectors: 32 places a node, by the bits of the index. Leaves are full; a node has as many children as its elements need.
//!
//! A tree is a root and its shift: 5 when the root's children are leaves. The empty tree is root 0, shift 5.

use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, NodeMut, Reader};
use crate::slab::writer::{Token, Writer, PERSISTENT};

/// Word of a node's first element or child.
pub(super) const FIRST: usize = 2;
/// Bits of the index that a level takes.
pub(super) const BITS: u32 = 5;
/// Levels of inner nodes, at most: with the tail enough for any u32 count.
const LEVELS: usize = 6;
/// Highest shift.
pub(super) const SHIFT_MAX: u32 = LEVELS as u32 * BITS;

/// Root and shift.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tree {
    pub(super) root: u64,
    pub(super) shift: u32,
}

/// The empty tree.
pub(super) const EMPTY: Tree = Tree { root: 0, shift: BITS };

fn corrupt(node: Node) -> Error {
    Error::corrupt("a vector's tree has another shape than its count says", node.offset())
}

#[inline]
fn place(i: usize, shift: u32) -> usize {
    i >> shift & (VECTOR_WIDTH - 1)
}

/// Number of elements or children of `node`.
#[inline]
pub(super) fn used(node: Node) -> Result<usize> {
    let n = node.low(1) as usize;
    if n == 0 || n > VECTOR_WIDTH {
        return Err(corrupt(node));
    }
    Ok(n)
}

/// The leaf of element `i`, which the tree has.
#[inline]
pub(super) fn leaf<'a>(r: Reader<'a>, t: Tree, i: usize) -> Result<Node<'a>> {
    let mut node = r.node(t.root)?;
    let mut shift = t.shift.min(SHIFT_MAX);
    while shift >= BITS {
        node = r.node(node.word(FIRST + place(i, shift)))?;
        shift -= BITS;
    }
    Ok(node)
}

/// A node for `used` words; a transient's has room for all it can get.
#[inline]
pub(super) fn alloc(w: &mut Writer, token: Token, origin: Option<Node>, used: usize) -> Result<NodeMut> {
    let cap = if token == PERSISTENT { used } else { VECTOR_WIDTH };
    let node = w.alloc(VECTOR_NODE, (FIRST + cap) * 8, origin, token)?;
    node.set_halves(1, used as u32, cap as u32);
    Ok(node)
}

/// `node` with word `i` of its elements replaced.
pub(super) fn set<'a>(w: &mut Writer<'a>, token: Token, node: Node<'a>, i: usize, word: u64) -> Result<u64> {
    if w.editable(node, token) {
        w.edit(node, token).set(FIRST + i, word);
        return Ok(node.offset());
    }
    let n = used(node)?;
    let new = alloc(w, token, Some(node), n)?;
    w.differs_at(new, node, FIRST + i);
    new.copy(FIRST, node, FIRST, n);
    new.set(FIRST + i, word);
    Ok(new.offset())
}

/// `node` with one more element.
#[inline]
pub(super) fn push<'a>(w: &mut Writer<'a>, token: Token, node: Node<'a>, word: u64) -> Result<u64> {
    let n = used(node)?;
    if n == VECTOR_WIDTH {
        return Err(corrupt(node));
    }
    if w.editable(node, token) && n < node.high(1) as usize {
        let to = w.edit(node, token);
        to.set(FIRST + n, word);
        to.set_halves(1, n as u32 + 1, node.high(1));
        return Ok(node.offset());
    }
    let new = alloc(w, token, Some(node), n + 1)?;
    new.copy(FIRST, node, FIRST, n);
    new.set(FIRST + n, word);
    w.free_if_editable(node, token);
    Ok(new.offset())
}

/// `node`, of two elements at least, without the last.
pub(super) fn pop<'a>(w: &mut Writer<'a>, token: Token, node: Node<'a>) -> Result<u64> {
    let n = used(node)? - 1;
    if n == 0 {
        return Err(corrupt(node));
    }
    if w.editable(node, token) {
        w.edit(node, token).set_halves(1, n as u32, node.high(1));
        return Ok(node.offset());
    }
    let new = alloc(w, token, Some(node), n)?;
    new.copy(FIRST, node, FIRST, n);
    Ok(new.offset())
}

/// The way down to a node: the nodes above it, and the place in each.
struct Path<'a> {
    steps: [Option<(Node<'a>, usize)>; LEVELS + 1],
    len: usize,
}

impl<'a> Path<'a> {
    fn new() -> Path<'a> {
        Path {
            steps: [None; LEVELS + 1],
            len: 0,
        }
    }

    fn push(&mut self, node: Node<'a>, i: usize) -> Result<()> {
        *self.steps.get_mut(self.len).ok_or(corrupt(node))? = Some((node, i));
        self.len += 1;
        Ok(())
    }

    fn pop(&mut self) -> Option<(Node<'a>, usize)> {
        self.len = self.len.checked_sub(1)?;
        self.steps[self.len]
    }

    /// Hangs `new` where the path ends; gives the root.
    fn climb(mut self, w: &mut Writer<'a>, token: Token, root: u64, mut new: u64) -> Result<u64> {
        while let Some((node, i)) = self.pop() {
            if node.word(FIRST + i) == new {
                return Ok(root);
            }
            new = set(w, token, node, i, new)?;
        }
        Ok(new)
    }
}

/// The inner node at `word`, and its number of children.
fn inner<'a>(r: Reader<'a>, word: u64) -> Result<(Node<'a>, usize)> {
    let node = r.node_of(word, VECTOR_NODE)?;
    Ok((node, used(node)?))
}

/// The tree with element `i` replaced.
pub(super) fn assoc(w: &mut Writer, token: Token, t: Tree, i: usize, word: u64) -> Result<u64> {
    let r = w.reader();
    let mut path = Path::new();
    let mut at = t.root;
    let mut shift = t.shift;
    loop {
        let (node, n) = inner(r, at)?;
        let p = if shift >= BITS { place(i, shift) } else { place(i, 0) };
        if p >= n {
            return Err(corrupt(node));
        }
        if shift < BITS {
            if node.word(FIRST + p) == word {
                return Ok(t.root);
            }
            let new = set(w, token, node, p, word)?;
            return path.climb(w, token, t.root, new);
        }
        path.push(node, p)?;
        at = node.word(FIRST + p);
        shift -= BITS;
    }
}

/// The tree, which has `len` elements, with one more full `leaf`.
pub(super) fn push_leaf(w: &mut Writer, token: Token, t: Tree, len: usize, leaf: u64) -> Result<Tree> {
    if t.root == 0 {
        return Ok(Tree {
            root: chain(w, token, BITS, leaf)?,
            shift: BITS,
        });
    }
    if t.shift > SHIFT_MAX {
        return Err(Error::corrupt("a vector's tree is too high", t.root));
    }
    if len >> t.shift >= VECTOR_WIDTH {
        let second = chain(w, token, t.shift, leaf)?;
        let root = alloc(w, token, None, 2)?;
        root.set(FIRST, t.root);
        root.set(FIRST + 1, second);
        return Ok(Tree {
            root: root.offset(),
            shift: t.shift + BITS,
        });
    }
    let r = w.reader();
    let mut path = Path::new();
    let mut at = t.root;
    let mut shift = t.shift;
    loop {
        let (node, n) = inner(r, at)?;
        let p = place(len, shift);
        if p > n || shift < BITS {
            return Err(corrupt(node));
        }
        if p == n {
            let child = chain(w, token, shift - BITS, leaf)?;
            let new = push(w, token, node, child)?;
            return Ok(Tree {
                root: path.climb(w, token, t.root, new)?,
                ..t
            });
        }
        path.push(node, p)?;
        at = node.word(FIRST + p);
        shift -= BITS;
    }
}

/// `leaf` below nodes with one child, the highest at `shift`.
fn chain(w: &mut Writer, token: Token, shift: u32, leaf: u64) -> Result<u64> {
    let mut child = leaf;
    for _ in 0..shift / BITS {
        let node = alloc(w, token, None, 1)?;
        node.set(FIRST, child);
        child = node.offset();
    }
    Ok(child)
}

/// The tree, which has `len` elements, without its last leaf; and that leaf.
pub(super) fn pop_leaf(w: &mut Writer, token: Token, t: Tree, len: usize) -> Result<(Tree, u64)> {
    let r = w.reader();
    let last = len - VECTOR_WIDTH;
    let mut path = Path::new();
    let mut at = t.root;
    let mut shift = t.shift;
    while shift >= BITS {
        let (node, n) = inner(r, at)?;
        let p = place(last, shift);
        if p + 1 != n {
            return Err(corrupt(node));
        }
        path.push(node, p)?;
        at = node.word(FIRST + p);
        shift -= BITS;
    }
    let leaf = at;
    // Nodes of which the leaf was all go with it.
    let mut dropped = [None; LEVELS + 1];
    let mut n = 0;
    let tree = loop {
        let Some((node, p)) = path.pop() else { break EMPTY };
        if p == 0 {
            dropped[n] = Some(node);
            n += 1;
        } else if path.len == 0 && p == 1 && t.shift > BITS {
            dropped[n] = Some(node);
            break Tree {
                root: node.word(FIRST),
                shift: t.shift - BITS,
            };
        } else {
            let new = pop(w, token, node)?;
            break Tree {
                root: path.climb(w, token, t.root, new)?,
                ..t
            };
        }
    };
    for node in dropped.iter().flatten() {
        w.free_if_editable(*node, token);
    }
    Ok((tree, leaf))
}

/// A tree of `words`, whose number is a multiple of the width, with nodes as large as they need be.
pub(super) fn build(w: &mut Writer, words: &[u64]) -> Result<Tree> {
    if words.is_empty() {
        return Ok(EMPTY);
    }
    let mut level = nodes(w, words)?;
    let mut shift = 0;
    while level.len() > 1 || shift == 0 {
        level = nodes(w, &level)?;
        shift += BITS;
    }
    Ok(Tree { root: level[0], shift })
}

/// Nodes that hold `words`, each as many as fit.
fn nodes(w: &mut Writer, words: &[u64]) -> Result<Vec<u64>> {
    words.chunks(VECTOR_WIDTH).map(|chunk| make(w, chunk)).collect()
}

/// A node of these words.
pub(super) fn make(w: &mut Writer, words: &[u64]) -> Result<u64> {
    let node = alloc(w, PERSISTENT, None, words.len())?;
    for (i, &word) in words.iter().enumerate() {
        node.set(FIRST + i, word);
    }
    Ok(node.offset())
}
