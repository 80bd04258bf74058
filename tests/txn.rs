//! Transactions as their users see them: versions, conflicts, rebase, what is freed and when.

use eve::coll::{self, iter::Iter, map};
use eve::slab::layout::*;
use eve::value::build::{self, BuildBuffer};
use eve::value::{hash_word, number, word};
use eve::{transact, Options, Outcome, Slab, SyncMode, Txn};
use std::collections::HashMap;
use std::sync::atomic::Ordering::*;

mod support;

use support::{allocated, assert_exact};

fn slab() -> Slab {
    Slab::anonymous(&Options::default()).unwrap()
}

fn kw(s: &Slab, name: &str) -> u64 {
    s.intern(0, None, name.as_bytes()).unwrap()
}

fn set_int(s: &Slab, atom: u64, i: i64) {
    transact(s, |t| t.set(atom, word::from_int(i).unwrap())).unwrap();
}

fn get(s: &Slab, atom: u64) -> Option<u64> {
    let snap = s.snapshot().unwrap();
    coll::get(snap.reader(), snap.view().state, atom).unwrap()
}

fn assoc(t: &mut Txn, atom: u64, k: i64, v: i64) -> eve::Result<()> {
    let m = t.get(atom)?.unwrap_or(EMPTY_MAP);
    let new = t.write(|w| {
        let key = number::make_i64(w, k)?;
        let hash = hash_word(w.reader(), key)?;
        let value = number::make_i64(w, v)?;
        map::assoc(w, 0, m, key, hash, value)
    })?;
    t.set(atom, new)
}

#[test]
fn a_commit_makes_the_next_version_and_readers_keep_theirs() {
    let s = slab();
    let a = kw(&s, "a");
    let v0 = s.version().unwrap();
    set_int(&s, a, 1);
    let old = s.snapshot().unwrap();
    set_int(&s, a, 2);
    assert_eq!(s.version().unwrap(), v0 + 2);
    assert_eq!(coll::get(old.reader(), old.view().state, a).unwrap(), word::from_int(1));
    assert_eq!(get(&s, a), word::from_int(2));
    assert_eq!(get(&s, kw(&s, "other")), None);
}

#[test]
fn an_aborted_or_dropped_transaction_leaves_nothing() {
    let s = slab();
    let a = kw(&s, "a");
    set_int(&s, a, 1);
    let before = allocated(&s);
    let mut t = Txn::begin(&s, None).unwrap();
    for i in 0..1000 {
        assoc(&mut t, kw(&s, "m"), i, i).unwrap();
    }
    drop(t);
    assert_eq!(get(&s, kw(&s, "m")), None);
    assert_eq!(allocated(&s), before);
}

#[test]
fn setting_an_atom_to_the_value_it_has_makes_no_version() {
    let s = slab();
    let a = kw(&s, "a");
    set_int(&s, a, 1);
    let v = s.version().unwrap();
    set_int(&s, a, 1);
    assert_eq!(s.version().unwrap(), v);
}

#[test]
fn a_commit_that_cannot_be_made_durable_says_that_it_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        sync: SyncMode::Commit,
        ..Options::default()
    };
    let s = Slab::open(&dir.path().join("s.eve"), &options).unwrap();
    let a = kw(&s, "a");
    set_int(&s, a, 1);
    let durable = || s.map().atomic_u64(CONTROL_DURABLE).load(Relaxed);
    assert_eq!(durable(), s.version().unwrap());
    // As a failed fdatasync leaves it.
    s.map().atomic_u32(CONTROL_SYNC_ERROR).store(5, Relaxed);
    let error = transact(&s, |t| t.set(a, word::from_int(2).unwrap())).unwrap_err();
    assert!(matches!(&error, eve::Error::NotDurable(e) if e.version == s.version().unwrap()));
    assert_eq!((error.code(), error.os_error()), (-18, 5));
    assert!(error.to_string().contains("don't run the change again"), "{error}");
    assert_eq!(get(&s, a), word::from_int(2));
    assert_eq!(durable(), s.version().unwrap() - 1);
}

#[test]
fn one_assoc_commits_free_exactly_what_died() {
    let s = slab();
    let m = kw(&s, "m");
    for i in 0..3000 {
        transact(&s, |t| assoc(t, m, i % 700, i)).unwrap();
    }
    for i in 0..700 {
        transact(&s, |t| {
            let map_word = t.get(m)?.unwrap();
            let key = word::from_int(i).unwrap();
            let new = t.write(|w| map::dissoc(w, 0, map_word, key, hash_word(w.reader(), key)?))?;
            t.set(m, new)
        })
        .unwrap();
        if i % 50 == 0 {
            assert_exact(&s);
        }
    }
    assert_exact(&s);
    assert_eq!(get(&s, m), Some(EMPTY_MAP));
}

