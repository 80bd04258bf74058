//! The symbol table: one word for each name, for ever, whoever interns it and whoever dies doing so.

use eve::epoch::Shared;
use eve::slab::alloc::Allocator;
use eve::slab::layout::*;
use eve::value::{hash, print, symbol, word};
use eve::{Error, Options, Slab};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering::*};

fn slab() -> Slab {
    Slab::anonymous(&Options::default()).unwrap()
}

type Name = (u8, Option<Vec<u8>>, Vec<u8>);

/// 256 namespaces of equal hash with one name: all their keywords have one hash, and all their symbols.
fn colliding() -> impl Iterator<Item = Name> {
    (0..512u32).map(|i| {
        let namespace = (0..8)
            .flat_map(|bit| if i >> bit & 1 == 0 { *b"Aa" } else { *b"BB" })
            .collect();
        ((i >> 8) as u8, Some(namespace), b"n".to_vec())
    })
}

fn names() -> Vec<Name> {
    let plain = (0..4000u32).map(|i| {
        let name = if i % 3 == 0 {
            format!("n{i}")
        } else {
            format!("a longer name, {i}")
        };
        (
            (i % 2) as u8,
            (i % 5 == 0).then(|| b"some.namespace".to_vec()),
            name.into_bytes(),
        )
    });
    plain
        .chain(colliding())
        .chain([(0, None, b"".to_vec()), (0, Some(b"".to_vec()), b"".to_vec())])
        .collect()
}

fn intern(s: &Slab, n: &Name) -> u64 {
    s.intern(n.0, n.1.as_deref(), &n.2).unwrap()
}

fn find(s: &Slab, n: &Name) -> Option<u64> {
    symbol::find(s.map(), n.0, n.1.as_deref(), &n.2).unwrap()
}

/// Offset of the table's entry for a keyword or symbol.
fn entry(s: &Slab, w: u64) -> u64 {
    let id = word::symbol(w).unwrap().id as u64;
    let k = (id / 64 + 1).ilog2() as u64;
    let directory = s.map().atomic_u64(CONTROL_SYMBOLS).load(Acquire);
    s.map().atomic_u64(directory + 16 + 8 * k).load(Acquire) + 16 + 8 * (id - 64 * ((1 << k) - 1))
}

/// Waits until all four threads have got as far as this one: spinning, so that they go on within less than a microsecond of each other.
fn meet(arrived: &AtomicUsize, round: usize) {
    arrived.fetch_add(1, AcqRel);
    let mut spins = 0;
    while arrived.load(Acquire) < 4 * (round + 1) {
        spins += 1;
        if spins % 500 == 0 {
            std::thread::yield_now();
        }
        std::hint::spin_loop();
    }
}

