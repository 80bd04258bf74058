//! The tracing collector where it meets blocks that change hands, and what a crash of the machine leaves behind.

use eve::coll::vector;
use eve::slab::layout::*;
use eve::value::{text, word};
use eve::{transact, Options, Slab, Txn};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::*};

mod support;

fn int(i: i64) -> u64 {
    word::from_int(i).expect("small")
}

/// Sets atom `to` to a vector of `n` texts of `bytes` bytes and more.
fn texts(t: &mut Txn, to: i64, n: usize, bytes: usize) -> eve::Result<()> {
    let v = t.write(|w| {
        let (mut v, token) = (EMPTY_VECTOR, w.new_token());
        for i in 0..n {
            let x = text::make(w, format!("{} {i}", "x".repeat(bytes)).as_bytes())?;
            v = vector::conj(w, token, v, x)?;
        }
        Ok::<u64, eve::Error>(v)
    })?;
    t.set(int(to), v)
}

/// Blocks in use.
fn blocks(s: &Slab) -> u64 {
    let word = |at| s.map().atomic_u64(at).load(Relaxed);
    word(CONTROL_HIGH_WATER) - word(CONTROL_FREE_BLOCKS)
}

/// The slab as it would be found after a crash of the machine now, if all pages had been written.
fn crashed(s: &Slab, dir: &std::path::Path) -> Slab {
    let copy = dir.join("after the crash");
    std::fs::copy(s.path().unwrap(), &copy).unwrap();
    Slab::open(&copy, &Options::default()).unwrap()
}

#[test]
fn a_block_that_is_taken_while_it_is_swept_keeps_its_new_objects() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|a| {
                let s = &s;
                scope.spawn(move || {
                    for _ in 0..2000 {
                        transact(s, |t| texts(t, a, 500, 20)).unwrap();
                        transact(s, |t| t.remove(int(a))).unwrap();
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Acquire) {
                    s.gc().unwrap();
                }
            });
        }
        let ended: Vec<_> = writers.into_iter().map(|w| w.join()).collect();
        stop.store(true, Release);
        ended.into_iter().for_each(|r| r.unwrap());
    });
    s.gc().unwrap();
    support::assert_exact(&s);
}

#[test]
fn an_uncommitted_large_object_is_freed_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let s = Slab::open(&dir.path().join("s"), &Options::default()).unwrap();
    let mut t = Txn::begin(&s, None).unwrap();
    texts(&mut t, 0, 3, 1_000_000).unwrap();
    transact(&s, |t| t.set(int(1), int(1))).unwrap();
    s.sync().unwrap();
    let r = crashed(&s, dir.path());
    drop(t);
    r.gc().unwrap();
    support::assert_exact(&r);
}

/// Sets the atoms 0 and 1 to vectors of `n` texts each, made by turns.
fn by_turns(t: &mut Txn, n: usize) -> eve::Result<()> {
    let both = t.write(|w| {
        let (mut both, token) = ([EMPTY_VECTOR; 2], w.new_token());
        for i in 0..2 * n {
            let x = text::make(w, format!("a text that is no immediate {i}").as_bytes())?;
            both[i % 2] = vector::conj(w, token, both[i % 2], x)?;
        }
        Ok::<_, eve::Error>(both)
    })?;
    t.set(int(0), both[0])?;
    t.set(int(1), both[1])
}

#[test]
fn cells_that_were_free_at_a_crash_are_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let s = Slab::open(&dir.path().join("s"), &Options::default()).unwrap();
    transact(&s, |t| by_turns(t, 50_000)).unwrap();
    // Every second cell is free, in a private list of an agent.
    transact(&s, |t| t.remove(int(1))).unwrap();
    s.sync().unwrap();
    s.reclaim();
    let r = crashed(&s, dir.path());
    r.gc().unwrap();
    support::assert_exact(&r);
    let before = blocks(&r);
    transact(&r, |t| texts(t, 1, 40_000, 32)).unwrap();
    assert!(blocks(&r) < before + 8, "{} blocks, {before} before", blocks(&r));
}

/// Holds the current version of the slab named in the environment until it is killed. Not a test but the child of one.
#[test]
#[ignore]
fn hold() {
    let Some(path) = std::env::var_os("EVE_TEST_HOLD") else {
        return;
    };
    let s = Slab::open(path.as_ref(), &Options::default()).unwrap();
    let held = s.snapshot().unwrap();
    println!("\nholds version {}", held.view().version);
    loop {
        std::thread::park();
    }
}

#[test]
fn what_a_killed_process_held_is_freed_by_a_trace() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let s = Slab::open(&path, &Options::default()).unwrap();
    transact(&s, |t| by_turns(t, 1000)).unwrap();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hold", "--ignored", "--nocapture"])
        .env("EVE_TEST_HOLD", &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("holds version")));
    transact(&s, |t| t.remove(int(0))).unwrap();
    s.sync().unwrap();
    let held = s.gc().unwrap();
    assert_eq!(held.swept.freed, 0, "{held:?}");
    holder.kill().unwrap();
    holder.wait().unwrap();
    s.gc().unwrap();
    support::assert_exact(&s);
}

/// A drain leaves what it frees in the agent's own blocks as it is, until the cell is used again: only the agent knows. So another process takes it for garbage
/// that something may hold, and waits with it. That must cost nothing but the count.
#[test]
fn what_another_process_has_freed_counts_as_held_and_is_used_again_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Slab::open(&dir.path().join("s"), &Options::default()).unwrap();
    let (owner, other) = (open(), open());
    let turn = |n| {
        for i in 0..n {
            transact(&owner, |t| texts(t, 0, 1000, i % 7)).unwrap();
        }
    };
    turn(20);
    let used = blocks(&owner);
    let group = other.open_group().unwrap();
    other.group_view(group).unwrap();
    transact(&owner, |t| t.set(int(1), int(1))).unwrap();
    let held = other.gc().unwrap().swept.held;
    assert!(
        held > 1000,
        "{held} objects count as held; a version reaches about a thousand"
    );
    // The owner goes on with its cells, and the other one's entries name nothing any more.
    turn(50);
    assert!(blocks(&owner) <= used + 16, "{} blocks, {used} before", blocks(&owner));
    other.close_group(group).unwrap();
    other.gc().unwrap();
    turn(1);
    for s in [&owner, &other] {
        s.sync().unwrap();
        transact(s, |t| t.set(int(1), int(2))).unwrap();
        s.sync().unwrap();
        s.gc().unwrap();
    }
    owner.gc().unwrap();
    assert_eq!(other.gc().unwrap().swept.held, 0);
    support::assert_exact(&owner);
}
