//! The tracing collector: what it frees, what it must not, beside writers, readers and other collectors.

use eve::coll::{map, sorted, vector};
use eve::slab::layout::*;
use eve::slab::writer::PERSISTENT;
use eve::value::{hash_word, print, text, word};
use eve::{transact, Options, Result, Slab, Txn};
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};

mod support;

const ATOMS: i64 = 6;

fn int(i: i64) -> u64 {
    word::from_int(i).expect("small")
}

fn value(t: &mut Txn, atom: i64) -> Result<u64> {
    Ok(t.get(int(atom))?.unwrap_or(NIL))
}

/// A vector of two atoms' values and a new text: the values get a second parent.
fn join(t: &mut Txn, to: i64, a: i64, b: i64, n: u64) -> Result<()> {
    let (a, b) = (value(t, a)?, value(t, b)?);
    let v = t.write(|w| {
        let note = text::make(w, format!("a text that is no immediate {n}").as_bytes())?;
        let mut v = EMPTY_VECTOR;
        for x in [a, b, note] {
            v = vector::conj(w, PERSISTENT, v, x)?;
        }
        Ok::<u64, eve::Error>(v)
    })?;
    t.set(int(to), v)
}

/// A sorted set of texts, in which those of an atom's are, without a few: the sets share leaves.
fn sort(t: &mut Txn, to: i64, from: i64, n: u64) -> Result<()> {
    let from = value(t, from)?;
    let s = t.write(|w| {
        let mut s = match sorted::is_sorted(w.reader(), from)? {
            true => from,
            false => sorted::empty_set(w, if n % 2 == 0 { NIL } else { ORDER_REVERSE })?,
        };
        let token = if n % 3 == 0 { w.new_token() } else { PERSISTENT };
        for i in 0..n % 90 {
            let key = text::make(w, format!("a text that is no immediate {}", (n + i) % 120).as_bytes())?;
            s = if n % 4 == 0 {
                sorted::dissoc(w, token, s, key, None)?
            } else {
                sorted::assoc(w, token, s, key, NIL, None)?
            };
        }
        Ok::<u64, eve::Error>(s)
    })?;
    t.set(int(to), s)
}

/// A map of `n` new texts, with an atom's value under a key if it is not too deep.
fn fill(t: &mut Txn, to: i64, from: Option<i64>, n: u64) -> Result<()> {
    let from = from.map(|a| value(t, a)).transpose()?;
    let m = t.write(|w| {
        let mut m = EMPTY_MAP;
        for i in 0..(n % 40) as i64 {
            let v = text::make(w, format!("a text that is no immediate {n} {i}").as_bytes())?;
            m = map::assoc(w, PERSISTENT, m, int(i), hash_word(w.reader(), int(i))?, v)?;
        }
        match from {
            Some(v) => map::assoc(w, PERSISTENT, m, int(-1), hash_word(w.reader(), int(-1))?, v),
            None => Ok(m),
        }
    })?;
    t.set(int(to), m)
}

#[derive(Clone, Debug)]
enum Step {
    Join(i64, i64, i64),
    Fill(i64, Option<i64>, u64),
    Sort(i64, i64, u64),
    Remove(i64),
    Abort(i64),
    Snapshot,
    Release(usize),
    Group,
    CloseGroup,
    Sync,
    Gc,
}

fn step() -> impl Strategy<Value = Step> {
    let atom = || 0..ATOMS;
    prop_oneof![
        3 => (atom(), atom(), atom()).prop_map(|(a, b, c)| Step::Join(a, b, c)),
        3 => (atom(), prop::option::of(atom()), any::<u64>()).prop_map(|(a, b, n)| Step::Fill(a, b, n)),
        3 => (atom(), atom(), any::<u64>()).prop_map(|(a, b, n)| Step::Sort(a, b, n)),
        2 => atom().prop_map(Step::Remove),
        1 => atom().prop_map(Step::Abort),
        1 => Just(Step::Snapshot),
        1 => any::<usize>().prop_map(Step::Release),
        1 => Just(Step::Group),
        1 => Just(Step::CloseGroup),
        1 => Just(Step::Sync),
        2 => Just(Step::Gc),
    ]
}

/// The text of an atom's values is bounded: sharing makes them grow without end otherwise.
const DEEP: usize = 20_000;