#[test]
fn many_assocs_in_one_transaction_leave_no_intermediate() {
    let s = slab();
    let m = kw(&s, "m");
    transact(&s, |t| (0..5000).try_for_each(|i| assoc(t, m, i, i))).unwrap();
    assert_exact(&s);
    transact(&s, |t| (0..5000).try_for_each(|i| assoc(t, m, i, i + 1))).unwrap();
    assert_exact(&s);
}

#[test]
fn a_pinned_version_keeps_its_objects_and_only_those() {
    let s = slab();
    let m = kw(&s, "m");
    transact(&s, |t| (0..2000).try_for_each(|i| assoc(t, m, i, i))).unwrap();
    let old = s.snapshot().unwrap();
    for i in 0..2000 {
        transact(&s, |t| assoc(t, m, i, -i)).unwrap();
    }
    s.reclaim();
    let mine = coll::get(old.reader(), old.view().state, m).unwrap().unwrap();
    let content: HashMap<u64, u64> = Iter::new(old.reader(), mine).unwrap().map(Result::unwrap).collect();
    assert_eq!(content.len(), 2000);
    assert!(content.iter().all(|(k, v)| k == v));
    drop(old);
    assert_exact(&s);
}

#[test]
fn a_value_put_under_two_keys_survives_the_loss_of_one() {
    let s = slab();
    let (a, b) = (kw(&s, "a"), kw(&s, "b"));
    let buffer = BuildBuffer::new().vector(40, |b, i| b.int(i as i64)).finish();
    transact(&s, |t| {
        let v = t.write(|w| build::value(w, &buffer))?;
        t.set(a, v)?;
        t.set(b, v)
    })
    .unwrap();
    transact(&s, |t| t.remove(a)).unwrap();
    set_int(&s, kw(&s, "other"), 5);
    s.reclaim();
    let snap = s.snapshot().unwrap();
    let v = coll::get(snap.reader(), snap.view().state, b).unwrap().unwrap();
    assert_eq!(coll::count(snap.reader(), v).unwrap(), 40);
    coll::check(snap.reader(), v).unwrap();
}

#[test]
fn a_new_text_that_is_key_and_value_of_one_entry_survives_as_key() {
    let s = slab();
    let m = kw(&s, "m");
    for i in 0..20 {
        transact(&s, |t| assoc(t, m, i, i)).unwrap();
    }
    let put = |value: Option<i64>| {
        transact(&s, |t| {
            let old = t.get(m)?.unwrap();
            let new = t.write(|w| {
                let key = eve::value::text::make(w, b"a text that is no immediate")?;
                let hash = hash_word(w.reader(), key)?;
                map::assoc(w, 0, old, key, hash, value.map_or(key, |i| word::from_int(i).unwrap()))
            })?;
            t.set(m, new)
        })
        .unwrap()
    };
    put(None);
    put(Some(1));
    assert_exact(&s);
    let snap = s.snapshot().unwrap();
    let text = eve::value::print::to_edn(snap.reader(), get(&s, m).unwrap()).unwrap();
    assert!(text.contains("\"a text that is no immediate\" 1"), "{text}");
}

#[test]
fn a_value_moved_between_atoms_survives_commits_on_both() {
    let s = slab();
    let (a, b) = (kw(&s, "a"), kw(&s, "b"));
    transact(&s, |t| (0..100).try_for_each(|i| assoc(t, a, i, i))).unwrap();
    transact(&s, |t| {
        let v = t.get(a)?.unwrap();
        t.set(b, v)
    })
    .unwrap();
    for i in 0..2500 {
        transact(&s, |t| assoc(t, a, i, -1)).unwrap();
    }
    s.reclaim();
    let snap = s.snapshot().unwrap();
    let v = coll::get(snap.reader(), snap.view().state, b).unwrap().unwrap();
    coll::check(snap.reader(), v).unwrap();
    assert!(Iter::new(snap.reader(), v)
        .unwrap()
        .all(|e| matches!(e, Ok((k, v)) if k == v)));
}

#[test]
fn a_lost_race_on_another_atom_is_rebased_and_on_the_same_is_a_conflict() {
    let s = slab();
    let (a, b) = (kw(&s, "a"), kw(&s, "b"));
    transact(&s, |t| (0..100).try_for_each(|i| assoc(t, a, i, i))).unwrap();
    let mut t = Txn::begin(&s, None).unwrap();
    assoc(&mut t, a, 7, 700).unwrap();
    set_int(&s, b, 1);
    let Outcome::Committed(v) = t.commit(false).unwrap() else {
        panic!("only another atom changed")
    };
    assert_eq!(v.version, s.version().unwrap());
    assert_eq!(get(&s, b), word::from_int(1));
    assert_exact(&s);

    let mut t = Txn::begin(&s, None).unwrap();
    assoc(&mut t, a, 8, 800).unwrap();
    transact(&s, |t| assoc(t, a, 9, 900)).unwrap();
    assert!(matches!(t.commit(false).unwrap(), Outcome::Conflict));
    assert_exact(&s);
}

