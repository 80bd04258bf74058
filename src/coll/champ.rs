//! The trie of maps and sets (CHAMP, `docs/format.md` section 3). `E` is the number of words of an entry: [`MAP`] or [`SET`].
//!
//! Look-ups and changes walk down in a loop, remember the path, and climb it again. A change makes one new node and copies the path above it;
//! with a token, nodes that the token made are changed in place instead, and the climb ends at the first parent that needn't change.

use super::key::{self, Wanted, WordKey};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, NodeMut, Reader};
use crate::slab::writer::{Token, Writer};

/// Words of a map's entry: key and value.
pub const MAP: usize = 2;
/// Words of a set's entry: the key.
pub const SET: usize = 1;

/// Levels of nodes with 32 places; collision nodes stand below the last.
pub(super) const LEVELS: usize = 7;
/// Bits of the hash that a level takes.
const BITS: u32 = 5;
/// The shift at which collision nodes stand.
pub(super) const COLLISION_SHIFT: u32 = LEVELS as u32 * BITS;
/// Words of a node before its first slot.
pub(super) const FIRST: usize = 2;
/// Slots of a collision node, at most: more could not be read behind one bounds check.
const COLLISION_SLOTS: usize = 508;

/// Type of the trie's nodes.
pub(super) const fn node_kind(entry: usize) -> u8 {
    if entry == MAP {
        MAP_NODE
    } else {
        SET_NODE
    }
}

/// Type of the trie's collision nodes.
pub(super) const fn collision_kind(entry: usize) -> u8 {
    if entry == MAP {
        MAP_COLLISION
    } else {
        SET_COLLISION
    }
}

/// The bit of `hash` at the level of `shift`.
#[inline]
pub(super) fn bit_at(hash: u32, shift: u32) -> u32 {
    1 << (hash >> shift & 31)
}

/// What lies where in a node: which places hold an entry, which a child.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) data: u32,
    pub(super) nodes: u32,
}

impl Shape {
    #[inline]
    pub(super) fn of(node: Node) -> Shape {
        let maps = node.word(1);
        Shape {
            data: maps as u32,
            nodes: (maps >> 32) as u32,
        }
    }

    #[inline]
    pub(super) fn children(self) -> usize {
        self.nodes.count_ones() as usize
    }

    #[inline]
    pub(super) fn entries(self) -> usize {
        self.data.count_ones() as usize
    }

    /// Word of the child at `bit`.
    #[inline]
    fn child(self, bit: u32) -> usize {
        FIRST + (self.nodes & (bit - 1)).count_ones() as usize
    }

    /// Word of the entry at `bit`, or where it would stand.
    #[inline]
    fn entry<const E: usize>(self, bit: u32) -> usize {
        FIRST + self.children() + E * (self.data & (bit - 1)).count_ones() as usize
    }

    /// Words of the node.
    #[inline]
    fn words<const E: usize>(self) -> usize {
        FIRST + self.children() + E * self.entries()
    }
}

/// A key with its hash and, in maps, its value.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Key word.
    pub key: u64,
    /// Clojure's hash of the key.
    pub hash: u32,
    /// Value word; not used by sets.
    pub value: u64,
}

/// The places of `bits` up to the one that the hash tells, whose bit comes to stand on top. `rest`: the inverted hash, shifted by the levels above, so that
/// its low bits are the number of places beyond that one.
#[inline(always)]
fn up_to(bits: u32, rest: u64) -> u32 {
    bits.wrapping_shl(rest as u32)
}

#[inline(always)]
fn ends_with_one(bits: u32) -> bool {
    (bits as i32) < 0
}

/// Levels at which a trie of `count` entries has a child at almost every place. At the next level a place is as likely to have a child as an entry, below it
/// there are hardly any children: a level has on average 5 bits' worth less at a place than the one above.
#[inline(always)]
fn sure_levels(count: usize) -> u32 {
    ((usize::BITS - count.leading_zeros()).saturating_sub(3) / BITS).min(LEVELS as u32 - 2)
}

