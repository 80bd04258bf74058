//! When commits reach the disk: the sync modes, the thread in the background, shared flushes.

use eve::slab::layout::*;
use eve::value::build::{self, BuildBuffer};
use eve::value::word;
use eve::{transact, Options, Slab, SyncMode};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.eve");
    (dir, path)
}

fn open(path: &Path, sync: SyncMode) -> Slab {
    let options = Options {
        sync,
        ..Options::default()
    };
    Slab::open(path, &options).unwrap()
}

fn set(s: &Slab, i: i64) -> eve::Result<u64> {
    let atom = s.intern(0, None, b"a")?;
    Ok(transact(s, |t| t.set(atom, word::from_int(i).unwrap()))?.1.version)
}

fn durable(s: &Slab) -> u64 {
    s.map().atomic_u64(CONTROL_DURABLE).load(Acquire)
}

/// How often a version was written to disk: a sync writes each superblock once, with the next sequence number.
fn flushes(s: &Slab) -> u64 {
    [SUPERBLOCK_A, SUPERBLOCK_B]
        .map(|at| s.map().atomic_u64(at + 8).load(Acquire))
        .into_iter()
        .max()
        .unwrap()
        / 2
}

/// Waits until `done`, under a watchdog.
fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "{what}: not after a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
}

const SHORT: SyncMode = SyncMode::Interval(Duration::from_millis(20));

#[test]
fn with_an_interval_commits_become_durable_by_themselves_many_by_one_flush() {
    let (_dir, path) = place();
    let s = open(&path, SHORT);
    let before = flushes(&s);
    let mut commits = 0;
    for round in 0..10 {
        for i in 0..500 {
            set(&s, round * 1000 + i).unwrap();
            commits += 1;
        }
        let version = s.version().unwrap();
        until("the interval's sync", || durable(&s) >= version);
    }
    let made = flushes(&s) - before;
    assert!(
        (10..commits / 10).contains(&made),
        "{made} flushes for {commits} commits"
    );
    let after = flushes(&s);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(flushes(&s), after, "nothing changed, and yet something was written");
}

#[test]
fn a_close_does_not_wait_for_the_interval_and_loses_nothing() {
    let (_dir, path) = place();
    let s = open(&path, SyncMode::Interval(Duration::from_secs(100_000)));
    set(&s, 1).unwrap();
    let version = set(&s, 2).unwrap();
    assert!(durable(&s) < version);
    s.close().unwrap();
    drop(s);
    assert_eq!(durable(&open(&path, SyncMode::None)), version);
}

#[test]
fn without_a_mode_nothing_is_written_before_somebody_asks() {
    let (_dir, path) = place();
    let s = open(&path, SyncMode::None);
    let before = flushes(&s);
    for i in 0..100 {
        set(&s, i).unwrap();
    }
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(flushes(&s), before);
    assert_eq!(s.sync().unwrap(), s.version().unwrap());
    assert_eq!(flushes(&s), before + 1);
}

#[test]
fn one_process_with_an_interval_serves_those_without() {
    let (_dir, path) = place();
    let (lazy, keen) = (open(&path, SyncMode::None), open(&path, SHORT));
    set(&keen, 1).unwrap();
    until("the first sync", || durable(&lazy) >= 2);
    set(&lazy, 2).unwrap();
    let version = set(&keen, 3).unwrap();
    until("the second", || durable(&lazy) >= version);
}

#[test]
fn processes_with_an_interval_don_t_sync_twice_in_one() {
    let (_dir, path) = place();
    let interval = SyncMode::Interval(Duration::from_millis(300));
    let slabs: Vec<Slab> = (0..4).map(|_| open(&path, interval)).collect();
    let before = flushes(&slabs[0]);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1500) {
        for (i, s) in slabs.iter().enumerate() {
            set(s, i as i64 + 10 * began.elapsed().as_micros() as i64).unwrap();
        }
    }
    let intervals = began.elapsed().as_millis() as u64 / 300 + 1;
    let made = flushes(&slabs[0]) - before;
    assert!(
        made >= 1 && made <= intervals,
        "{made} flushes in {intervals} intervals by 4 processes"
    );
}

