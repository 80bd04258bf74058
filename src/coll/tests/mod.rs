//! Tests of the collections: against models, old versions kept, invariants walked after every step.

mod hostile;
mod maps;
mod sequences;
mod sorted;

use super::{check, head, iter::Iter};
use crate::slab::alloc::Allocator;
use crate::slab::layout::*;
use crate::slab::mapping::Reader;
use crate::slab::slots::slots;
use crate::slab::test_memory::TestMemory;
use crate::slab::writer::{Uncommitted, Writer};
use crate::value;
use std::collections::HashSet;

/// Runs `f` with a writer over empty memory.
fn with_writer<T>(f: impl FnOnce(&mut Writer) -> T) -> T {
    let memory = TestMemory::new();
    let mut alloc = Allocator::new(0);
    let mut own = Uncommitted::default();
    let mut w = Writer::new(memory.memory(), &mut alloc, 1, &mut own);
    f(&mut w)
}

fn int(i: i64) -> u64 {
    (i << 1 | 1) as u64
}

/// A keyword whose hash we choose.
fn keyword(id: u32, hash: u32) -> u64 {
    DESC_KEYWORD as u64 | (id as u64) << 8 | (hash as u64) << 32
}

/// A text with its own hash, or one that we choose.
fn text(w: &mut Writer, s: &str, hash: Option<u32>) -> u64 {
    let hash = hash.unwrap_or(value::hash::hash_string(s.as_bytes()) as u32);
    let start = if s.is_ascii() { 16 } else { 24 };
    let size = start + s.len();
    let node = w.alloc(TEXT, size, None, 0).unwrap();
    node.set_halves(1, hash, s.encode_utf16().count() as u32);
    if s.is_ascii() {
        w.set_flags(node, FLAG_ASCII);
    } else {
        node.set_halves(2, s.len() as u32, 0);
    }
    node.put_bytes(start, s.as_bytes(), size);
    node.offset()
}

fn hash_of(r: Reader, word: u64) -> u32 {
    super::key::hash_of(r, word).unwrap()
}

/// Keys that meet in every way: pool[i] are the words of key i, equal to each other and to no others.
fn key_pool(w: &mut Writer) -> Vec<Vec<u64>> {
    let mut pool: Vec<Vec<u64>> = (-3..20).map(|i| vec![int(i)]).collect();
    // Hashes that agree in 32, 30, 25, 5 and 0 low bits.
    for (i, hash) in [
        7u32,
        7,
        7,
        7,
        7 | 1 << 30,
        7 | 3 << 30,
        7 | 1 << 25,
        7 | 9 << 5,
        8,
        0,
        u32::MAX,
        u32::MAX,
    ]
    .iter()
    .enumerate()
    {
        pool.push(vec![keyword(i as u32, *hash)]);
    }
    let long = "long ".repeat(2000);
    for (s, hash) in [
        ("eight by", None),
        ("nine byte", None),
        ("same hash, one", Some(7)),
        ("same hash, two", Some(7)),
        ("same hash, other length", Some(7)),
        ("s\u{e4}me hash, one", Some(7)),
        ("\u{1F600} zw\u{f6}lf", None),
        (&long, None),
        (&long[1..], Some(99)),
        (&(long[1..9999].to_string() + "X"), Some(99)),
    ] {
        pool.push(vec![text(w, s, hash), text(w, s, hash)]);
    }
    pool
}

fn items(r: Reader, coll: u64) -> Vec<(u64, u64)> {
    Iter::new(r, coll).unwrap().map(Result::unwrap).collect()
}

/// Fresh objects that are reachable from `root`, without texts.
fn reachable(w: &Writer, root: u64) -> usize {
    let r = w.reader();
    let mut seen = HashSet::new();
    let mut todo = vec![root];
    while let Some(word) = todo.pop() {
        if !is_pointer(word) || !seen.insert(word) {
            continue;
        }
        let node = r.node(word).unwrap();
        assert!(node.header() != 0, "a freed object is reachable");
        todo.extend(slots(node).unwrap().map(|i| node.word(i)));
    }
    seen.into_iter()
        .filter(|&at| r.node(at).unwrap().kind() != TEXT)
        .count()
}

/// Are the tries below two nodes of equal shape, with equal words but for the order in collision nodes?
fn same_trie(r: Reader, a: u64, b: u64) -> bool {
    let (x, y) = (r.node(a).unwrap(), r.node(b).unwrap());
    let (range, others) = (slots(x).unwrap(), slots(y).unwrap());
    if x.kind() != y.kind() || x.word(1) != y.word(1) {
        return false;
    }
    if matches!(x.kind(), MAP_COLLISION | SET_COLLISION) {
        let sorted = |n: crate::slab::mapping::Node, range: std::ops::Range<usize>| {
            let mut words: Vec<u64> = range.map(|i| n.word(i)).collect();
            words.sort_unstable();
            words
        };
        return sorted(x, range) == sorted(y, others);
    }
    range.into_iter().all(|i| {
        let (v, w) = (x.word(i), y.word(i));
        let trie = |word: u64| is_pointer(word) && (MAP_NODE..=SET_COLLISION).contains(&r.node(word).unwrap().kind());
        v == w || (trie(v) && trie(w) && same_trie(r, v, w))
    })
}

fn root_of(r: Reader, coll: u64) -> u64 {
    r.node(coll).unwrap().word(head::ROOT)
}