#[test]
fn a_name_has_one_word_whichever_of_four_threads_interns_it() {
    let s = slab();
    let names = names();
    let arrived = AtomicUsize::new(0);
    // Panics only after the last meeting: the others would wait for ever.
    let results: Vec<Vec<_>> = std::thread::scope(|scope| {
        let run = || {
            let each = |(round, n): (usize, &Name)| {
                meet(&arrived, round);
                let w = s.intern(n.0, n.1.as_deref(), &n.2);
                // Usable at once.
                w.and_then(|w| Ok((w, symbol::name_of(s.reader(), w)?)))
            };
            names.iter().enumerate().map(each).collect()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let word = |(n, r): (&Name, eve::Result<(u64, (Option<Vec<u8>>, Vec<u8>))>)| {
        let (w, name) = r.unwrap();
        assert_eq!(name, (n.1.clone(), n.2.clone()));
        w
    };
    let words: Vec<Vec<u64>> = results
        .into_iter()
        .map(|r| names.iter().zip(r).map(word).collect())
        .collect();
    assert!(words.iter().all(|w| *w == words[0]));
    assert_eq!(words[0].iter().collect::<HashSet<_>>().len(), names.len());
    let ids: HashSet<u32> = words[0].iter().map(|&w| word::symbol(w).unwrap().id).collect();
    assert_eq!(ids.len(), names.len(), "an id is given once");
    for (n, &w) in names.iter().zip(&words[0]) {
        assert_eq!(find(&s, n), Some(w));
        let hash = if n.0 == 0 {
            hash::hash_keyword(n.1.as_deref(), &n.2)
        } else {
            hash::hash_symbol(n.1.as_deref(), &n.2)
        };
        assert_eq!(word::symbol(w).unwrap().hash, hash as u32);
    }
    assert_eq!(find(&s, &(0, None, b"never interned".to_vec())), None);
    assert_eq!(find(&s, &(0, Some(b"AaAaAaAaAaAaAaAa".to_vec()), b"m".to_vec())), None);
}

#[test]
fn names_that_are_too_long_or_no_text_are_errors() {
    let s = slab();
    assert!(matches!(s.intern(0, None, &vec![b'x'; 65535]), Err(Error::Limit(_))));
    assert!(matches!(
        s.intern(0, Some(&vec![b'x'; 65535]), b"n"),
        Err(Error::Limit(_))
    ));
    assert!(matches!(s.intern(0, None, &[0xC0]), Err(Error::Arg(_))));
    assert!(matches!(s.intern(2, None, b"n"), Err(Error::Arg(_))));
    let longest = vec![b'x'; 65534];
    let w = s.intern(0, Some(&longest), &longest).unwrap();
    assert_eq!(print::to_edn(s.reader(), w).unwrap().len(), 1 + 65534 + 1 + 65534);
}

#[test]
fn a_full_table_is_an_error_and_old_names_stay() {
    let s = slab();
    let w = s.intern(0, None, b"old").unwrap();
    s.map().atomic_u32(CONTROL_SYMBOL_NEXT).store(SYMBOLS_MAX - 1, Release);
    let last = s.intern(0, None, b"the last one that fits").unwrap();
    assert_eq!(word::symbol(last).unwrap().id, SYMBOLS_MAX - 1);
    assert!(matches!(s.intern(0, None, b"one too many"), Err(Error::Limit(_))));
    assert_eq!(s.intern(0, None, b"old").unwrap(), w);
    assert_eq!(print::to_edn(s.reader(), last).unwrap(), ":the last one that fits");
}

/// The winner of a name was killed before it set the entry of its id.
#[test]
fn an_entry_that_is_missing_is_set_before_the_word_is_used() {
    let s = slab();
    for n in names() {
        intern(&s, &n);
    }
    let n = (0, None, b"killed here".to_vec());
    let w = intern(&s, &n);
    let slot = s.map().atomic_u64(entry(&s, w));
    let object = slot.swap(0, AcqRel);
    assert_eq!(find(&s, &n), None, "no value can hold it");
    assert!(matches!(symbol::name_of(s.reader(), w), Err(Error::Corrupt(_))));
    assert_eq!(intern(&s, &n), w);
    assert_eq!(slot.load(Acquire), object);
    assert_eq!(find(&s, &n), Some(w));
}

#[test]
fn without_a_trie_names_are_found_by_their_entries() {
    let s = slab();
    let words: HashMap<Name, u64> = names()
        .into_iter()
        .step_by(9)
        .map(|n| (n.clone(), intern(&s, &n)))
        .collect();
    s.map().atomic_u64(CONTROL_SYMBOL_TRIE).store(0, Release);
    assert!(words.iter().all(|(n, &w)| find(&s, n) == Some(w)));
    assert_eq!(find(&s, &(0, None, b"never interned".to_vec())), None);
}

#[test]
fn a_recovered_table_has_the_same_words_and_drops_what_was_not_written_whole() {
    let s = slab();
    let words: HashMap<Name, u64> = names().into_iter().map(|n| (n.clone(), intern(&s, &n))).collect();
    let torn = (0, None, b"the text of this name never reached the disk".to_vec());
    let object = s.map().atomic_u64(entry(&s, intern(&s, &torn))).load(Acquire);
    let text = s.map().atomic_u64(object + 24).load(Relaxed);
    s.map().atomic_u64(text + 16).store(0, Relaxed);
    let agent = s.map().agents() - 1;
    symbol::rebuild_trie(s.memory(), &mut Allocator::new(agent as u16)).unwrap();
    assert!(words.iter().all(|(n, &w)| find(&s, n) == Some(w) && intern(&s, n) == w));
    assert_eq!(find(&s, &torn), None);
    let again = intern(&s, &torn);
    assert_eq!(
        print::to_edn(s.reader(), again).unwrap(),
        ":the text of this name never reached the disk"
    );
    assert_ne!(s.map().atomic_u64(entry(&s, again)).load(Acquire), object);
}

/// Whatever the bytes of the table say, an answer or an error comes back.
#[test]
fn a_damaged_table_gives_errors_not_crashes() {
    let s = slab();
    let some: Vec<Name> = names().into_iter().step_by(40).collect();
    let words: Vec<u64> = some.iter().map(|n| intern(&s, n)).collect();
    let root = s.map().atomic_u64(CONTROL_SYMBOL_TRIE).load(Acquire);
    let mut seed = 99u64;
    for round in 0..3000 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let object = s.map().atomic_u64(entry(&s, words[round % words.len()])).load(Acquire);
        let base = [root, object, object, s.map().atomic_u64(CONTROL_SYMBOLS).load(Acquire)][round % 4];
        let at = base + 8 * ((seed >> 33) % if round % 4 == 0 { 66 } else { 4 });
        let word = s.map().atomic_u64(at);
        let was = word.load(Relaxed);
        let values = [
            0,
            root,
            object,
            was ^ 1 << (seed >> 58),
            !0,
            (seed >> 20) & !15,
            CONTROL,
        ];
        word.store(values[(seed >> 40) as usize % values.len()], Relaxed);
        for (n, &w) in some.iter().zip(&words) {
            let _ = symbol::find(s.map(), n.0, n.1.as_deref(), &n.2);
            let _ = symbol::name_of(s.reader(), w);
        }
        word.store(was, Relaxed);
    }
    assert!(some.iter().zip(&words).all(|(n, &w)| find(&s, n) == Some(w)));
}

#[test]
fn a_cell_that_was_told_free_twice_becomes_a_symbol_or_its_text_and_not_both() {
    let s = slab();
    let mut alloc = Allocator::new(63);
    let size = 32;
    let at = alloc.alloc(s.memory(), size, 1).unwrap();
    (0..2).for_each(|_| alloc.give(at, class_of(size)));
    // Its text takes a cell of the symbol's size.
    let name = b"of 16 bytes here";
    assert_eq!(class_of(16 + name.len()), class_of(size));
    let word = symbol::intern(s.memory(), &mut alloc, 0, None, name).unwrap();
    assert_eq!(symbol::name_of(s.reader(), word).unwrap(), (None, name.to_vec()));
}

/// Bytes of the blocks in use.
fn in_use(s: &Slab) -> u64 {
    let word = |at| s.map().atomic_u64(at).load(Relaxed);
    (word(CONTROL_HIGH_WATER) - word(CONTROL_FREE_BLOCKS)) * BLOCK_SIZE
}

#[test]
fn recoveries_in_a_row_leave_no_tries_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("a"), dir.path().join("b"));
    let atom = word::from_int(1).unwrap();
    let s = Slab::open(&path, &Options::default()).unwrap();
    let names: Vec<Name> = (0..20_000u32)
        .map(|i| (0, None, format!("a name, {i}").into_bytes()))
        .collect();
    let words: Vec<u64> = names.iter().map(|n| intern(&s, n)).collect();
    let mut s = s;
    let mut sizes = Vec::new();
    for i in 0..20 {
        for _ in 0..3 {
            eve::transact(&s, |t| t.set(atom, word::from_int(i).unwrap())).unwrap();
            s.sync().unwrap();
        }
        // A copy of a slab in use is one that the machine has stopped in.
        std::fs::copy(&path, &copy).unwrap();
        s.close().unwrap();
        drop(s);
        std::fs::rename(&copy, &path).unwrap();
        s = Slab::open(&path, &Options::default()).unwrap();
        assert!(names.iter().zip(&words).all(|(n, &w)| find(&s, n) == Some(w)));
        sizes.push(in_use(&s));
    }
    // A trie takes 2.4 MiB. What the commits of each opening leave to a trace is a block.
    assert!(sizes[19] <= sizes[0] + 20 * BLOCK_SIZE, "{sizes:?}");
    s.gc().unwrap();
    assert!(in_use(&s) <= sizes[0], "{} of {sizes:?}", in_use(&s));
    assert!(names.iter().zip(&words).all(|(n, &w)| find(&s, n) == Some(w)));
}