fn text_of(s: &Slab, state: u64) -> String {
    print::to_edn(s.reader(), state).unwrap()
}

fn run(s: &Slab, steps: &[Step]) {
    let mut snapshots = Vec::new();
    let mut group: Option<(u32, u64, String)> = None;
    for (n, step) in steps.iter().enumerate() {
        let now = s.snapshot().unwrap();
        let too_deep = text_of(s, now.view().state).len() > DEEP;
        drop(now);
        match *step {
            Step::Join(to, a, b) if !too_deep => {
                transact(s, |t| join(t, to, a, b, n as u64)).unwrap();
            }
            Step::Fill(to, from, k) => {
                let from = from.filter(|_| !too_deep);
                transact(s, |t| fill(t, to, from, k)).unwrap();
            }
            Step::Sort(to, from, k) => {
                transact(s, |t| sort(t, to, from, k)).unwrap();
            }
            Step::Join(a, ..) | Step::Remove(a) => {
                transact(s, |t| t.remove(int(a))).unwrap();
            }
            Step::Abort(a) => {
                let mut t = Txn::begin(s, None).unwrap();
                fill(&mut t, a, None, 30).unwrap();
                t.abort(false);
            }
            Step::Snapshot => {
                let snap = s.snapshot().unwrap();
                let text = text_of(s, snap.view().state);
                snapshots.push((snap, text));
            }
            Step::Release(i) if !snapshots.is_empty() => {
                let (snap, text) = snapshots.swap_remove(i % snapshots.len());
                assert_eq!(text_of(s, snap.view().state), text);
            }
            Step::Group if group.is_none() => {
                let g = s.open_group().unwrap();
                let view = s.group_view(g).unwrap();
                group = Some((g, view.state, text_of(s, view.state)));
            }
            Step::CloseGroup | Step::Release(_) | Step::Group => {
                if let Some((g, state, text)) = group.take() {
                    assert_eq!(text_of(s, state), text);
                    s.close_group(g).unwrap();
                }
            }
            Step::Sync => {
                s.sync().unwrap();
            }
            Step::Gc => {
                s.gc().unwrap();
            }
        }
    }
    for (snap, text) in &snapshots {
        assert_eq!(&text_of(s, snap.view().state), text);
    }
    if let Some((g, state, text)) = group {
        assert_eq!(text_of(s, state), text);
        s.close_group(g).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(debug_assertions) { 40 } else { 400 }, ..ProptestConfig::default() })]

    #[test]
    fn after_a_trace_the_slab_holds_what_is_reachable(steps in prop::collection::vec(step(), 1..80)) {
        let s = Slab::anonymous(&Options::default()).unwrap();
        run(&s, &steps);
        s.gc().unwrap();
        support::assert_exact(&s);
    }

}

proptest! {
    // Each makes many syncs.
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_synced_slab_holds_what_is_reachable_or_durable(steps in prop::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let s = Slab::open(&dir.path().join("s"), &Options::default()).unwrap();
        run(&s, &steps);
        // Both superblocks move past what the program has made.
        for i in 0..2 {
            transact(&s, |t| t.set(int(99), int(i))).unwrap();
            s.sync().unwrap();
        }
        s.gc().unwrap();
        support::assert_exact(&s);
    }
}

#[test]
fn what_two_atoms_shared_is_freed_when_both_let_go() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    transact(&s, |t| fill(t, 0, None, 39)).unwrap();
    transact(&s, |t| join(t, 1, 0, 0, 1)).unwrap();
    transact(&s, |t| t.remove(int(0))).unwrap();
    let before = s.gc().unwrap();
    assert_eq!(before.swept.freed, 0, "the other atom has it");
    transact(&s, |t| t.remove(int(1))).unwrap();
    let after = s.gc().unwrap();
    assert!(after.swept.freed >= 40, "{after:?}");
    support::assert_exact(&s);
}

#[test]
fn a_snapshot_keeps_what_a_trace_finds_unreachable() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    transact(&s, |t| fill(t, 0, None, 39)).unwrap();
    transact(&s, |t| join(t, 1, 0, 0, 1)).unwrap();
    let group = s.open_group().unwrap();
    let held = s.group_view(group).unwrap();
    let text = text_of(&s, held.state);
    for a in 0..2 {
        transact(&s, |t| t.remove(int(a))).unwrap();
    }
    for _ in 0..3 {
        let traced = s.gc().unwrap();
        assert_eq!(traced.swept.freed, 0, "{traced:?}");
        assert_eq!(text_of(&s, held.state), text);
    }
    s.close_group(group).unwrap();
    s.reclaim();
    support::assert_exact(&s);
}