#[test]
fn a_slow_writer_among_fast_ones_needs_no_more_records() {
    let s = slab();
    let (a, b) = (kw(&s, "a"), kw(&s, "b"));
    set_int(&s, a, 0);
    let records = s.map().atomic_u32(CONTROL_RECORDS_BACKED).load(Relaxed);
    for round in 0..4 {
        let mut slow = Txn::begin(&s, None).unwrap();
        slow.set(a, word::from_int(round).unwrap()).unwrap();
        // More versions than there are records: none of them can be judged by what the slow one has seen.
        for i in 0..2 * records as i64 {
            set_int(&s, b, i);
        }
        assert!(matches!(slow.commit(false).unwrap(), Outcome::Committed(_)), "rebased");
        assert_eq!(get(&s, a), word::from_int(round));
    }
    assert_eq!(s.map().atomic_u32(CONTROL_RECORDS_BACKED).load(Relaxed), records);
}

#[test]
fn an_atom_that_was_read_conflicts_too_even_if_it_was_absent() {
    let s = slab();
    let (a, b) = (kw(&s, "a"), kw(&s, "b"));
    let mut t = Txn::begin(&s, None).unwrap();
    assert_eq!(t.get(b).unwrap(), None);
    t.set(a, TRUE).unwrap();
    set_int(&s, b, 1);
    assert!(matches!(t.commit(false).unwrap(), Outcome::Conflict));
}

#[test]
fn a_value_of_another_atom_linked_in_a_lost_race_is_not_rebased() {
    let s = slab();
    let (a, b) = (kw(&s, "a"), kw(&s, "b"));
    transact(&s, |t| (0..100).try_for_each(|i| assoc(t, b, i, i))).unwrap();
    let mut t = Txn::begin(&s, None).unwrap();
    // Read through the base's state, not through the transaction: the commit doesn't know of the dependence.
    let from_b = coll::get(s.reader(), t.base().state, b).unwrap().unwrap();
    t.set(a, from_b).unwrap();
    for i in 0..100 {
        transact(&s, |t| assoc(t, b, i, -1)).unwrap();
    }
    assert!(matches!(t.commit(false).unwrap(), Outcome::Conflict));
    assert_exact(&s);
}

#[test]
fn escaped_objects_stay_readable_while_their_group_does() {
    let s = slab();
    let a = kw(&s, "a");
    set_int(&s, a, 1);
    let group = s.open_group().unwrap();
    let mut t = Txn::begin(&s, Some(group)).unwrap();
    let buffer = BuildBuffer::new().vector(40, |b, i| b.int(i as i64)).finish();
    let escaped = t.write(|w| build::value(w, &buffer)).unwrap();
    t.abort(true);
    for i in 0..2000 {
        set_int(&s, a, i);
    }
    s.reclaim();
    assert_eq!(coll::count(s.reader(), escaped).unwrap(), 40);
    coll::check(s.reader(), escaped).unwrap();
    s.close_group(group).unwrap();
    set_int(&s, a, -1);
    assert_exact(&s);
}

#[test]
fn the_number_of_a_closed_group_stays_invalid_when_its_place_is_used_again() {
    let s = slab();
    let first = s.open_group().unwrap();
    s.close_group(first).unwrap();
    assert!(s.close_group(first).is_err());
    let again = s.open_group().unwrap();
    assert_ne!(again, first);
    assert!(s.close_group(first).is_err(), "a late second close");
    assert!(s.group_view(first).is_err() && Txn::begin(&s, Some(first)).is_err());
    for made_up in [0, 1 << 31, u32::MAX, again + (1 << 13)] {
        assert!(s.group_view(made_up).is_err());
    }
    assert_eq!(s.group_view(again).unwrap().version, s.version().unwrap());
    s.close_group(again).unwrap();
}

/// Builds a vector in a new transaction: its word.
fn begin_with_vector(s: &Slab, group: u32) -> (Txn, u64) {
    let mut t = Txn::begin(s, Some(group)).unwrap();
    let buffer = BuildBuffer::new().vector(40, |b, i| b.int(i as i64)).finish();
    let v = t.write(|w| build::value(w, &buffer)).unwrap();
    (t, v)
}