/// What `take` makes of the node and word where the entry stands whose key has `hash` and is `wanted`. `root` is 0 for an empty trie; `count` is the
/// number of entries that its head tells.
///
/// In the processor's caches, instructions and wrong guesses are what a look-up costs. So the keys sought and the answer go by value, in registers, and the
/// level where a guess is as good as none is taken without a branch: a key that stands there already just stays for another turn.
#[inline(always)]
pub fn find<'a, const E: usize, T>(
    r: Reader<'a>,
    root: u64,
    count: usize,
    hash: u32,
    wanted: impl Wanted,
    take: impl Fn(Node<'a>, usize) -> T,
) -> Result<Option<T>> {
    if root == 0 {
        return Ok(None);
    }
    let (mut at, mut rest) = (root, !(hash as u64));
    let sure = sure_levels(count);
    for _ in 0..sure {
        let node = r.node(at)?;
        let children = up_to(node.high(1), rest);
        if !ends_with_one(children) {
            break;
        }
        at = last_child(node, children);
        rest >>= BITS;
    }
    let node = r.node(at)?;
    let children = up_to(node.high(1), rest);
    let deeper = (children as i32 >> 31) as i64 as u64;
    at ^= (at ^ last_child(node, children)) & deeper;
    rest >>= BITS & deeper as u32;
    // Whoever hasn't gone down all the levels so far is at its entry. The loop's bound is the check against cycles.
    for _ in sure + 1..LEVELS as u32 {
        let node = r.node(at)?;
        let nodes = node.high(1);
        let children = up_to(nodes, rest);
        if ends_with_one(children) {
            at = last_child(node, children);
            rest >>= BITS;
            continue;
        }
        let entries = up_to(node.low(1), rest);
        if !ends_with_one(entries) {
            return Ok(None);
        }
        let i = FIRST + nodes.count_ones() as usize + E * (entries.count_ones() as usize - 1);
        return Ok(wanted.is(node.word(i))?.then(|| take(node, i)));
    }
    Ok(find_in_collision::<E>(r, at, hash, wanted)?.map(|(node, i)| take(node, i)))
}

/// The last of the children that [`up_to`] has left over.
#[inline(always)]
fn last_child(node: Node, children: u32) -> u64 {
    node.word(FIRST - 1 + children.count_ones() as usize)
}

#[cold]
fn find_in_collision<'a, const E: usize>(
    r: Reader<'a>,
    at: u64,
    hash: u32,
    wanted: impl Wanted,
) -> Result<Option<(Node<'a>, usize)>> {
    let node = r.node_of(at, collision_kind(E))?;
    if node.low(1) == hash {
        for i in 0..collisions::<E>(node)? {
            if wanted.is(node.word(FIRST + E * i))? {
                return Ok(Some((node, FIRST + E * i)));
            }
        }
    }
    Ok(None)
}

/// Number of entries of a collision node.
pub(super) fn collisions<const E: usize>(node: Node) -> Result<usize> {
    let n = node.high(1) as usize;
    if !(2..=COLLISION_SLOTS / E).contains(&n) {
        return Err(Error::corrupt(
            "a collision node has an impossible number of entries",
            node.offset(),
        ));
    }
    Ok(n)
}

/// The way down to a node: the nodes above it, and the word of each where the next one hangs.
struct Path<'a> {
    steps: [Option<(Node<'a>, usize)>; LEVELS],
    len: usize,
}

impl<'a> Path<'a> {
    fn new() -> Path<'a> {
        Path {
            steps: [None; LEVELS],
            len: 0,
        }
    }

    fn push(&mut self, node: Node<'a>, i: usize) {
        self.steps[self.len] = Some((node, i));
        self.len += 1;
    }

    fn pop(&mut self) -> Option<(Node<'a>, usize)> {
        self.len = self.len.checked_sub(1)?;
        self.steps[self.len]
    }

    fn shift(&self) -> u32 {
        self.len as u32 * BITS
    }
}

/// A node being changed: itself, if the token allows it and its cell holds the result, or its copy.
pub(super) struct Edit<'a> {
    from: Node<'a>,
    pub(super) to: NodeMut,
    moved: bool,
    token: Token,
}

