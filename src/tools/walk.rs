//! The walk over everything that a version reaches: each object once, from the state down, without recursion.
//!
//! An object's sum (hash, number of elements) is handed to its parent when all its slots have been seen, so that hashes and counts are computed
//! once however often an object is met. Only objects that are marked SHARED can be met twice; their sums are kept. So time and memory are
//! proportional to the number of objects, also in a crafted slab.

use super::blocks::{self, Marks};
use super::findings::{FindingKind, FindingKind::*, Findings};
use super::object::{self, Fault};
use super::Progress;
use crate::coll::{key, sorted};
use crate::error::Error;
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::slab::slots::slots;
use crate::value::word::{self, immediate_kind, object_kind};
use crate::value::{compare, hash, hash_word, hashing, print, symbol};
use std::collections::{HashMap, HashSet};

/// Steps of a comparison of two keys beyond which it is left out, and of all of them: only crafted values, whose parts share parts again and again,
/// need so many.
const COMPARE_MAX: u64 = 1 << 20;
/// See [`COMPARE_MAX`].
const COMPARE_ALL: u64 = 1 << 30;
/// Objects between two reports of progress.
const REPORT: u64 = 1 << 12;
/// Characters of a key in a path.
const LABEL_MAX: usize = 80;

/// Level of a B+tree's root, which may be any.
const ANY_LEVEL: u8 = u8::MAX;

/// What an object is where the walk meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Value,
    Meta,
    /// The part of a ratio or decimal.
    Integer,
    /// The rest of a list of so many elements.
    Rest(u32),
    /// Trie node: words of an entry, shift, and the bits of the hash on the way to it.
    Trie(u8, u8, u32),
    /// Vector node: shift of its place, 0 for leaves.
    Leaves(u8),
    /// Node of a B+tree: words of an entry, level; [`ANY_LEVEL`] for the root.
    Tree(u8, u8),
    /// The order of a sorted collection.
    Order,
}

/// What is known of an object and all below it.
#[derive(Clone, Copy, Debug)]
struct Sum {
    /// A value's hash; a trie node's sum of the hashes of its entries.
    hash: u32,
    /// Of vector nodes and lists: the polynomial of the elements' hashes.
    poly: u32,
    /// Elements or entries of collections and their nodes.
    size: u64,
    /// Of nodes of B+trees: the first and the last key.
    first: u64,
    last: u64,
    /// Steps that a walk takes which visits shared parts as often as they are met.
    weight: u64,
    /// False after a finding: what is above can't be judged by this.
    known: bool,
}

const UNKNOWN: Sum = Sum {
    hash: 0,
    poly: 0,
    size: 0,
    first: 0,
    last: 0,
    weight: 1,
    known: false,
};

impl Sum {
    fn of_hash(hash: u32) -> Sum {
        Sum {
            hash,
            known: true,
            ..UNKNOWN
        }
    }
}

/// An object whose slots are being visited.
struct Frame<'a> {
    node: Node<'a>,
    role: Role,
    /// Next slot, and the one after the last.
    next: usize,
    end: usize,
    sum: Sum,
    /// Hash of the key whose value comes next.
    key: Sum,
    /// Keys of an array map or collision node: place, hash, weight.
    keys: Vec<(usize, u32, u64)>,
}

/// Walks versions of one slab.
pub(super) struct Walk<'a, 'p> {
    pub(super) r: Reader<'a>,
    pub(super) high_water: u64,
    pub(super) findings: Findings,
    /// Objects that any version reaches, their number and their bytes.
    pub(super) reached: Marks,
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// Comparisons of keys that were left out.
    pub(super) unchecked: u64,
    /// Numbers of the keywords and symbols that values use.
    pub(super) symbols: HashSet<u32>,
    seen: Marks,
    shared: HashMap<u64, (Role, Sum)>,
    stack: Vec<Frame<'a>>,
    version: u64,
    steps: u64,
    /// Steps that comparisons may still take.
    compare: u64,
    progress: Progress<'p>,
}

/// 31^n modulo 2^32.
fn pow31(n: u64) -> u32 {
    let (mut base, mut result, mut n) = (31u32, 1u32, n);
    while n > 0 {
        if n & 1 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        n >>= 1;
    }
    result
}