#[test]
fn escaped_objects_are_freed_when_the_slab_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.eve");
    let s = Slab::open(&path, &Options::default()).unwrap();
    set_int(&s, kw(&s, "a"), 1);
    let group = s.open_group().unwrap();
    let (t, _) = begin_with_vector(&s, group);
    t.abort(true);
    // Another opening keeps the slab as it is, and holds the version that the vector was made in.
    let other = Slab::open(&path, &Options::default()).unwrap();
    let _pin = other.snapshot().unwrap();
    s.close().unwrap();
    assert_exact(&other);
}

#[test]
fn escaped_objects_of_more_transactions_than_a_process_keeps_agents_for_stay_and_go() {
    let s = slab();
    set_int(&s, kw(&s, "a"), 1);
    let group = s.open_group().unwrap();
    let all: Vec<_> = (0..300).map(|_| begin_with_vector(&s, group)).collect();
    let words: Vec<u64> = all.iter().map(|(_, v)| *v).collect();
    all.into_iter().for_each(|(t, _)| t.abort(true));
    (0..500).for_each(|i| set_int(&s, kw(&s, "a"), i));
    s.reclaim();
    words.iter().for_each(|&v| coll::check(s.reader(), v).unwrap());
    s.close_group(group).unwrap();
    set_int(&s, kw(&s, "a"), -1);
    assert_exact(&s);
}

#[test]
fn values_of_another_transaction_are_refused() {
    let s = slab();
    let buffer = BuildBuffer::new().vector(40, |b, i| b.int(i as i64)).finish();
    let mut other = Txn::begin(&s, None).unwrap();
    let foreign = other.write(|w| build::value(w, &buffer)).unwrap();
    let mut t = Txn::begin(&s, None).unwrap();
    t.set(kw(&s, "a"), foreign).unwrap();
    assert!(t.commit(false).is_err());
    assert_eq!(get(&s, kw(&s, "a")), None);
}

#[test]
fn threads_that_increment_one_atom_lose_nothing() {
    let s = slab();
    let (a, n, threads) = (kw(&s, "a"), 3000, 4);
    set_int(&s, a, 0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..n {
                    transact(&s, |t| {
                        let i = word::int(t.get(a)?.unwrap()).unwrap();
                        t.set(a, word::from_int(i + 1).unwrap())
                    })
                    .unwrap();
                }
            });
        }
        scope.spawn(|| {
            let mut last = 0;
            while last < n * threads {
                let snap = s.snapshot().unwrap();
                let now = word::int(coll::get(snap.reader(), snap.view().state, a).unwrap().unwrap()).unwrap();
                assert!(now >= last, "time ran backwards");
                last = now;
            }
        });
    });
    assert_eq!(get(&s, a), word::from_int(n * threads));
    assert_exact(&s);
}

#[test]
fn readers_see_whole_versions_while_threads_move_money() {
    const ACCOUNTS: i64 = 500;
    let s = slab();
    let bank = kw(&s, "bank");
    transact(&s, |t| (0..ACCOUNTS).try_for_each(|i| assoc(t, bank, i, 100))).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let done = &done;
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3u64)
            .map(|id| {
                let s = &s;
                scope.spawn(move || {
                    let mut x = id * 7919 + 1;
                    for _ in 0..3000 {
                        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                        let (from, to) = ((x >> 33) as i64 % ACCOUNTS, (x >> 13) as i64 & 0xFFFF);
                        let to = to % ACCOUNTS;
                        transact(s, |t| {
                            let m = t.get(bank)?.unwrap();
                            let r = s.reader();
                            let read = |k: i64| {
                                Ok::<i64, eve::Error>(
                                    word::int(coll::get(r, m, word::from_int(k).unwrap())?.unwrap()).unwrap(),
                                )
                            };
                            let (f, g) = (read(from)?, read(to)?);
                            if from != to {
                                assoc(t, bank, from, f - 1)?;
                                assoc(t, bank, to, g + 1)?;
                            }
                            Ok(())
                        })
                        .unwrap();
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    let snap = s.snapshot().unwrap();
                    let r = snap.reader();
                    let m = coll::get(r, snap.view().state, bank).unwrap().unwrap();
                    let sum: i64 = Iter::new(r, m).unwrap().map(|e| word::int(e.unwrap().1).unwrap()).sum();
                    assert_eq!(sum, ACCOUNTS * 100, "version {}", snap.view().version);
                }
            });
        }
        writers.into_iter().for_each(|w| w.join().unwrap());
        done.store(true, Relaxed);
    });
    assert_exact(&s);
}

#[test]
fn a_waiter_wakes_for_a_commit_and_for_its_time() {
    let s = slab();
    let a = kw(&s, "a");
    let seen = s.version().unwrap();
    assert_eq!(s.wait(seen, Some(std::time::Duration::from_millis(20))).unwrap(), None);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| s.wait(seen, None).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(50));
        set_int(&s, a, 1);
        assert_eq!(waiter.join().unwrap(), Some(seen + 1));
    });
}