impl<'a> Edit<'a> {
    /// Prepares to turn `from` into a node of `new` words; its words from [`FIRST`] to `keep` stay.
    #[inline]
    pub(super) fn new(
        w: &mut Writer<'a>,
        token: Token,
        from: Node<'a>,
        old: usize,
        new: usize,
        keep: usize,
    ) -> Result<Edit<'a>> {
        if w.editable(from, token) && w.fits(from, new * 8) {
            return Ok(Edit {
                from,
                to: w.edit(from, token),
                moved: false,
                token,
            });
        }
        let size = if new > old {
            Writer::roomy(new * 8, token)
        } else {
            new * 8
        };
        let to = w.alloc(from.kind(), size, Some(from), token)?;
        to.copy(FIRST, from, FIRST, keep - FIRST);
        Ok(Edit {
            from,
            to,
            moved: true,
            token,
        })
    }

    /// Brings the old words from `source` on to `target`.
    #[inline]
    pub(super) fn copy(&self, target: usize, source: usize, n: usize) {
        if n > 0 && (self.moved || target != source) {
            self.to.copy(target, self.from, source, n);
        }
    }

    /// Stores the slot `i`, the only one that changes.
    #[inline]
    pub(super) fn set_only(&self, w: &mut Writer, i: usize, word: u64) {
        if self.moved {
            w.differs_at(self.to, self.from, i);
        }
        self.to.set(i, word);
    }

    #[inline]
    fn put_entry<const E: usize>(&self, i: usize, e: Entry) {
        put_entry::<E>(self.to, i, e)
    }

    #[inline]
    fn put_shape(&self, data: u32, nodes: u32) {
        self.to.set_halves(1, data, nodes)
    }

    /// The node's word now; frees the old node if nobody else can know it.
    #[inline]
    pub(super) fn done(self, w: &mut Writer) -> u64 {
        if self.moved {
            w.free_if_editable(self.from, self.token);
        }
        self.to.offset()
    }
}

#[inline]
fn put_entry<const E: usize>(to: NodeMut, i: usize, e: Entry) {
    to.set(i, e.key);
    if E == MAP {
        to.set(i + 1, e.value);
    }
}

/// What [`insert`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the entry was there.
    None,
    /// The key was there, its value is another now.
    Replaced,
    /// One more entry.
    Added,
}

/// Root of the trie with `e` in it; a key that is already there stays, with the new value.
#[inline]
pub fn insert<const E: usize>(w: &mut Writer, token: Token, root: u64, e: Entry) -> Result<(u64, Change)> {
    if root == 0 {
        return Ok((make_leaf::<E>(w, token, 0, &[e])?, Change::Added));
    }
    let r = w.reader();
    let mut path = Path::new();
    let mut at = root;
    let (new, change) = loop {
        let shift = path.shift();
        if shift == COLLISION_SHIFT {
            match insert_in_collision::<E>(w, token, at, e)? {
                (_, Change::None) => return Ok((root, Change::None)),
                done => break done,
            }
        }
        let node = r.node_of(at, node_kind(E))?;
        let shape = Shape::of(node);
        let bit = bit_at(e.hash, shift);
        if shape.nodes & bit != 0 {
            let i = shape.child(bit);
            path.push(node, i);
            at = node.word(i);
            continue;
        }
        if shape.data & bit == 0 {
            break (add_entry::<E>(w, token, node, bit, e)?, Change::Added);
        }
        let i = shape.entry::<E>(bit);
        let key = node.word(i);
        if key::same(r, key, e.key)? {
            if E == SET || node.word(i + 1) == e.value {
                return Ok((root, Change::None));
            }
            break (
                set_word(w, token, node, shape.words::<E>(), i + 1, e.value)?,
                Change::Replaced,
            );
        }
        let value = if E == MAP { node.word(i + 1) } else { 0 };
        let other = Entry {
            key,
            hash: key::hash_of(r, key)?,
            value,
        };
        let child = make_pair::<E>(w, token, shift + BITS, other, e)?;
        break (entry_to_child::<E>(w, token, node, bit, child)?, Change::Added);
    };
    Ok((climb::<E>(w, token, path, root, new)?, change))
}

