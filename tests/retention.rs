//! How much garbage waits in limbo: what pins hold, and a bounded part more.

mod support;

use eve::epoch::Shared;
use eve::slab::layout::*;
use eve::txn::{ops, transact, Txn};
use eve::value::{hash_word, word};
use eve::{Options, Outcome, Slab};
use std::sync::atomic::Ordering::*;
use support::{allocated, assert_exact, reachable};

const ENTRIES: i64 = 10_000;

fn slab() -> (Slab, u64) {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let m = s.intern(0, None, b"m").unwrap();
    transact(&s, |t| (0..ENTRIES).try_for_each(|i| assoc(t, m, i, i))).unwrap();
    (s, m)
}

fn assoc(t: &mut Txn, atom: u64, k: i64, v: i64) -> eve::Result<()> {
    let old = t.get(atom)?.unwrap_or(EMPTY_MAP);
    let (k, v) = (word::from_int(k).unwrap(), word::from_int(v).unwrap());
    let new = t.write(|w| {
        let _ = hash_word(w.reader(), k)?;
        ops::apply(w, 0, old, ops::Op::Assoc, &[k, v])
    })?;
    t.set(atom, new.unwrap())
}

/// Bytes of the blocks that were ever taken.
fn peak(s: &Slab) -> u64 {
    s.map().atomic_u64(CONTROL_HIGH_WATER).load(Relaxed) * BLOCK_SIZE - HEADER_SIZE
}

/// One commit in `group`; bytes retired so far.
fn commit_in(s: &Slab, m: u64, group: u32, i: i64) -> u64 {
    let mut t = Txn::begin(s, Some(group)).unwrap();
    assoc(&mut t, m, i % ENTRIES, -1 - i).unwrap();
    match t.commit(false).unwrap() {
        Outcome::Committed(view) => view.retired,
        Outcome::Conflict => unreachable!("nobody else commits"),
    }
}

/// Commits as a collected runtime does: a group a MiB of garbage, which are all closed when `garbage` bytes have gathered. `collections` times.
fn churn(s: &Slab, m: u64, garbage: u64, collections: usize) {
    let mut i = 0;
    for _ in 0..collections {
        let mut groups = vec![s.open_group().unwrap()];
        let start = commit_in(s, m, groups[0], i);
        let mut opened = start;
        loop {
            i += 1;
            let retired = commit_in(s, m, *groups.last().unwrap(), i);
            if retired - start > garbage {
                break;
            }
            if retired - opened > 1 << 20 {
                groups.push(s.open_group().unwrap());
                opened = retired;
            }
        }
        groups.into_iter().for_each(|g| s.close_group(g).unwrap());
    }
}

#[test]
fn garbage_of_closed_groups_is_used_again_before_the_next_is_made() {
    let (s, m) = slab();
    let live = peak(&s);
    let garbage = 24 << 20;
    churn(&s, m, garbage, 12);
    let (peak, bound) = (peak(&s), live + garbage + garbage / 4);
    assert!(peak <= bound, "{peak} bytes were taken, {bound} are enough");
    assert_exact(&s);
}

#[test]
fn much_that_is_held_does_not_delay_what_is_not() {
    let (s, m) = slab();
    let g = s.open_group().unwrap();
    (0..30_000).for_each(|i| {
        commit_in(&s, m, g, i);
    });
    let before = peak(&s);
    for i in 0..20_000 {
        transact(&s, |t| assoc(t, m, i % ENTRIES, i)).unwrap();
    }
    // As much as waits before a drain, and blocks of a few classes.
    assert!(
        peak(&s) < before + (5 << 20),
        "{} more bytes were taken",
        peak(&s) - before
    );
    s.close_group(g).unwrap();
    assert_exact(&s);
}

#[test]
fn garbage_of_a_thread_that_stopped_writing_is_freed_at_the_second_look_after_its_groups_were_closed() {
    let (s, m) = slab();
    let g = s.open_group().unwrap();
    (0..2000).for_each(|i| {
        commit_in(&s, m, g, i);
    });
    s.close_group(g).unwrap();
    let before = allocated(&s).len();
    s.reclaim_idle().unwrap();
    assert_eq!(allocated(&s).len(), before, "it was in use until then");
    s.reclaim_idle().unwrap();
    let after = allocated(&s).len();
    assert!(
        after + 4000 < before && after == reachable(&s).len(),
        "{before}, {after}"
    );
}

