//! The B+tree of sorted maps and sets: changing. A change copies the path to its leaf, or changes its nodes in place if the token made them, as in the trie.
//!
//! What doesn't fit is split in half; at the tree's end the full node stays as it is, and what comes goes into a new one, so that ascending keys fill their
//! leaves. What has become too small is joined with a neighbour. Nodes that a step replaces are freed when nothing can fail any more.

use super::btree::*;
use super::champ::{Change, Edit};
use crate::error::Result;
use crate::slab::layout::{BTREE_LEVELS, BTREE_NODE, BTREE_WIDTH};
use crate::slab::mapping::{Node, NodeMut};
use crate::slab::writer::{Token, Writer};

/// A node as its parent knows it.
#[derive(Clone, Copy, Debug, Default)]
struct Child {
    at: u64,
    /// Its first key.
    key: u64,
    /// Entries below it.
    count: u32,
}

/// More than two nodes have.
const ROOM: usize = 2 * BTREE_WIDTH + 1;

/// The content of a leaf, or of two.
struct Entries<const E: usize> {
    words: [u64; MAP * ROOM],
    len: usize,
}

impl<const E: usize> Entries<E> {
    fn new() -> Entries<E> {
        Entries {
            words: [0; MAP * ROOM],
            len: 0,
        }
    }

    fn add(&mut self, leaf: Node) -> Result<()> {
        for i in 0..E * entries::<E>(leaf)? {
            self.words[self.len] = leaf.word(FIRST + i);
            self.len += 1;
        }
        Ok(())
    }

    fn insert(&mut self, i: usize, entry: [u64; MAP]) {
        self.words.copy_within(E * i..self.len, E * (i + 1));
        self.words[E * i..E * (i + 1)].copy_from_slice(&entry[..E]);
        self.len += E;
    }

    fn remove(&mut self, i: usize) {
        self.words.copy_within(E * (i + 1)..self.len, E * i);
        self.len -= E;
    }
}

/// The content of a node, or of two.
struct Children {
    all: [Child; ROOM],
    n: usize,
}

impl Children {
    fn of(inner: Inner) -> Children {
        let mut children = Children {
            all: [Child::default(); ROOM],
            n: 0,
        };
        children.add(inner);
        children
    }

    fn add(&mut self, inner: Inner) {
        for i in 0..inner.n {
            self.all[self.n] = Child {
                at: inner.child(i),
                key: inner.key(i),
                count: inner.count(i) as u32,
            };
            self.n += 1;
        }
    }

    fn insert(&mut self, i: usize, child: Child) {
        self.all.copy_within(i..self.n, i + 1);
        self.all[i] = child;
        self.n += 1;
    }

    fn remove(&mut self, i: usize) {
        self.all.copy_within(i + 1..self.n, i);
        self.n -= 1;
    }

    fn as_slice(&self) -> &[Child] {
        &self.all[..self.n]
    }
}