/// Hangs `new` where the path ends, copying the path's nodes as needed. Gives the root.
#[inline]
fn climb<'a, const E: usize>(
    w: &mut Writer<'a>,
    token: Token,
    mut path: Path<'a>,
    root: u64,
    mut new: u64,
) -> Result<u64> {
    while let Some((node, i)) = path.pop() {
        if node.word(i) == new {
            return Ok(root);
        }
        new = set_word(w, token, node, Shape::of(node).words::<E>(), i, new)?;
    }
    Ok(new)
}

/// `node`, of `words` words, with `word` at `i`.
#[inline]
fn set_word<'a>(w: &mut Writer<'a>, token: Token, node: Node<'a>, words: usize, i: usize, word: u64) -> Result<u64> {
    if w.editable(node, token) {
        w.edit(node, token).set(i, word);
        return Ok(node.offset());
    }
    let to = w.alloc(node.kind(), words * 8, Some(node), token)?;
    w.differs_at(to, node, i);
    to.copy(1, node, 1, words - 1);
    to.set(i, word);
    Ok(to.offset())
}

/// `node` with `e` at the empty place `bit`.
#[inline]
fn add_entry<'a, const E: usize>(w: &mut Writer<'a>, token: Token, node: Node<'a>, bit: u32, e: Entry) -> Result<u64> {
    let shape = Shape::of(node);
    let (i, words) = (shape.entry::<E>(bit), shape.words::<E>());
    let edit = Edit::new(w, token, node, words, words + E, i)?;
    edit.copy(i + E, i, words - i);
    edit.put_entry::<E>(i, e);
    edit.put_shape(shape.data | bit, shape.nodes);
    Ok(edit.done(w))
}

/// `node` without the entry at `bit`; another entry or a child is left.
fn drop_entry<'a, const E: usize>(w: &mut Writer<'a>, token: Token, node: Node<'a>, bit: u32) -> Result<u64> {
    let shape = Shape::of(node);
    let (i, words) = (shape.entry::<E>(bit), shape.words::<E>());
    let edit = Edit::new(w, token, node, words, words - E, i)?;
    edit.copy(i, i + E, words - i - E);
    edit.put_shape(shape.data & !bit, shape.nodes);
    Ok(edit.done(w))
}

/// `node` with `child` in the place of the entry at `bit`.
#[inline]
fn entry_to_child<'a, const E: usize>(
    w: &mut Writer<'a>,
    token: Token,
    node: Node<'a>,
    bit: u32,
    child: u64,
) -> Result<u64> {
    let shape = Shape::of(node);
    let (c, i, words) = (shape.child(bit), shape.entry::<E>(bit), shape.words::<E>());
    let edit = Edit::new(w, token, node, words, words + 1 - E, c)?;
    edit.copy(c + 1, c, i - c);
    edit.copy(i + 1, i + E, words - i - E);
    edit.to.set(c, child);
    edit.put_shape(shape.data & !bit, shape.nodes | bit);
    Ok(edit.done(w))
}

/// `node` with `e` in the place of the child at `bit`.
fn child_to_entry<'a, const E: usize>(
    w: &mut Writer<'a>,
    token: Token,
    node: Node<'a>,
    bit: u32,
    e: Entry,
) -> Result<u64> {
    let shape = Shape::of(node);
    let (c, i, words) = (shape.child(bit), shape.entry::<E>(bit), shape.words::<E>());
    let edit = Edit::new(w, token, node, words, words - 1 + E, c)?;
    // The words behind the new entry first: in place, they must leave before it comes.
    edit.copy(i - 1 + E, i, words - i);
    edit.copy(c, c + 1, i - 1 - c);
    edit.put_entry::<E>(i - 1, e);
    edit.put_shape(shape.data | bit, shape.nodes & !bit);
    Ok(edit.done(w))
}