fn nth_bit(map: u32, n: usize) -> u32 {
    (0..n).fold(map, |m, _| m & m.wrapping_sub(1)).trailing_zeros()
}

/// Number of children and words of an entry of a trie node.
fn trie_shape(node: Node) -> (usize, usize) {
    match node.kind() {
        MAP_NODE => (node.high(1).count_ones() as usize, 2),
        SET_NODE => (node.high(1).count_ones() as usize, 1),
        MAP_COLLISION | BTREE_MAP_LEAF => (0, 2),
        _ => (0, 1),
    }
}

impl<'a, 'p> Walk<'a, 'p> {
    pub(super) fn new(r: Reader<'a>, high_water: u64, progress: Progress<'p>) -> Walk<'a, 'p> {
        Walk {
            r,
            high_water,
            findings: Findings::default(),
            reached: Marks::new(high_water),
            objects: 0,
            bytes: 0,
            unchecked: 0,
            symbols: HashSet::new(),
            seen: Marks::new(0),
            shared: HashMap::new(),
            stack: Vec::new(),
            version: 0,
            steps: 0,
            compare: COMPARE_ALL,
            progress,
        }
    }

    /// Checks everything that the state map `state` of `version` reaches.
    pub(super) fn version(&mut self, state: u64, version: u64) {
        self.seen = Marks::new(self.high_water);
        self.shared.clear();
        self.version = version;
        let is_map = |w| match w {
            EMPTY_MAP => true,
            _ => is_pointer(w) && self.r.node(w).is_ok_and(|n| matches!(n.kind(), MAP | ARRAY_MAP)),
        };
        if !is_map(state) {
            return self.find(Type, "the state of a version is not a map", state);
        }
        self.visit(state, Role::Value);
        while let Some(top) = self.stack.last_mut() {
            if top.next < top.end {
                let i = top.next;
                top.next += 1;
                let (word, role) = (top.node.word(i), role_of(top, i));
                if let Some(sum) = self.visit(word, role) {
                    self.absorb(i, sum);
                }
                continue;
            }
            let frame = self.stack.pop().expect("just seen");
            let sum = self.leave(frame);
            if let Some(i) = self.stack.last().map(|f| f.next - 1) {
                self.absorb(i, sum);
            }
        }
        (self.progress)("values", self.bytes, self.high_water * BLOCK_SIZE);
    }

    fn find(&mut self, kind: FindingKind, what: &'static str, offset: u64) {
        let (r, stack) = (self.r, &self.stack);
        self.findings.add(kind, what, offset, || path(r, stack));
    }

    /// Notes what is wrong with the object on top of the stack, which counts as unknown from now on.
    fn find_here(&mut self, kind: FindingKind, what: &'static str) {
        let Some(top) = self.stack.last_mut() else { return };
        top.sum.known = false;
        let offset = top.node.offset();
        self.find(kind, what, offset);
    }

    /// Visits what the word of a slot leads to. None: its slots come first.
    fn visit(&mut self, word: u64, role: Role) -> Option<Sum> {
        if !is_pointer(word) {
            return Some(self.immediate(word, role));
        }
        match self.object(word, role) {
            Ok(sum) => sum,
            Err((kind, what)) => {
                self.find(kind, what, word);
                Some(UNKNOWN)
            }
        }
    }

    fn immediate(&mut self, word: u64, role: Role) -> Sum {
        let is_fine = match role {
            Role::Value => immediate_kind(word).is_some(),
            Role::Meta => matches!(word, NIL | EMPTY_MAP),
            Role::Integer => word::int(word).is_some(),
            Role::Rest(left) => word == EMPTY_LIST && left == 0,
            Role::Order => sorted::check_order(word).is_ok(),
            Role::Trie(..) | Role::Leaves(_) | Role::Tree(..) => false,
        };
        if !is_fine {
            let (kind, what) = match role {
                Role::Rest(_) if word == EMPTY_LIST => (Count, "a list ends before its count is reached"),
                _ => (Type, "a word is no value that its place allows"),
            };
            self.find(kind, what, word);
            return UNKNOWN;
        }
        if let Some(s) = word::symbol(word) {
            self.symbols.insert(s.id);
            if symbol::check(self.r, word).is_err() {
                self.find(Symbol, "a keyword or symbol is not in the symbol table", word);
                return UNKNOWN;
            }
        }
        hash_word(self.r, word).map_or(UNKNOWN, Sum::of_hash)
    }

