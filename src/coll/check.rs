//! The invariants of `docs/format.md`, section 3, of one collection, walked.

use super::btree::{self, Inner, Order, FIRST as LEAF_FIRST, LEAST, MAP as SORTED_ENTRY};
use super::champ::{
    bit_at, collision_kind, collisions, node_kind, Shape, COLLISION_SHIFT, FIRST, LEVELS, MAP as MAP_ENTRY,
    SET as SET_ENTRY,
};
use super::map::{form, Form};
use super::radix::{self, Tree};
use super::{head, key, list, set, sorted, vector};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};

/// Checks all that a reader may rely on in the collection `coll`: counts, the place of every key, canonical form, the shape of vectors, no equal
/// keys. Keys and values themselves are not checked. `Corrupt` says what is wrong and where, `Type` that `coll` is no collection.
pub fn check(r: Reader, coll: u64) -> Result<()> {
    let count = super::count(r, coll)?;
    if !is_pointer(coll) {
        return Ok(());
    }
    super::check_count(r, count, r.node(coll)?)?;
    match r.node(coll)?.kind() {
        MAP | ARRAY_MAP => match form(r, coll)? {
            Form::Array(node, n) => check_array(r, node, n),
            Form::Trie(h) => check_trie::<MAP_ENTRY>(r, h),
            Form::Empty | Form::Sorted => Ok(()),
        },
        SET => set::head_of(r, coll)?.map_or(Ok(()), |h| check_trie::<SET_ENTRY>(r, h)),
        SORTED_MAP | SORTED_SET => check_sorted(r, r.node(coll)?),
        VECTOR => check_vector(r, coll),
        LIST => check_list(r, coll),
        _ => Err(super::not_a_collection()),
    }
}

fn ensure(ok: bool, what: &'static str, node: Node) -> Result<()> {
    if ok {
        Ok(())
    } else {
        Err(Error::corrupt(what, node.offset()))
    }
}

fn check_array(r: Reader, node: Node, n: usize) -> Result<()> {
    let key = |i: usize| node.word(super::map::ARRAY_FIRST + 2 * i);
    for i in 0..n {
        for j in 0..i {
            ensure(!key::same(r, key(i), key(j))?, "a key is twice in a map", node)?;
        }
    }
    Ok(())
}

fn check_trie<const E: usize>(r: Reader, h: Node) -> Result<()> {
    let (count, root) = (head::count(h), h.word(head::ROOT));
    ensure(
        count <= head::COUNT_MAX,
        "a collection is larger than a count can say",
        h,
    )?;
    ensure(
        count > 0 || h.word(head::META) != NIL,
        "an empty collection without metadata is not the constant",
        h,
    )?;
    let mut left = count;
    if root != 0 {
        check_node::<E>(r, root, 0, 0, &mut left)?;
    }
    ensure(left == 0, "a collection's count is not the number of its elements", h)
}

/// Checks the subtree at `at`, whose keys' hashes have the low `shift` bits of `path`. Takes its entries off `left`.
fn check_node<const E: usize>(r: Reader, at: u64, shift: u32, path: u32, left: &mut usize) -> Result<()> {
    if shift == COLLISION_SHIFT {
        return check_collision::<E>(r, at, path, left);
    }
    let node = r.node_of(at, node_kind(E))?;
    let shape = Shape::of(node);
    ensure(
        shape.data & shape.nodes == 0,
        "a node has an entry and a child at one place",
        node,
    )?;
    ensure(
        shape.children() > 0 || shape.entries() > (shift > 0) as usize,
        "a node below the root has a single entry",
        node,
    )?;
    take(left, shape.entries(), node)?;
    let (mut child, mut entry) = (FIRST, FIRST + shape.children());
    for place in 0..32u32 {
        let bit = 1 << place;
        // At the last level only two bits of the hash are left.
        let way = path | (place << shift);
        ensure(
            (shape.data | shape.nodes) & bit == 0 || way >> shift == place,
            "a node uses a place that no hash has",
            node,
        )?;
        if shape.data & bit != 0 {
            let hash = key::hash_of(r, node.word(entry))?;
            let low = if shift == 0 { 0 } else { u32::MAX >> (32 - shift) };
            ensure(
                (hash ^ path) & low == 0 && bit_at(hash, shift) == bit,
                "a key lies where its hash doesn't lead",
                node,
            )?;
            entry += E;
        }
        if shape.nodes & bit != 0 {
            check_node::<E>(r, node.word(child), shift + COLLISION_SHIFT / LEVELS as u32, way, left)?;
            child += 1;
        }
    }
    Ok(())
}

fn check_collision<const E: usize>(r: Reader, at: u64, path: u32, left: &mut usize) -> Result<()> {
    let node = r.node_of(at, collision_kind(E))?;
    let n = collisions::<E>(node)?;
    take(left, n, node)?;
    ensure(
        node.low(1) == path,
        "a collision node lies where its hash doesn't lead",
        node,
    )?;
    let key = |i: usize| node.word(FIRST + E * i);
    for i in 0..n {
        ensure(
            key::hash_of(r, key(i))? == path,
            "a collision node has a key of another hash",
            node,
        )?;
        for j in 0..i {
            ensure(!key::same(r, key(i), key(j))?, "a key is twice in a map or set", node)?;
        }
    }
    Ok(())
}

/// A B+tree whose leaves were checked up to some point.
struct Sorted<'a> {
    r: Reader<'a>,
    entry: usize,
    /// None: the order has a name, so that we can't tell.
    order: Option<Order<'static>>,
    last: Option<u64>,
    left: usize,
}