/// A node of one or two entries whose hashes differ at the level of `shift`.
fn make_leaf<const E: usize>(w: &mut Writer, token: Token, shift: u32, entries: &[Entry]) -> Result<u64> {
    let node = w.alloc(node_kind(E), (FIRST + E * entries.len()) * 8, None, token)?;
    let data = entries.iter().fold(0, |map, e| map | bit_at(e.hash, shift));
    node.set_halves(1, data, 0);
    for e in entries {
        let before = (data & (bit_at(e.hash, shift) - 1)).count_ones() as usize;
        put_entry::<E>(node, FIRST + E * before, *e);
    }
    Ok(node.offset())
}

/// The subtree at `shift` of two different keys: a node of both where their hashes part, below a chain of nodes with one child.
#[inline]
fn make_pair<const E: usize>(w: &mut Writer, token: Token, shift: u32, a: Entry, b: Entry) -> Result<u64> {
    let parts = |s: u32| s < COLLISION_SHIFT && (a.hash ^ b.hash) >> s & 31 != 0;
    let mut bottom = shift;
    while bottom < COLLISION_SHIFT && !parts(bottom) {
        bottom += BITS;
    }
    let mut child = if bottom < COLLISION_SHIFT {
        make_leaf::<E>(w, token, bottom, &[a, b])?
    } else {
        make_collision::<E>(w, token, a, b)?
    };
    while bottom > shift {
        bottom -= BITS;
        let node = w.alloc(node_kind(E), (FIRST + 1) * 8, None, token)?;
        node.set_halves(1, 0, bit_at(a.hash, bottom));
        node.set(FIRST, child);
        child = node.offset();
    }
    Ok(child)
}

#[cold]
fn make_collision<const E: usize>(w: &mut Writer, token: Token, a: Entry, b: Entry) -> Result<u64> {
    if a.hash != b.hash {
        return Err(Error::corrupt("a key lies where its hash doesn't lead", a.key));
    }
    let node = w.alloc(collision_kind(E), (FIRST + 2 * E) * 8, None, token)?;
    node.set_halves(1, a.hash, 2);
    put_entry::<E>(node, FIRST, a);
    put_entry::<E>(node, FIRST + E, b);
    Ok(node.offset())
}

#[cold]
fn insert_in_collision<const E: usize>(w: &mut Writer, token: Token, at: u64, e: Entry) -> Result<(u64, Change)> {
    let r = w.reader();
    let node = r.node_of(at, collision_kind(E))?;
    let n = collisions::<E>(node)?;
    let words = FIRST + E * n;
    for i in (FIRST..words).step_by(E) {
        if !key::same(r, node.word(i), e.key)? {
            continue;
        }
        if E == SET || node.word(i + 1) == e.value {
            return Ok((at, Change::None));
        }
        return Ok((set_word(w, token, node, words, i + 1, e.value)?, Change::Replaced));
    }
    if E * (n + 1) > COLLISION_SLOTS {
        return Err(Error::limit(format!("{n} keys of one map or set have the same hash")));
    }
    let edit = Edit::new(w, token, node, words, words + E, words)?;
    edit.put_entry::<E>(words, e);
    edit.put_shape(e.hash, n as u32 + 1);
    Ok((edit.done(w), Change::Added))
}

/// What is left of the node that lost an entry.
enum Rest {
    /// The node itself, changed.
    Node(u64),
    /// A single entry, which belongs into the parent.
    Entry(Entry),
    /// Nothing: it was the root.
    Nothing,
}