#[test]
fn a_collection_frees_the_symbols_that_nobody_finds() {
    let s = slab();
    let words: HashMap<Name, u64> = names().into_iter().map(|n| (n.clone(), intern(&s, &n))).collect();
    let before = s.gc().unwrap().swept;
    assert_eq!(before.freed, 0);
    // Symbols whose makers were killed before the table had them: as if they had never been put there.
    let lost: Vec<Name> = (0..100u32)
        .map(|i| (0, None, format!("a lost symbol, {i}").into_bytes()))
        .collect();
    let made: Vec<u64> = lost.iter().map(|n| intern(&s, n)).collect();
    let objects: Vec<u64> = made
        .iter()
        .map(|&w| s.map().atomic_u64(entry(&s, w)).load(Acquire))
        .collect();
    made.iter()
        .for_each(|&w| s.map().atomic_u64(entry(&s, w)).store(0, Release));
    let mut todo = vec![s.map().atomic_u64(CONTROL_SYMBOL_TRIE).load(Acquire)];
    while let Some(node) = todo.pop() {
        for slot in (node + 16..node + 16 + 8 * 64).step_by(8) {
            let slot = s.map().atomic_u64(slot);
            match slot.load(Acquire) {
                0 => {}
                at if objects.contains(&at) => slot.store(0, Release),
                at if header_kind(s.map().atomic_u64(at).load(Relaxed)) == SYMBOL_TRIE => todo.push(at),
                _ => {}
            }
        }
    }
    let swept = s.gc().unwrap().swept;
    assert!(swept.freed >= 200, "{swept:?}");
    assert!(words.iter().all(|(n, &w)| find(&s, n) == Some(w) && intern(&s, n) == w));
    assert!(lost.iter().all(|n| find(&s, n).is_none()));
    assert!(eve::tools::verify(&s, &mut |_, _, _| {}).unwrap().findings.is_empty());
}