#[test]
fn a_failed_write_is_told_by_the_next_commits_and_syncs_but_not_to_those_who_asked_for_none() {
    let (_dir, path) = place();
    let (interval, none) = (open(&path, SHORT), open(&path, SyncMode::None));
    set(&interval, 1).unwrap();
    until("the first sync", || durable(&none) >= 2);
    // As a failed fdatasync of the thread leaves it.
    none.map().atomic_u32(CONTROL_SYNC_ERROR).store(5, Release);
    for i in 2..4 {
        let e = set(&interval, i).unwrap_err();
        assert_eq!((e.code(), e.os_error()), (-18, 5), "{e}");
    }
    set(&none, 5).unwrap();
    for s in [&interval, &none] {
        assert_eq!(
            (s.sync().unwrap_err().code(), s.sync().unwrap_err().os_error()),
            (-3, 5)
        );
    }
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(durable(&none), 2, "a later flush was believed");
}

#[test]
fn garbage_that_only_the_durable_version_keeps_makes_a_sync_and_is_freed() {
    const BYTES: usize = 1 << 20;
    let (_dir, path) = place();
    let s = open(&path, SyncMode::None);
    let atom = s.intern(0, None, b"a").unwrap();
    let fill = |round: u8| {
        let mut b = BuildBuffer::new();
        b.vector(100, |b, i| b.bytes(&vec![round ^ i as u8; BYTES]));
        let bytes = b.finish();
        transact(&s, |t| {
            let value = t.write(|w| build::value(w, &bytes))?;
            t.set(atom, value)
        })
        .unwrap();
    };
    fill(0);
    s.sync().unwrap();
    let before = durable(&s);
    fill(1);
    // 100 MiB have died, and the superblock alone holds them.
    until("the sync for space", || durable(&s) > before);
    let used = || s.map().atomic_u64(CONTROL_HIGH_WATER).load(Acquire) * BLOCK_SIZE;
    for round in 2..6 {
        let durable_was = durable(&s);
        fill(round);
        until("the sync for space", || durable(&s) > durable_was);
    }
    let live = (100 * BYTES) as u64;
    // The old version, the new one and the one being built, by one write of everything at a time.
    assert!(used() < 4 * live, "{} MiB for {} MiB", used() >> 20, live >> 20);
}

/// Holds the lock of syncs, as another process in the middle of one does.
fn hold(path: &Path) -> File {
    let file = File::options().read(true).write(true).open(path).unwrap();
    // SAFETY: zeros are a valid flock, which is filled below.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as _;
    lock.l_start = (1 << 62) + 1;
    lock.l_len = 1;
    // SAFETY: the descriptor is open, the lock valid.
    assert_eq!(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &lock) }, 0);
    file
}

#[test]
fn threads_and_processes_that_commit_at_once_share_one_flush() {
    let (_dir, path) = place();
    let slabs: Vec<Slab> = (0..2).map(|_| open(&path, SyncMode::Commit)).collect();
    set(&slabs[0], 0).unwrap();
    let (first, before) = (slabs[0].version().unwrap(), flushes(&slabs[0]));
    let held = hold(&path);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=8)
            .map(|i| {
                let s = &slabs[i % 2];
                scope.spawn(move || {
                    let version = set(s, i as i64).unwrap();
                    assert!(durable(s) >= version, "it returned before it was durable");
                })
            })
            .collect();
        until("all commits", || slabs[0].version().unwrap() == first + 8);
        assert_eq!(flushes(&slabs[0]), before);
        drop(held);
        threads.into_iter().for_each(|t| t.join().unwrap());
    });
    assert_eq!(
        flushes(&slabs[0]) - before,
        1,
        "eight commits of two processes that wait need one flush"
    );
}

#[test]
fn neither_commits_with_an_interval_nor_a_close_wait_for_a_sync_that_is_stopped() {
    let (_dir, path) = place();
    let (s, other) = (open(&path, SHORT), open(&path, SyncMode::None));
    let _held = hold(&path);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..200 {
                set(&s, i).unwrap();
                std::thread::sleep(Duration::from_micros(500));
            }
            s.close().unwrap();
            done.store(true, Release);
        });
        until("commits and close", || done.load(Acquire));
    });
    assert_eq!(durable(&other), 1);
}