/// Root of the trie without `key`, 0 if nothing is left; None if the key isn't there.
pub fn remove<const E: usize>(w: &mut Writer, token: Token, root: u64, key: u64, hash: u32) -> Result<Option<u64>> {
    if root == 0 {
        return Ok(None);
    }
    let r = w.reader();
    let mut path = Path::new();
    let mut at = root;
    let node = loop {
        let node = if path.shift() == COLLISION_SHIFT {
            break r.node(at)?;
        } else {
            r.node_of(at, node_kind(E))?
        };
        let shape = Shape::of(node);
        let bit = bit_at(hash, path.shift());
        if shape.nodes & bit == 0 {
            break node;
        }
        let i = shape.child(bit);
        path.push(node, i);
        at = node.word(i);
    };
    let rest = if path.shift() == COLLISION_SHIFT {
        drop_from_collision::<E>(w, token, at, key, hash)?
    } else {
        drop_from_node::<E>(w, token, node, bit_at(hash, path.shift()), key, hash, path.len == 0)?
    };
    match rest {
        None => Ok(None),
        Some(Rest::Nothing) => {
            w.free_if_editable(node, token);
            Ok(Some(0))
        }
        Some(Rest::Node(new)) => climb::<E>(w, token, path, root, new).map(Some),
        Some(Rest::Entry(e)) => lift::<E>(w, token, path, root, node, e).map(Some),
    }
}

fn drop_from_node<'a, const E: usize>(
    w: &mut Writer<'a>,
    token: Token,
    node: Node<'a>,
    bit: u32,
    key: u64,
    hash: u32,
    is_root: bool,
) -> Result<Option<Rest>> {
    let shape = Shape::of(node);
    let i = shape.entry::<E>(bit);
    if shape.data & bit == 0 || !key::same(w.reader(), node.word(i), key)? {
        return Ok(None);
    }
    let childless = shape.nodes == 0;
    if childless && shape.entries() == 1 {
        if !is_root {
            return Err(Error::corrupt(
                "a node below the root has a single entry",
                node.offset(),
            ));
        }
        return Ok(Some(Rest::Nothing));
    }
    if childless && shape.entries() == 2 && !is_root {
        let other = if i == FIRST { FIRST + E } else { FIRST };
        return Ok(Some(Rest::Entry(entry_at::<E>(node, other, hash))));
    }
    Ok(Some(Rest::Node(drop_entry::<E>(w, token, node, bit)?)))
}

#[cold]
fn drop_from_collision<const E: usize>(
    w: &mut Writer,
    token: Token,
    at: u64,
    key: u64,
    hash: u32,
) -> Result<Option<Rest>> {
    let r = w.reader();
    let Some((node, i)) = find_in_collision::<E>(r, at, hash, WordKey { r, word: key })? else {
        return Ok(None);
    };
    let n = collisions::<E>(node)?;
    if n == 2 {
        let other = if i == FIRST { FIRST + E } else { FIRST };
        return Ok(Some(Rest::Entry(entry_at::<E>(node, other, hash))));
    }
    let words = FIRST + E * n;
    let edit = Edit::new(w, token, node, words, words - E, i)?;
    edit.copy(i, i + E, words - i - E);
    edit.put_shape(hash, n as u32 - 1);
    Ok(Some(Rest::Node(edit.done(w))))
}

/// The entry at word `i`. `hash` agrees with its key's hash at the levels above, which is all that the caller uses.
fn entry_at<const E: usize>(node: Node, i: usize, hash: u32) -> Entry {
    Entry {
        key: node.word(i),
        hash,
        value: if E == MAP { node.word(i + 1) } else { 0 },
    }
}

/// Puts the last entry of `node`, which ends the path, into the lowest node above it that holds something else or is the root.
fn lift<'a, const E: usize>(
    w: &mut Writer<'a>,
    token: Token,
    mut path: Path<'a>,
    root: u64,
    node: Node<'a>,
    e: Entry,
) -> Result<u64> {
    let mut dropped = [Some(node); LEVELS + 1];
    let mut n = 1;
    while let Some((parent, _)) = path.pop() {
        let shape = Shape::of(parent);
        if path.len > 0 && shape.data == 0 && shape.children() == 1 {
            dropped[n] = Some(parent);
            n += 1;
            continue;
        }
        let new = child_to_entry::<E>(w, token, parent, bit_at(e.hash, path.shift()), e)?;
        // Only now, when nothing can fail that would leave a parent above a freed node.
        for node in dropped[..n].iter().flatten() {
            w.free_if_editable(*node, token);
        }
        return climb::<E>(w, token, path, root, new);
    }
    Err(Error::corrupt("a collision node stands at the root", root))
}