fn check_sorted(r: Reader, h: Node) -> Result<()> {
    let (root, count, word) = (h.word(head::ROOT), head::count(h), h.word(sorted::ORDER));
    ensure(
        count <= head::COUNT_MAX,
        "a collection is larger than a count can say",
        h,
    )?;
    ensure(sorted::check_order(word).is_ok(), "a sorted collection has no order", h)?;
    ensure(
        (root == 0) == (count == 0),
        "a collection's count is not the number of its elements",
        h,
    )?;
    if root == 0 {
        return Ok(());
    }
    let order = match word {
        NIL => Some(Order::Natural),
        ORDER_REVERSE => Some(Order::Reverse),
        _ => None,
    };
    let mut tree = Sorted {
        r,
        entry: sorted::entry_words(h),
        order,
        last: None,
        left: count,
    };
    let node = r.node(root)?;
    let level = if node.kind() == BTREE_NODE {
        node.high(1) as usize
    } else {
        0
    };
    let is_sound = level == 0 || Inner::of(node)?.n > 1;
    ensure(is_sound, "the root of a B+tree has a single child", node)?;
    tree.node(root, level, true)?;
    ensure(
        tree.left == 0,
        "a collection's count is not the number of its elements",
        h,
    )
}

impl Sorted<'_> {
    /// Checks what is below `at`; gives its first key and the number of its entries. `edge`: it is the last of its level.
    fn node(&mut self, at: u64, level: usize, edge: bool) -> Result<(u64, usize)> {
        let node = self.r.node(at)?;
        if level == 0 {
            return self.leaf(node, edge);
        }
        let inner = Inner::of(node)?;
        ensure(
            level < BTREE_LEVELS && inner.level() == level,
            "a B+tree's node is not of the level that its place says",
            node,
        )?;
        ensure(edge || inner.n >= LEAST, "a B+tree's node has too few children", node)?;
        let mut all = 0;
        for i in 0..inner.n {
            let (key, count) = self.node(inner.child(i), level - 1, edge && i + 1 == inner.n)?;
            ensure(
                key == inner.key(i),
                "a B+tree's node has another key than its child",
                node,
            )?;
            ensure(
                count == inner.count(i),
                "a B+tree's node has another count than its child",
                node,
            )?;
            all += count;
        }
        Ok((inner.key(0), all))
    }

    fn leaf(&mut self, leaf: Node, edge: bool) -> Result<(u64, usize)> {
        let n = if self.entry == SORTED_ENTRY {
            btree::entries::<{ btree::MAP }>(leaf)?
        } else {
            btree::entries::<{ btree::SET }>(leaf)?
        };
        ensure(edge || n >= LEAST, "a B+tree's leaf has too few entries", leaf)?;
        take(&mut self.left, n, leaf)?;
        for i in 0..n {
            let key = leaf.word(LEAF_FIRST + self.entry * i);
            if let (Some(order), Some(last)) = (&mut self.order, self.last) {
                let ascends = order.compare(self.r, last, key)?.is_lt();
                ensure(ascends, "the keys of a sorted collection don't ascend", leaf)?;
            }
            self.last = Some(key);
        }
        Ok((leaf.word(LEAF_FIRST), n))
    }
}

fn take(left: &mut usize, n: usize, node: Node) -> Result<()> {
    ensure(
        n <= *left,
        "a collection's count is not the number of its elements",
        node,
    )?;
    *left -= n;
    Ok(())
}

fn check_vector(r: Reader, v: u64) -> Result<()> {
    let (node, h) = vector::head_of(r, v)?;
    let Some(node) = node else { return Ok(()) };
    ensure(
        h.count <= head::COUNT_MAX,
        "a vector is larger than a count can say",
        node,
    )?;
    if h.count == 0 {
        let bare = h.tree.root == 0 && h.tail == 0 && vector::meta(r, v)? != NIL;
        return ensure(bare, "an empty vector is not the constant or has elements", node);
    }
    let len = h.tree_len();
    check_vector_node(r, h.tail, h.count - len)?;
    let Tree { root, shift } = h.tree;
    if len == 0 {
        return ensure(
            root == 0 && shift == radix::BITS,
            "a vector has a tree that its count doesn't need",
            node,
        );
    }
    let low = shift == radix::BITS || len > 1 << shift;
    ensure(
        low && len as u64 <= 32 << shift,
        "a vector's tree is higher or lower than its count needs",
        node,
    )?;
    check_tree(r, root, shift, len)
}

/// Checks the subtree of `len` elements at `at`.
fn check_tree(r: Reader, at: u64, shift: u32, len: usize) -> Result<()> {
    if shift == 0 {
        return check_vector_node(r, at, VECTOR_WIDTH).map(|_| ());
    }
    let node = check_vector_node(r, at, len.div_ceil(1 << shift))?;
    for (i, start) in (0..len).step_by(1 << shift).enumerate() {
        check_tree(
            r,
            node.word(radix::FIRST + i),
            shift - radix::BITS,
            (len - start).min(1 << shift),
        )?;
    }
    Ok(())
}

fn check_vector_node<'a>(r: Reader<'a>, at: u64, used: usize) -> Result<Node<'a>> {
    let node = r.node_of(at, VECTOR_NODE)?;
    let fits = radix::used(node)? == used && (used..=VECTOR_WIDTH).contains(&(node.high(1) as usize));
    ensure(fits, "a vector's node has another size than its count needs", node)?;
    Ok(node)
}

fn check_list(r: Reader, l: u64) -> Result<()> {
    let mut at = l;
    let mut left = list::count(r, l)?;
    while let Some(cell) = list::cell_of(r, at)? {
        ensure(
            cell.low(1) as usize == left && left > 0,
            "a list's cell has a wrong count",
            cell,
        )?;
        at = cell.word(list::REST);
        left -= 1;
    }
    if left != 0 {
        return Err(list::wrong_count(at));
    }
    Ok(())
}