    /// Visits the object at `word`. None: it is on the stack now.
    fn object(&mut self, word: u64, role: Role) -> Result<Option<Sum>, Fault> {
        let (r, map) = (self.r, self.r.mapping());
        let node = r.node(word).map_err(|_| (Bounds, "a pointer leads outside the slab"))?;
        let room = blocks::room(map, self.high_water, word).map_err(|what| (Block, what))?;
        let header = node.header();
        if header == 0 {
            return Err((
                Free,
                "an object that is reachable has been freed: its cell can be given to another one",
            ));
        }
        check_role(node, role)?;
        let above = self
            .stack
            .last()
            .map_or(self.version, |f| header_birth(f.node.header()));
        check_birth(header, above, blocks::stamp(map, word >> BLOCK_BITS))?;
        let is_shared = header_flags(header) & FLAG_SHARED != 0;
        if !self.seen.mark(word) {
            return self.again(word, role, is_shared).map(Some);
        }
        // Once for each object: a long run of blocks takes as many steps.
        blocks::check_run(map, self.high_water, word).map_err(|what| (Block, what))?;
        if self.reached.mark(word) {
            self.objects += 1;
            self.bytes += room;
        }
        self.steps += 1;
        if self.steps % REPORT == 0 {
            (self.progress)("values", self.bytes, self.high_water * BLOCK_SIZE);
        }
        let size = object::check(r, node, room)?;
        let range = slots(node).map_err(|_| (Type, "an object has an unknown type"))?;
        if !range.is_empty() {
            self.stack.push(Frame {
                node,
                role,
                next: range.start,
                end: range.end,
                sum: Sum { known: true, ..UNKNOWN },
                key: UNKNOWN,
                keys: Vec::new(),
            });
            return Ok(None);
        }
        if role == Role::Integer && node.kind() == BIGINT && crate::value::number::to_i64(r, word).is_ok() {
            return Err((Form, "a part of a ratio or decimal is longer than need be"));
        }
        let mut sum = hash_word(r, word).map_or(UNKNOWN, Sum::of_hash);
        sum.weight += size as u64 / 64;
        if is_shared {
            self.shared.insert(word, (role, sum));
        }
        Ok(Some(sum))
    }

    /// The object at `word` is met again.
    fn again(&self, word: u64, role: Role, is_shared: bool) -> Result<Sum, Fault> {
        const NOT_MARKED: Fault = (
            Shared,
            "an object has two parents and is not marked SHARED: it would be freed with one of them",
        );
        const CYCLE: Fault = (Cycle, "an object contains itself");
        match self.shared.get(&word) {
            Some((was, sum)) if is_shared => match (*was, role) {
                (Role::Trie(..) | Role::Leaves(_), _) if *was != role => {
                    Err((Order, "a node stands at two different places"))
                }
                // The level is the node's own; what is below the root of one tree may be the root of another.
                (Role::Tree(entry, _), Role::Tree(other, _)) if entry != other => {
                    Err((Order, "a node stands at two different places"))
                }
                _ => Ok(*sum),
            },
            _ if is_shared => Err(CYCLE),
            // Which of the two it is matters only for the text.
            _ if !self.findings.is_full() && self.stack.iter().any(|f| f.node.offset() == word) => Err(CYCLE),
            _ => Err(NOT_MARKED),
        }
    }