#[test]
fn garbage_of_a_process_that_only_reads_from_now_on_is_freed() {
    let (s, m) = slab();
    let g = s.open_group().unwrap();
    (0..2000).for_each(|i| {
        commit_in(&s, m, g, i);
    });
    s.close_group(g).unwrap();
    let read = s.open_group().unwrap();
    for _ in 0..3 {
        // With the worker that the garbage waits in.
        drop(s.snapshot().unwrap());
        s.group_view(read).unwrap();
        s.reclaim_idle().unwrap();
    }
    assert_eq!(allocated(&s).len(), reachable(&s).len());
}

#[test]
fn a_thread_that_writes_keeps_its_agent_while_others_look_for_idle_ones() {
    let (s, m) = slab();
    let g = s.open_group().unwrap();
    for i in 0..500 {
        commit_in(&s, m, g, i);
        s.reclaim_idle().unwrap();
    }
    let agents = (0..s.map().agents()).filter(|&i| s.map().agent(i).owner.load(Relaxed) != 0);
    assert_eq!(agents.count(), 1);
    assert!(
        allocated(&s).len() > reachable(&s).len() + 1500,
        "the group holds what it held"
    );
}

#[test]
fn the_end_of_an_old_snapshot_is_news_to_writers() {
    let (s, m) = slab();
    let old = s.snapshot().unwrap();
    let commits = |n: i64| {
        for i in 0..n {
            transact(&s, |t| assoc(t, m, i % ENTRIES, -i)).unwrap();
        }
    };
    commits(3 * ENTRIES);
    let news = s.map().releases().load(Relaxed);
    drop(s.snapshot().unwrap());
    assert_eq!(s.map().releases().load(Relaxed), news);
    drop(old);
    assert_eq!(s.map().releases().load(Relaxed), news + 1);
    commits(200);
    assert!(allocated(&s).len() < reachable(&s).len() + 1000, "what it held is free");
}

/// Fills the slab up: the error.
fn fill(s: &Slab, m: u64) -> eve::Error {
    let large = "x".repeat(50_000);
    let make = |i: i64| {
        transact(s, |t| {
            let old = t.get(m)?.unwrap_or(EMPTY_MAP);
            let new = t.write(|w| {
                let v = eve::value::text::make(w, large.as_bytes())?;
                ops::apply(w, 0, old, ops::Op::Assoc, &[word::from_int(i).unwrap(), v])
            })?;
            t.set(m, new.unwrap())
        })
    };
    (0..).find_map(|i| make(i).err()).unwrap()
}

#[test]
fn the_error_of_a_full_slab_says_who_holds_which_old_versions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.slab");
    let options = Options {
        max_bytes: HEADER_SIZE + (8 << 20),
        ..Options::default()
    };
    let s = Slab::open(&path, &options).unwrap();
    let m = s.intern(0, None, b"m").unwrap();
    transact(&s, |t| assoc(t, m, 1, 1)).unwrap();
    let other = Slab::open(&path, &options).unwrap();
    let group = other.open_group().unwrap();
    let from = other.group_view(group).unwrap().version;
    let snapshot = s.snapshot().unwrap();
    transact(&s, |t| assoc(t, m, 1, 2)).unwrap();
    let e = fill(&s, m).to_string();
    assert!(e.contains("max_bytes"), "{e}");
    let pid = std::process::id();
    let held = format!("held by process {pid} (this one): {from} (for ");
    assert!(
        e.contains(&held) && e.contains(" MiB), process ") && e.ends_with(&format!("(this one): {from}")),
        "{e}"
    );
    drop(snapshot);
    other.close_group(group).unwrap();
    let e = fill(&s, m).to_string();
    assert!(e.contains("Nobody holds a version before the current one"), "{e}");
}