#[test]
fn empty_blocks_serve_objects_of_any_size() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let high = || s.map().atomic_u64(CONTROL_HIGH_WATER).load(Relaxed);
    let fill_with = |bytes: usize| {
        transact(&s, |t| {
            let v = t.write(|w| {
                let mut v = EMPTY_VECTOR;
                for i in 0..(8 << 20) / bytes {
                    let x = text::make(w, format!("{i} {}", "x".repeat(bytes)).as_bytes())?;
                    v = vector::conj(w, PERSISTENT, v, x)?;
                }
                Ok::<u64, eve::Error>(v)
            })?;
            t.set(int(0), v)
        })
        .unwrap();
        transact(&s, |t| t.remove(int(0))).unwrap();
        s.gc().unwrap();
    };
    fill_with(100);
    let first = high();
    for bytes in [200, 400, 1000, 3000, 9000, 100_000, 150] {
        fill_with(bytes);
    }
    assert!(high() < first * 3 / 2, "{} blocks, {first} after the first", high());
    support::assert_exact(&s);
}

#[test]
fn writers_readers_and_collectors_at_once() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let (stop, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    let n = if cfg!(debug_assertions) { 300 } else { 3000 };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3u64)
            .map(|k| {
                let s = &s;
                scope.spawn(move || {
                    let mut x = k + 1;
                    for i in 0..n {
                        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                        let (a, b, c) = (
                            (x >> 33) as i64 % ATOMS,
                            (x >> 40) as i64 % ATOMS,
                            (x >> 50) as i64 % ATOMS,
                        );
                        match x >> 61 {
                            0..3 => transact(s, |t| fill(t, a, None, x >> 20)).map(|_| ()),
                            3 | 4 => transact(s, |t| {
                                fill(t, b, None, i)?;
                                join(t, a, b, b, i)
                            })
                            .map(|_| ()),
                            5 | 6 => transact(s, |t| fill(t, a, (b % 2 == 0).then_some(c), 3)).map(|_| ()),
                            _ => transact(s, |t| {
                                t.remove(int(a))?;
                                t.remove(int(b))
                            })
                            .map(|_| ()),
                        }
                        .unwrap();
                        if i % 7 == 0 {
                            // Nothing gets deeper than this.
                            transact(s, |t| (0..ATOMS).try_for_each(|a| t.remove(int(a)))).unwrap();
                        }
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Acquire) {
                    let snap = s.snapshot().unwrap();
                    let first = text_of(&s, snap.view().state);
                    std::thread::yield_now();
                    assert_eq!(text_of(&s, snap.view().state), first);
                }
            });
            scope.spawn(|| {
                while !stop.load(Acquire) {
                    s.gc().unwrap();
                    rounds.fetch_add(1, Relaxed);
                }
            });
        }
        let ended: Vec<_> = writers.into_iter().map(|w| w.join()).collect();
        stop.store(true, Release);
        ended.into_iter().for_each(|r| r.unwrap());
    });
    assert!(rounds.load(Relaxed) > 2);
    s.gc().unwrap();
    support::assert_exact(&s);
}

#[test]
fn shared_garbage_is_traced_in_the_background() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let round = |i: u64| {
        // A value with two parents, which lose it one after the other: only a trace can free it.
        transact(&s, |t| fill(t, 0, None, 39 + 40 * i)).unwrap();
        transact(&s, |t| join(t, 1, 0, 0, i)).unwrap();
        transact(&s, |t| t.remove(int(0))).unwrap();
        transact(&s, |t| t.remove(int(1))).unwrap();
    };
    // Some 5 KiB each: 150 MiB in all, 2400 blocks. How far we run ahead of the traces is the scheduler's.
    for i in 0..30_000 {
        round(i);
    }
    let blocks = s.map().atomic_u64(CONTROL_HIGH_WATER).load(Relaxed);
    assert!(blocks < 1800, "{blocks} blocks of 64 KiB");
}