    /// Takes the sum of what slot `i` of the object on top of the stack leads to.
    fn absorb(&mut self, i: usize, sum: Sum) {
        let Some(top) = self.stack.last_mut() else { return };
        let node = top.node;
        top.sum.weight = top.sum.weight.saturating_add(sum.weight);
        let fault = match node.kind() {
            ARRAY_MAP if i == 2 => None,
            ARRAY_MAP => {
                top.entry(i, (i - 3) % 2 == 0, 2, sum);
                None
            }
            MAP | SET | SORTED_MAP | SORTED_SET if i > 2 => None,
            MAP | SET | SORTED_MAP | SORTED_SET => {
                (top.sum.hash, top.sum.size) = (sum.hash, sum.size);
                top.sum.known &= sum.known;
                None
            }
            MAP_NODE | MAP_COLLISION | SET_NODE | SET_COLLISION => top.trie_slot(i, sum),
            BTREE_MAP_LEAF | BTREE_SET_LEAF => return self.leaf_slot(i, sum),
            BTREE_NODE => return self.child_slot(i, sum),
            VECTOR if i == 4 => None,
            VECTOR => {
                let (tree, all) = (object::tree_len(node), node.low(1) as u64);
                let expected = if i == 2 { tree } else { all - tree };
                top.extend(sum);
                let wrong = sum.known && sum.size != expected && node.word(i) != 0;
                wrong.then_some((Count, "a vector's count is not the number of its elements"))
            }
            VECTOR_NODE => top.vector_slot(i, sum),
            LIST if i == 2 => {
                top.key = sum;
                top.sum.known &= sum.known;
                None
            }
            LIST => {
                top.sum.known &= sum.known;
                top.sum.poly = top.key.hash.wrapping_mul(pow31(sum.size)).wrapping_add(sum.poly);
                top.sum.size = sum.size + 1;
                None
            }
            _ => {
                top.sum.known &= sum.known;
                None
            }
        };
        if let Some((kind, what)) = fault {
            self.find_here(kind, what);
        }
    }

    /// The sum of an object whose slots have all been seen.
    fn leave(&mut self, frame: Frame<'a>) -> Sum {
        let node = frame.node;
        let weight = frame.sum.weight;
        let fault = self.check_whole(&frame);
        let mut sum = frame.sum;
        match fault {
            Ok(hash) => sum.hash = hash,
            Err((kind, what)) => {
                self.find(kind, what, node.offset());
                sum.known = false;
            }
        }
        sum.weight = weight;
        if header_flags(node.header()) & FLAG_SHARED != 0 {
            self.shared.insert(node.offset(), (frame.role, sum));
        }
        sum
    }

    /// Checks what takes all slots to know; gives the hash.
    fn check_whole(&mut self, frame: &Frame) -> Result<u32, Fault> {
        let (node, sum) = (frame.node, frame.sum);
        self.check_keys(frame)?;
        let count = match node.kind() {
            ARRAY_MAP | MAP | SET | VECTOR | LIST | SORTED_MAP | SORTED_SET => node.low(1) as u64,
            RATIO | DECIMAL if sum.known => {
                object::check_parts(self.r, node)?;
                return Ok(hash_word(self.r, node.offset()).unwrap_or(0));
            }
            _ => return Ok(sum.hash),
        };
        if !sum.known {
            return Ok(0);
        }
        if sum.size != count {
            return Err((Count, "a collection's count is not the number of its elements"));
        }
        let folded = match node.kind() {
            VECTOR | LIST => pow31(sum.size).wrapping_add(sum.poly),
            _ => sum.hash,
        };
        let hash = hash::mix_coll_hash(folded as i32, count as u32) as u32;
        match hashing::known_hash(node) {
            stored if stored == 0 || stored == hash => Ok(hash),
            _ => Err((Hash, "the hash of a collection is not that of its content")),
        }
    }

    /// Slot `i` of the B+tree's leaf on top of the stack.
    fn leaf_slot(&mut self, i: usize, sum: Sum) {
        let Some(top) = self.stack.last_mut() else { return };
        let words = trie_shape(top.node).1;
        let is_key = (i - 2) % words == 0;
        let (before, is_first, word) = (top.key, i == 2, top.node.word(i));
        top.entry(i, is_key, words, sum);
        if !is_key {
            return;
        }
        let last = std::mem::replace(&mut top.sum.last, word);
        if is_first {
            top.sum.first = word;
        } else if before.known && sum.known {
            self.check_ascends(last, word, before.weight.min(sum.weight));
        }
    }

