//! Damaged slabs and full disks: an error or a wrong answer, never a panic, a hang or a read outside.

use super::*;
use crate::coll::{self, list, map, set, vector};
use crate::error::Error;
use crate::slab::writer::{Uncommitted, PERSISTENT};
use proptest::prelude::*;

/// Collections of every kind with the objects that make them up.
fn collections(w: &mut Writer) -> (Vec<u64>, Vec<u64>) {
    let pool = key_pool(w);
    let (mut m, mut small, mut s) = (EMPTY_MAP, EMPTY_MAP, EMPTY_SET);
    for words in &pool {
        let hash = hash_of(w.reader(), words[0]);
        m = map::assoc(w, PERSISTENT, m, words[0], hash, NIL).unwrap();
        s = set::conj(w, PERSISTENT, s, words[0], hash).unwrap();
        if map::count(w.reader(), small).unwrap() < 8 {
            small = map::assoc(w, PERSISTENT, small, words[0], hash, NIL).unwrap();
        }
    }
    let words: Vec<u64> = (0..1200).map(int).collect();
    let v = vector::from_words(w, &words).unwrap();
    let l = list::from_words(w, &words[..50]).unwrap();
    let colls = vec![m, small, s, v, l];
    let r = w.reader();
    let mut objects = colls.clone();
    let mut i = 0;
    while i < objects.len() {
        let node = r.node(objects[i]).unwrap();
        objects.extend(slots(node).unwrap().map(|i| node.word(i)).filter(|&x| is_pointer(x)));
        i += 1;
    }
    (colls, objects)
}

/// Every operation, for its effect on a damaged collection: what it answers doesn't matter.
fn use_all(w: &mut Writer, coll: u64, token: u32, keys: &[u64]) {
    let r = w.reader();
    let _ = check(r, coll);
    if let Ok(iter) = Iter::new(r, coll) {
        let bound = iter.remaining() + 1;
        assert!(iter.take(bound.saturating_add(1)).count() <= bound);
    }
    for &key in keys {
        let _ = coll::get(r, coll, key);
        let _ = coll::nth(r, coll, (key >> 1) & 2047);
    }
    for &key in keys {
        let Ok(hash) = value::hash_word(r, key) else { continue };
        let _ = map::assoc(w, token, coll, key, hash, int(5));
        let _ = map::dissoc(w, token, coll, key, hash);
        let _ = set::conj(w, token, coll, key, hash);
        let _ = set::disj(w, token, coll, key, hash);
        let _ = vector::assoc(w, token, coll, (key >> 1) as usize & 2047, NIL);
    }
    for _ in 0..40 {
        let _ = vector::conj(w, token, coll, NIL);
        let _ = vector::pop(w, token, coll);
    }
    let _ = list::rest(r, coll);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_collection_gives_errors_or_wrong_answers(
        damage in prop::collection::vec((any::<prop::sample::Index>(), 1..40usize, 0..4u8, any::<prop::sample::Index>(), any::<u64>()), 1..4),
    ) {
        with_writer(|w| {
            let (colls, objects) = collections(w);
            let keys: Vec<u64> = key_pool(w).into_iter().flatten().collect();
            for (object, word, how, other, bits) in damage {
                let at = objects[object.index(objects.len())];
                let node = w.memory().map.node_mut(at);
                let new = match how {
                    0 => node.word(word) ^ 1 << (bits % 64),
                    1 => objects[other.index(objects.len())],
                    2 => bits,
                    _ => at,
                };
                node.set(word, new);
            }
            for coll in colls {
                use_all(w, coll, PERSISTENT, &keys);
            }
        });
    }
}

#[test]
fn a_trie_that_contains_itself_ends_in_an_error() {
    with_writer(|w| {
        let node = w.alloc(MAP_NODE, (2 + 32) * 8, None, 0).unwrap();
        node.set_halves(1, 0, u32::MAX);
        for i in 0..32 {
            node.set(2 + i, node.offset());
        }
        let m = head::put(w, 0, MAP, None, 1 << 14, node.offset(), NIL).unwrap();
        let r = w.reader();
        assert!(matches!(check(r, m), Err(Error::Corrupt(_))));
        assert!(matches!(coll::get(r, m, int(1)), Err(Error::Corrupt(_))));
        assert!(Iter::new(r, m).unwrap().any(|x| x.is_err()));
        assert!(map::assoc(w, 0, m, int(1), 5, NIL).is_err());
        assert!(map::dissoc(w, 0, m, int(1), 5).is_err());
        let m = head::put(w, 0, MAP, None, 1 << 30, node.offset(), NIL).unwrap();
        assert!(
            check(r, m).is_err() && Iter::new(r, m).is_err(),
            "more elements than the slab has room for"
        );
    });
}

#[test]
fn a_list_that_contains_itself_ends_in_an_error() {
    with_writer(|w| {
        let l = list::from_words(w, &[NIL, NIL, NIL]).unwrap();
        w.memory().map.node_mut(l).set(list::REST, l);
        let r = w.reader();
        assert!(check(r, l).is_err());
        assert!(list::nth(r, l, 2).is_err());
        assert!(Iter::new(r, l).unwrap().nth(1).unwrap().is_err());
    });
}

#[test]
fn every_invariant_is_checked() {
    with_writer(|w| {
        let (colls, _) = collections(w);
        // A wrong count in each head.
        for &c in &colls {
            check(w.reader(), c).unwrap();
            let head = w.memory().map.node_mut(c);
            let was = head.word(1);
            head.set(1, was + 1);
            let twice = head.word(1) as u32 as usize <= ARRAY_MAP_MAX;
            assert!(twice || check(w.reader(), c).is_err());
            head.set(1, was);
        }
        let r = w.reader();
        let root = w.memory().map.node_mut(root_of(r, colls[0]));
        let maps = root.word(1);
        root.set(1, maps.rotate_left(1));
        assert!(check(r, colls[0]).is_err(), "keys at other places");
        root.set(1, maps | maps >> 32);
        assert!(check(r, colls[0]).is_err(), "entry and child at one place");
        root.set(1, maps);
        check(r, colls[0]).unwrap();
    });
}

#[test]
fn a_full_disk_leaves_the_old_version_whole() {
    let memory = TestMemory::with_limit(HEADER_SIZE + 6 * BLOCK_SIZE);
    let mut alloc = Allocator::new(0);
    let mut own = Uncommitted::default();
    let mut w = Writer::new(memory.memory(), &mut alloc, 1, &mut own);
    let w = &mut w;
    for token in [PERSISTENT, w.new_token()] {
        let (mut m, mut n) = (EMPTY_MAP, 0);
        let error = loop {
            match map::assoc(w, token, m, int(n), value::hash::hash_long(n) as u32, int(n)) {
                Ok(new) => (m, n) = (new, n + 1),
                Err(e) => break e,
            }
        };
        assert!(matches!(error, Error::Full(_)) && n > 0);
        check(w.reader(), m).unwrap();
        assert_eq!(map::count(w.reader(), m).unwrap(), n as usize);
        w.free_all();
    }
}