/// The way down to a leaf.
struct Path<'a> {
    steps: [Option<(Inner<'a>, usize)>; BTREE_LEVELS],
    len: usize,
}

impl<'a> Path<'a> {
    fn pop(&mut self) -> Option<(Inner<'a>, usize)> {
        self.len = self.len.checked_sub(1)?;
        self.steps[self.len]
    }

    fn last(&self) -> Option<(Inner<'a>, usize)> {
        self.steps[..self.len].last().copied().flatten()
    }

    /// Is it the way to the tree's last leaf?
    fn is_right_edge(&self) -> bool {
        self.steps[..self.len]
            .iter()
            .flatten()
            .all(|(inner, i)| i + 1 == inner.n)
    }
}

/// Nodes that one change replaces, at most: two a level, and roots that have one child left.
const DROPPED: usize = 3 * BTREE_LEVELS + 2;

/// One change of a tree.
struct Edits<'w, 'a> {
    w: &'w mut Writer<'a>,
    token: Token,
    dropped: [Option<Node<'a>>; DROPPED],
    n: usize,
}

impl<'w, 'a> Edits<'w, 'a> {
    fn new(w: &'w mut Writer<'a>, token: Token) -> Edits<'w, 'a> {
        Edits {
            w,
            token,
            dropped: [None; DROPPED],
            n: 0,
        }
    }

    fn drop_node(&mut self, node: Node<'a>) {
        self.dropped[self.n] = Some(node);
        self.n += 1;
    }

    /// The change is made: frees what it has replaced.
    fn finish(self) {
        for node in self.dropped[..self.n].iter().flatten() {
            self.w.free_if_editable(*node, self.token);
        }
    }

    /// A new object of `words` words, with garbage in them, instead of `from`. Never `from` itself: a later step of the change may find no room, and then
    /// the tree must be what it was.
    fn target(&mut self, kind: u8, words: usize, from: Option<Node<'a>>) -> Result<NodeMut> {
        let to = self
            .w
            .alloc(kind, Writer::roomy(words * 8, self.token), from, self.token)?;
        from.into_iter().for_each(|node| self.drop_node(node));
        Ok(to)
    }

    fn put_leaf<const E: usize>(&mut self, from: Option<Node<'a>>, words: &[u64]) -> Result<Child> {
        let to = self.target(leaf_kind(E), FIRST + words.len(), from)?;
        let n = (words.len() / E) as u32;
        to.set_halves(1, n, 0);
        words.iter().enumerate().for_each(|(i, &word)| to.set(FIRST + i, word));
        Ok(Child {
            at: to.offset(),
            key: words[0],
            count: n,
        })
    }

    fn put_inner(&mut self, from: Option<Node<'a>>, level: usize, children: &[Child]) -> Result<Child> {
        let n = children.len();
        let to = self.target(BTREE_NODE, inner_words(n), from)?;
        to.set_halves(1, n as u32, level as u32);
        if n % 2 == 1 {
            to.set(inner_words(n) - 1, 0);
        }
        let mut count = 0u32;
        for (i, child) in children.iter().enumerate() {
            to.set(FIRST + i, child.at);
            to.set(FIRST + n + i, child.key);
            to.set_half(2 * (FIRST + 2 * n) + i, child.count);
            count = count.wrapping_add(child.count);
        }
        Ok(Child {
            at: to.offset(),
            key: children[0].key,
            count,
        })
    }

    /// `inner` with another child, or the same one changed, at `i`.
    fn replace(&mut self, inner: Inner<'a>, i: usize, child: Child) -> Result<u64> {
        let Inner { node, n } = inner;
        let to = if self.w.editable(node, self.token) {
            self.w.edit(node, self.token)
        } else {
            let words = inner_words(n);
            let to = self.w.alloc(BTREE_NODE, words * 8, Some(node), self.token)?;
            self.w.differs_at(to, node, FIRST + i);
            to.copy(1, node, 1, words - 1);
            to
        };
        to.set(FIRST + i, child.at);
        to.set(FIRST + n + i, child.key);
        to.set_half(2 * (FIRST + 2 * n) + i, child.count);
        Ok(to.offset())
    }

    /// Hangs the child `at`, whose first key is `key`, where the path ends; it has `more` entries more than before. Gives the root.
    fn climb(&mut self, mut path: Path<'a>, mut at: u64, mut key: u64, more: i32) -> Result<u64> {
        while let Some((inner, i)) = path.pop() {
            let count = (inner.count(i) as u32).wrapping_add_signed(more);
            at = self.replace(inner, i, Child { at, key, count })?;
            key = if i == 0 { key } else { inner.key(0) };
        }
        Ok(at)
    }
}

/// The way to the leaf of what is sought in the tree at `root`, the leaf, the place there, and whether it is there.
#[inline(always)]
fn descend<'a, const E: usize>(
    w: &Writer<'a>,
    root: u64,
    probe: &mut impl Probe,
) -> Result<(Path<'a>, Node<'a>, usize, bool)> {
    let r = w.reader();
    let mut path = Path {
        steps: [None; BTREE_LEVELS],
        len: 0,
    };
    let mut at = root;
    while path.len < BTREE_LEVELS {
        let node = r.node(at)?;
        if node.kind() != BTREE_NODE {
            let (i, found) = search(node, FIRST, E, entries::<E>(node)?, probe)?;
            return Ok((path, node, i, found));
        }
        let inner = Inner::of(node)?;
        let i = inner.way(probe)?;
        path.steps[path.len] = Some((inner, i));
        path.len += 1;
        at = inner.fetch_child(r, i);
    }
    Err(too_deep(root))
}

/// Root of the tree with the entry in it; a key that is already there stays, with the new value.
pub(super) fn insert<const E: usize>(
    w: &mut Writer,
    token: Token,
    root: u64,
    probe: &mut impl Probe,
    entry: [u64; MAP],
) -> Result<(u64, Change)> {
    if root == 0 {
        let leaf = Edits::new(w, token).put_leaf::<E>(None, &entry[..E])?;
        return Ok((leaf.at, Change::Added));
    }
    let (path, leaf, i, found) = descend::<E>(w, root, probe)?;
    let n = entries::<E>(leaf)?;
    let words = FIRST + E * n;
    let at = FIRST + E * i;
    if found {
        if E == SET || leaf.word(at + 1) == entry[1] {
            return Ok((root, Change::None));
        }
        let edit = Edit::new(w, token, leaf, words, words, words)?;
        edit.set_only(w, at + 1, entry[1]);
        edit.to.set(1, n as u64);
        let new = edit.done(w);
        if new == leaf.offset() {
            return Ok((root, Change::Replaced));
        }
        return Ok((
            Edits::new(w, token).climb(path, new, leaf.word(FIRST), 0)?,
            Change::Replaced,
        ));
    }
    if n >= WIDTH {
        return Ok((insert_in_full::<E>(w, token, path, leaf, i, entry)?, Change::Added));
    }
    let first = if i == 0 { entry[0] } else { leaf.word(FIRST) };
    let edit = Edit::new(w, token, leaf, words, words + E, at)?;
    edit.copy(at + E, at, words - at);
    edit.to.set(at, entry[0]);
    if E == MAP {
        edit.to.set(at + 1, entry[1]);
    }
    edit.to.set(1, n as u64 + 1);
    // What it frees has parents that are changed in place: nothing can fail from here on.
    let new = edit.done(w);
    Ok((Edits::new(w, token).climb(path, new, first, 1)?, Change::Added))
}

/// [`insert`] at place `i` of a leaf without room.
#[inline(never)]
fn insert_in_full<'a, const E: usize>(
    w: &mut Writer<'a>,
    token: Token,
    mut path: Path<'a>,
    leaf: Node<'a>,
    i: usize,
    entry: [u64; MAP],
) -> Result<u64> {
    let mut edits = Edits::new(w, token);
    let mut content = Entries::<E>::new();
    content.add(leaf)?;
    let n = content.len / E;
    let appends = i == n && path.is_right_edge();
    let (mut left, mut right);
    if appends {
        left = Child {
            at: leaf.offset(),
            key: leaf.word(FIRST),
            count: n as u32,
        };
        right = edits.put_leaf::<E>(None, &entry[..E])?;
    } else {
        content.insert(i, entry);
        let (low, high) = content.words[..content.len].split_at(E * n.div_ceil(2));
        left = edits.put_leaf::<E>(Some(leaf), low)?;
        right = edits.put_leaf::<E>(None, high)?;
    }
    let mut level = 1;
    while let Some((inner, i)) = path.pop() {
        let mut children = Children::of(inner);
        children.all[i] = left;
        children.insert(i + 1, right);
        level = inner.level() + 1;
        if children.n <= WIDTH {
            let new = edits.put_inner(Some(inner.node), inner.level(), children.as_slice())?;
            let root = edits.climb(path, new.at, new.key, 1)?;
            edits.finish();
            return Ok(root);
        }
        let half = if appends {
            children.n - 1
        } else {
            children.n.div_ceil(2)
        };
        let (low, high) = children.as_slice().split_at(half);
        left = edits.put_inner(Some(inner.node), inner.level(), low)?;
        right = edits.put_inner(None, inner.level(), high)?;
    }
    let root = edits.put_inner(None, level, &[left, right])?;
    edits.finish();
    Ok(root.at)
}