    /// Child `i` of the B+tree's node on top of the stack.
    fn child_slot(&mut self, i: usize, sum: Sum) {
        let Some(top) = self.stack.last_mut() else { return };
        let (node, n) = (top.node, top.node.low(1) as usize);
        let (place, was_known) = (i - 2, top.sum.known);
        top.sum.known &= sum.known;
        top.sum.hash = top.sum.hash.wrapping_add(sum.hash);
        top.sum.size += sum.size;
        let last = std::mem::replace(&mut top.sum.last, sum.last);
        if place == 0 {
            top.sum.first = sum.first;
        }
        if !sum.known {
            return;
        }
        if node.word(2 + n + place) != sum.first {
            return self.find_here(Order, "a B+tree's node has another key than its child");
        }
        if node.half(2 * (2 + 2 * n) + place) as u64 != sum.size {
            return self.find_here(Count, "a B+tree's node has another count than its child");
        }
        if place > 0 && was_known {
            self.check_ascends(last, sum.first, 1);
        }
    }

    /// Checks the order of two keys that follow each other in the sorted collection whose tree is on the stack.
    fn check_ascends(&mut self, a: u64, b: u64, steps: u64) {
        let head = self
            .stack
            .iter()
            .rev()
            .find(|f| matches!(f.node.kind(), SORTED_MAP | SORTED_SET));
        let (a, b) = match head.map(|f| f.node.word(4)) {
            Some(NIL) if steps <= COMPARE_MAX.min(self.compare) => (a, b),
            Some(ORDER_REVERSE) if steps <= COMPARE_MAX.min(self.compare) => (b, a),
            // Too long, or a comparator's order, which isn't known here.
            _ => return self.unchecked += 1,
        };
        self.compare -= steps;
        match compare(self.r, a, b) {
            Ok(order) if order.is_lt() => {}
            // A limit of ours, not of the slab.
            Err(Error::Limit(_)) => self.unchecked += 1,
            _ => self.find_here(Order, "the keys of a sorted collection don't ascend"),
        }
    }

    /// Is a key twice in an array map or collision node?
    fn check_keys(&mut self, frame: &Frame) -> Result<(), Fault> {
        for (n, &(i, hash, weight)) in frame.keys.iter().enumerate() {
            for &(j, other, other_weight) in frame.keys[..n].iter().filter(|k| k.1 == hash) {
                debug_assert_eq!(other, hash);
                let steps = weight.min(other_weight);
                if steps > COMPARE_MAX.min(self.compare) {
                    self.unchecked += 1;
                    continue;
                }
                self.compare -= steps;
                if key::same(self.r, frame.node.word(i), frame.node.word(j)).unwrap_or(false) {
                    return Err((Order, "a key is twice in a map or set"));
                }
            }
        }
        Ok(())
    }
}

impl Frame<'_> {
    /// Slot `i` is a key, or the value of the last key.
    fn entry(&mut self, i: usize, is_key: bool, words: usize, sum: Sum) {
        self.sum.known &= sum.known;
        if is_key {
            self.key = sum;
            if matches!(self.node.kind(), ARRAY_MAP | MAP_COLLISION | SET_COLLISION) && sum.known {
                self.keys.push((i, sum.hash, sum.weight));
            }
        }
        if is_key == (words == 1) {
            let hash = match words {
                1 => sum.hash,
                _ => hash::hash_map_entry(self.key.hash as i32, sum.hash as i32) as u32,
            };
            self.sum.hash = self.sum.hash.wrapping_add(hash);
            self.sum.size += 1;
        }
    }

    fn trie_slot(&mut self, i: usize, sum: Sum) -> Option<Fault> {
        let (children, words) = trie_shape(self.node);
        if i < 2 + children {
            self.sum.known &= sum.known;
            self.sum.hash = self.sum.hash.wrapping_add(sum.hash);
            self.sum.size += sum.size;
            return None;
        }
        let n = (i - 2 - children) / words;
        let is_key = (i - 2 - children) % words == 0;
        self.entry(i, is_key, words, sum);
        let Role::Trie(_, shift, path) = self.role else {
            return None;
        };
        if !is_key || !sum.known {
            return None;
        }
        let leads_here = match self.node.kind() {
            MAP_COLLISION | SET_COLLISION => sum.hash == path,
            _ => {
                let low = (1u64 << shift) as u32;
                (sum.hash ^ path) & low.wrapping_sub(1) == 0 && sum.hash >> shift & 31 == nth_bit(self.node.low(1), n)
            }
        };
        (!leads_here).then_some((Order, "a key lies where its hash doesn't lead"))
    }

    /// Appends the elements of a vector's node.
    fn extend(&mut self, sum: Sum) {
        self.sum.known &= sum.known || sum.size == 0 && self.node.kind() == VECTOR;
        self.sum.poly = self.sum.poly.wrapping_mul(pow31(sum.size)).wrapping_add(sum.poly);
        self.sum.size += sum.size;
    }

    fn vector_slot(&mut self, i: usize, sum: Sum) -> Option<Fault> {
        let Role::Leaves(shift) = self.role else { return None };
        if shift == 0 {
            self.sum.known &= sum.known;
            self.sum.poly = self.sum.poly.wrapping_mul(31).wrapping_add(sum.hash);
            self.sum.size += 1;
            return None;
        }
        self.extend(sum);
        let full = 1u64 << shift;
        let is_last = i + 1 == self.end;
        let fits = sum.size == full || is_last && sum.size <= full && sum.size % VECTOR_WIDTH as u64 == 0;
        (sum.known && !fits).then_some((Count, "a vector's node has another size than its place needs"))
    }
}

/// May an object of that type stand there?
fn check_role(node: Node, role: Role) -> Result<(), Fault> {
    let kind = node.kind();
    let is_fine = match role {
        Role::Value => object_kind(kind).is_some(),
        Role::Meta => matches!(kind, MAP | ARRAY_MAP | SORTED_MAP),
        Role::Order => false,
        Role::Tree(2, 0) => kind == BTREE_MAP_LEAF,
        Role::Tree(_, 0) => kind == BTREE_SET_LEAF,
        Role::Tree(entry, ANY_LEVEL) if kind != BTREE_NODE => (entry == 2) == (kind == BTREE_MAP_LEAF),
        Role::Tree(..) => kind == BTREE_NODE,
        Role::Integer => matches!(kind, I64 | BIGINT),
        Role::Rest(_) => kind == LIST,
        Role::Trie(2, 35, _) => kind == MAP_COLLISION,
        Role::Trie(2, ..) => kind == MAP_NODE,
        Role::Trie(_, 35, _) => kind == SET_COLLISION,
        Role::Trie(..) => kind == SET_NODE,
        Role::Leaves(_) => kind == VECTOR_NODE,
    };
    if !is_fine {
        return Err((Type, "an object has another type than its place says"));
    }
    match role {
        Role::Rest(left) if node.low(1) != left => Err((Count, "a list's cell has a wrong count")),
        Role::Tree(_, ANY_LEVEL) if kind == BTREE_NODE && node.low(1) < 2 => {
            Err((Form, "the root of a B+tree has a single child"))
        }
        Role::Tree(_, level) if level != ANY_LEVEL && node.high(1) != level as u32 => {
            Err((Form, "a B+tree's node is not of the level that its place says"))
        }
        Role::Trie(_, 35, path) if node.low(1) != path => {
            Err((Order, "a collision node lies where its hash doesn't lead"))
        }
        Role::Trie(entry, shift, _) if shift < 35 => {
            let (data, nodes) = (node.low(1), node.high(1));
            if shift > 0 && nodes == 0 && data.count_ones() < 2 {
                return Err((Form, "a node below the root has a single entry"));
            }
            // At the last level only two bits of the hash are left.
            if shift == 30 && (data | nodes) >> 4 != 0 {
                return Err((Form, "a node uses a place that no hash has"));
            }
            debug_assert!(entry == 1 || entry == 2);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn check_birth(header: u64, above: u64, stamp: u64) -> Result<(), Fault> {
    if header_fresh(header) {
        return Err((Birth, "an object that was never committed is reachable"));
    }
    if header_flags(header) & FLAG_IMMORTAL != 0 {
        return Err((Flags, "a value is marked as part of the symbol table"));
    }
    let birth = header_birth(header);
    if birth == 0 || birth > above {
        return Err((Birth, "an object is later than what points to it"));
    }
    if birth <= stamp {
        return Err((
            Birth,
            "an object is older than its block says: a recovery would free it",
        ));
    }
    Ok(())
}

/// What slot `i` of the object of `frame` leads to.
fn role_of(frame: &Frame, i: usize) -> Role {
    let node = frame.node;
    match (node.kind(), i) {
        (RATIO | DECIMAL, _) => Role::Integer,
        (ARRAY_MAP, 2) | (MAP | SET | SORTED_MAP | SORTED_SET, 3) | (VECTOR, 4) => Role::Meta,
        (SORTED_MAP | SORTED_SET, 4) => Role::Order,
        // An empty collection with metadata has no root.
        (MAP | SET | SORTED_MAP | SORTED_SET, _) | (VECTOR, 2 | 3) if node.word(i) == 0 => Role::Meta,
        (SORTED_MAP, _) => Role::Tree(2, ANY_LEVEL),
        (SORTED_SET, _) => Role::Tree(1, ANY_LEVEL),
        (BTREE_NODE, _) => match frame.role {
            Role::Tree(entry, _) => Role::Tree(entry, node.high(1).wrapping_sub(1) as u8),
            _ => Role::Value,
        },
        (MAP, _) => Role::Trie(2, 0, 0),
        (SET, _) => Role::Trie(1, 0, 0),
        (VECTOR, 2) => Role::Leaves(node.high(1) as u8),
        (VECTOR, _) => Role::Leaves(0),
        (MAP_NODE | SET_NODE, _) => match frame.role {
            Role::Trie(entry, shift, path) if i < 2 + node.high(1).count_ones() as usize => {
                let place = nth_bit(node.high(1), i - 2);
                Role::Trie(entry, shift + 5, path | place << shift)
            }
            _ => Role::Value,
        },
        (VECTOR_NODE, _) => match frame.role {
            Role::Leaves(shift) if shift > 0 => Role::Leaves(shift - 5),
            _ => Role::Value,
        },
        (LIST, 3) => Role::Rest(node.low(1).wrapping_sub(1)),
        _ => Role::Value,
    }
}

/// The way from the state down to the slot that is being visited: the atom's name, then the keys and indices.
fn path(r: Reader, stack: &[Frame]) -> String {
    let mut steps = Vec::new();
    let (mut index, mut in_list) = (0u64, 0u64);
    for f in stack {
        let (node, i) = (f.node, f.next.saturating_sub(1));
        let entry = |key: usize| {
            let label = label(r, node.word(key));
            if key == i && !matches!(node.kind(), SET_NODE | SET_COLLISION | BTREE_SET_LEAF) {
                format!("(key {label})")
            } else {
                label
            }
        };
        let (children, words) = trie_shape(node);
        match node.kind() {
            ARRAY_MAP if i >= 3 => steps.push(entry(3 + (i - 3) / 2 * 2)),
            MAP_NODE | SET_NODE | MAP_COLLISION | SET_COLLISION | BTREE_MAP_LEAF | BTREE_SET_LEAF
                if i >= 2 + children =>
            {
                let first = 2 + children;
                steps.push(entry(first + (i - first) / words * words));
            }
            VECTOR => index = if i == 3 { object::tree_len(node) } else { 0 },
            VECTOR_NODE => {
                if let Role::Leaves(shift) = f.role {
                    index += (i.saturating_sub(2) as u64) << shift;
                    if shift == 0 {
                        steps.push(index.to_string());
                    }
                }
            }
            LIST if i == 3 => in_list += 1,
            LIST => steps.push(std::mem::take(&mut in_list).to_string()),
            _ => {}
        }
        if matches!(
            (node.kind(), i),
            (ARRAY_MAP, 2) | (MAP | SET | SORTED_MAP | SORTED_SET, 3) | (VECTOR, 4)
        ) {
            steps.push("(meta)".into());
        }
        if node.kind() != LIST {
            in_list = 0;
        }
    }
    match steps.split_first() {
        None => String::new(),
        Some((atom, [])) => atom.clone(),
        Some((atom, keys)) => format!("{atom} [{}]", keys.join(" ")),
    }
}

/// A short text for a key.
fn label(r: Reader, key: u64) -> String {
    use crate::value::word::{kind, Kind};
    match kind(r, key) {
        Ok(Kind::Map | Kind::Set | Kind::Vector | Kind::List | Kind::Bytes) | Err(_) => format!("<object at {key:#x}>"),
        Ok(_) => match print::to_edn(r, key) {
            Ok(text) if text.chars().count() <= LABEL_MAX => text,
            Ok(text) => text.chars().take(LABEL_MAX).chain("...".chars()).collect(),
            Err(_) => format!("<object at {key:#x}>"),
        },
    }
}