/// Root of the tree without what is sought, 0 if nothing is left; None if it isn't there.
pub(super) fn remove<const E: usize>(
    w: &mut Writer,
    token: Token,
    root: u64,
    probe: &mut impl Probe,
) -> Result<Option<u64>> {
    if root == 0 {
        return Ok(None);
    }
    let (path, leaf, i, found) = descend::<E>(w, root, probe)?;
    if !found {
        return Ok(None);
    }
    let n = entries::<E>(leaf)?;
    let siblings = path.last().map_or(0, |(inner, _)| inner.n - 1);
    if n == 1 || n <= LEAST && siblings > 0 {
        return remove_in_small::<E>(w, token, path, leaf, i).map(Some);
    }
    let (at, words) = (FIRST + E * i, FIRST + E * n);
    let first = leaf.word(if i == 0 { FIRST + E } else { FIRST });
    let edit = Edit::new(w, token, leaf, words, words - E, at)?;
    edit.copy(at, at + E, words - at - E);
    edit.to.set(1, n as u64 - 1);
    let new = edit.done(w);
    Edits::new(w, token).climb(path, new, first, -1).map(Some)
}

/// [`remove`] of entry `i` of a leaf that goes then, or is joined with a neighbour.
#[inline(never)]
fn remove_in_small<'a, const E: usize>(
    w: &mut Writer<'a>,
    token: Token,
    mut path: Path<'a>,
    leaf: Node<'a>,
    i: usize,
) -> Result<u64> {
    let mut edits = Edits::new(w, token);
    let Some((mut inner, at)) = path.pop() else {
        edits.drop_node(leaf);
        edits.finish();
        return Ok(0);
    };
    // The content of `inner` from here on.
    let mut children = Children::of(inner);
    if entries::<E>(leaf)? == 1 {
        edits.drop_node(leaf);
        children.remove(at);
    } else {
        edits.join_leaves::<E>(inner, at, i, &mut children)?;
    }
    while let Some((parent, at)) = path.pop() {
        if children.n >= LEAST || children.n > 0 && parent.n == 1 {
            let new = edits.put_inner(Some(inner.node), inner.level(), children.as_slice())?;
            path.len += 1;
            let root = edits.climb(path, new.at, new.key, -1)?;
            edits.finish();
            return Ok(root);
        }
        let mut above = Children::of(parent);
        if children.n == 0 {
            edits.drop_node(inner.node);
            above.remove(at);
        } else {
            edits.join_inner(parent, at, inner, &children, &mut above)?;
        }
        (inner, children) = (parent, above);
    }
    let root = if children.n > 1 {
        edits
            .put_inner(Some(inner.node), inner.level(), children.as_slice())?
            .at
    } else {
        edits.drop_node(inner.node);
        match children.as_slice().first() {
            Some(child) => edits.lower(child.at)?,
            None => 0,
        }
    };
    edits.finish();
    Ok(root)
}

impl<'a> Edits<'_, 'a> {
    /// Joins leaf `at` of `parent`, without its entry `i`, with a neighbour, or takes some of the neighbour's. `children` is the parent's content.
    fn join_leaves<const E: usize>(
        &mut self,
        parent: Inner<'a>,
        at: usize,
        i: usize,
        children: &mut Children,
    ) -> Result<()> {
        let r = self.w.reader();
        // Of the two, the left one comes first.
        let a = at.min(parent.n - 2);
        let (left, right) = (r.node(parent.child(a))?, r.node(parent.child(a + 1))?);
        let mut content = Entries::<E>::new();
        content.add(left)?;
        let before = if at == a { 0 } else { content.len / E };
        content.add(right)?;
        content.remove(before + i);
        let n = content.len / E;
        let words = &content.words[..content.len];
        if n <= WIDTH {
            self.drop_node(right);
            children.all[a] = self.put_leaf::<E>(Some(left), words)?;
            children.remove(a + 1);
        } else {
            let (low, high) = words.split_at(E * n.div_ceil(2));
            children.all[a] = self.put_leaf::<E>(Some(left), low)?;
            children.all[a + 1] = self.put_leaf::<E>(Some(right), high)?;
        }
        Ok(())
    }

    /// The same for node `at` of `parent`, which is `inner` with the content `small`.
    fn join_inner(
        &mut self,
        parent: Inner<'a>,
        at: usize,
        inner: Inner<'a>,
        small: &Children,
        children: &mut Children,
    ) -> Result<()> {
        let r = self.w.reader();
        let a = at.min(parent.n - 2);
        let other = Inner::of(r.node(parent.child(if at == a { a + 1 } else { a }))?)?;
        let (left, right) = if at == a { (inner, other) } else { (other, inner) };
        let mut both = Children {
            all: [Child::default(); ROOM],
            n: 0,
        };
        for node in [left, right] {
            if node.node.offset() == inner.node.offset() {
                small.as_slice().iter().for_each(|&c| both.insert(both.n, c));
            } else {
                both.add(node);
            }
        }
        if both.n <= WIDTH {
            self.drop_node(right.node);
            children.all[a] = self.put_inner(Some(left.node), left.level(), both.as_slice())?;
            children.remove(a + 1);
        } else {
            let (low, high) = both.as_slice().split_at(both.n.div_ceil(2));
            children.all[a] = self.put_inner(Some(left.node), left.level(), low)?;
            children.all[a + 1] = self.put_inner(Some(right.node), right.level(), high)?;
        }
        Ok(())
    }

    /// The highest node from `root` on that is a leaf or has several children.
    fn lower(&mut self, mut root: u64) -> Result<u64> {
        for _ in 0..BTREE_LEVELS {
            let node = self.w.reader().node(root)?;
            if node.kind() != BTREE_NODE {
                return Ok(root);
            }
            let inner = Inner::of(node)?;
            if inner.n > 1 {
                return Ok(root);
            }
            self.drop_node(node);
            root = inner.child(0);
        }
        Err(too_deep(root))
    }
}

/// Root of a tree of `entries`, whose keys ascend; 0 if there are none.
pub(super) fn build<const E: usize>(
    w: &mut Writer,
    token: Token,
    entries: impl IntoIterator<Item = [u64; MAP]>,
) -> Result<u64> {
    let mut edits = Edits::new(w, token);
    let mut nodes = Vec::new();
    let (mut words, mut len) = ([0; MAP * WIDTH], 0);
    for entry in entries {
        words[len..len + E].copy_from_slice(&entry[..E]);
        len += E;
        if len == E * WIDTH {
            nodes.push(edits.put_leaf::<E>(None, &words[..len])?);
            len = 0;
        }
    }
    if len > 0 {
        nodes.push(edits.put_leaf::<E>(None, &words[..len])?);
    }
    let mut level = 0;
    while nodes.len() > 1 {
        level += 1;
        nodes = nodes
            .chunks(WIDTH)
            .map(|children| edits.put_inner(None, level, children))
            .collect::<Result<_>>()?;
    }
    Ok(nodes.first().map_or(0, |n| n.at))
}
