//! A process killed at *every* step: each access to the slab's memory and each write to disk is one. A first run finds the steps that leave other
//! bytes than the one before; then, for each of these, a child process does the same and is killed there, and the slab is opened, compared with
//! what the child had been told, and used.

#[path = "../../tests/support/mod.rs"]
#[allow(dead_code)]
mod support;

use super::{Options, SyncMode};
use crate::coll::{self, map};
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sync::steps;
use crate::value::build::{self, BuildBuffer};
use crate::value::{hash_word, word};
use crate::{transact, Error, Slab};
use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

/// Entries of the map, one of which each commit changes.
pub(super) const ENTRIES: i64 = 12;
/// Commits of a child.
const COMMITS: i64 = 2;
/// Of changes that touch only objects in a row, so many count each; of the others one in so many (an array of bytes is one store a word).
const ROW: usize = 100;
const SPARSE: usize = 501;

fn open(path: &Path) -> Slab {
    open_with(path, SyncMode::Commit)
}

pub(super) fn open_with(path: &Path, sync: SyncMode) -> Slab {
    let options = Options {
        sync,
        ..Options::default()
    };
    Slab::open(path, &options).unwrap()
}

fn int(i: i64) -> u64 {
    word::from_int(i).unwrap()
}

/// One commit: adds 1 to :n, puts it under one key of :m, and makes :bytes an array of that many large bytes.
pub(super) fn commit(s: &Slab) -> Result<i64, Error> {
    let [n, m, bytes] = [&b"n"[..], b"m", b"bytes"].map(|name| s.intern(0, None, name).unwrap());
    let next = transact(s, |t| {
        let next = t.get(n)?.map_or(0, |w| word::int(w).unwrap()) + 1;
        let old = t.get(m)?.unwrap_or(EMPTY_MAP);
        let key = int(next % ENTRIES);
        let new = t.write(|w| map::assoc(w, 0, old, key, hash_word(w.reader(), key)?, int(next)))?;
        let mut b = BuildBuffer::new();
        b.bytes(&vec![next as u8; 40_000 + next as usize]);
        let array = t.write(|w| build::value(w, &b.finish()))?;
        t.set(n, int(next))?;
        t.set(m, new)?;
        t.set(bytes, array)?;
        Ok(next)
    });
    Ok(next?.0)
}

/// Checks that the current version is whole, and that everything it reaches counts as allocated. Returns its number of commits.
pub(super) fn check(s: &Slab, what: &str) -> i64 {
    let [n, m, bytes] = [&b"n"[..], b"m", b"bytes"].map(|name| s.intern(0, None, name).unwrap());
    let snap = s.snapshot().unwrap();
    let (r, state) = (snap.reader(), snap.view().state);
    let get = |atom| {
        coll::get(r, state, atom)
            .unwrap()
            .unwrap_or_else(|| panic!("{what}: an atom is gone"))
    };
    let n = word::int(get(n)).unwrap();
    let entries = get(m);
    for k in 0..ENTRIES {
        let last = (0..=n).rev().find(|i| i % ENTRIES == k && *i > 0);
        let found = coll::get(r, entries, int(k)).unwrap().map(|w| word::int(w).unwrap());
        assert_eq!(found, last, "{what}: entry {k} after {n} commits");
    }
    let array = r.node(get(bytes)).unwrap();
    let len = array.word(1) as u32 as i64;
    assert_eq!((len, array.word(2) as u8), (40_000 + n, n as u8), "{what}: the array");
    assert!(
        support::reachable(s).is_subset(&support::allocated(s)),
        "{what}: a reachable object counts as free"
    );
    n
}

/// What the steps change: the header's tables, and the blocks.
fn image(file: &File) -> (Vec<u8>, Vec<u8>) {
    let len = file.metadata().unwrap().len();
    let mut tables = len.to_le_bytes().to_vec();
    for (at, len) in crate::durable::control::FIRST_RANGES {
        let from = tables.len();
        tables.resize(from + len as usize, 0);
        file.read_exact_at(&mut tables[from..], at).unwrap();
    }
    let mut blocks = vec![0; (len - HEADER_SIZE) as usize];
    file.read_exact_at(&mut blocks, HEADER_SIZE).unwrap();
    (tables, blocks)
}

/// Steps of this thread after which the file at `path` has other bytes, from now on.
fn watch(path: &Path) -> Rc<RefCell<Vec<u64>>> {
    let file = File::open(path).unwrap();
    let found = Rc::new(RefCell::new(Vec::new()));
    let (list, count, row) = (found.clone(), Cell::new(0u64), Cell::new(0usize));
    let mut last = image(&file);
    steps::watch(move |_| {
        count.set(count.get() + 1);
        let now = image(&file);
        if now == last {
            return;
        }
        row.set(if now.0 == last.0 { row.get() + 1 } else { 0 });
        if row.get() < ROW || row.get() % SPARSE == 0 {
            list.borrow_mut().push(count.get());
        }
        last = now;
    });
    found
}

/// What a child does: opens the slab, commits and closes. If it `punches`, it gives the space of what the last commits let go back in between, so
/// that the next one gets it again.
fn live(path: &Path, punches: bool, told: impl Fn(i64)) {
    let s = open(path);
    for _ in 0..COMMITS {
        told(commit(&s).unwrap());
        if punches {
            punch(&s);
        }
    }
    s.close().unwrap();
}

/// Gives the disk space of all free blocks back.
pub(super) fn punch(s: &Slab) {
    s.reclaim();
    let worker = s.worker().unwrap();
    s.punch_free(&worker.agent, 1, u64::MAX).unwrap();
    s.put_worker(worker);
}

/// Have all blocks disk space but those that say they haven't?
pub(super) fn check_disk(map: &Mapping, path: &Path, what: &str) {
    use std::os::unix::fs::MetadataExt;
    let word = |at| map.atomic_u64(at).load(std::sync::atomic::Ordering::Relaxed);
    let unbacked = |b: &u64| {
        let d = word(descriptor(*b));
        d as u8 == BLOCK_UNBACKED || d as u8 == BLOCK_RECLAIM && (d >> 8) as u8 == BLOCK_UNBACKED
    };
    let blocks = HEADER_SIZE / BLOCK_SIZE..word(CONTROL_HIGH_WATER);
    let bare = blocks.clone().filter(unbacked).count() as u64;
    let (least, has) = (
        (blocks.end - blocks.start - bare) * BLOCK_SIZE,
        fs::metadata(path).unwrap().blocks() * 512,
    );
    assert!(has >= least, "{what}: {has} bytes on disk, {least} are needed");
}

/// Not a test of its own: the process that is killed at step EVE_TEST_STEP.
#[test]
fn child_process() {
    let Ok(step) = std::env::var("EVE_TEST_STEP") else {
        return;
    };
    let path = PathBuf::from(std::env::var("EVE_TEST_SLAB").unwrap());
    let mut left: u64 = step.parse().unwrap();
    steps::watch(move |_| {
        left -= 1;
        if left == 0 {
            // SAFETY: ends this process, as `kill -9` does.
            unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
        }
    });
    live(&path, std::env::var_os("EVE_TEST_PUNCH").is_some(), |n| {
        println!("told {n}.");
        std::io::stdout().flush().unwrap();
    });
}

/// Runs the child until it is killed at `step`; returns the last commit that it was told of.
fn killed_at(path: &Path, step: u64, punches: bool) -> Option<i64> {
    let module = module_path!().split_once("::").unwrap().1;
    let mut child = Command::new(std::env::current_exe().unwrap());
    if punches {
        child.env("EVE_TEST_PUNCH", "1");
    }
    let output = child
        .args(["--exact", &format!("{module}::child_process"), "--nocapture"])
        .env("EVE_TEST_STEP", step.to_string())
        .env("EVE_TEST_SLAB", path)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert_eq!(
        output.status.signal(),
        Some(libc::SIGKILL),
        "step {step}: the child failed before"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let told = text
        .split("told ")
        .skip(1)
        .filter_map(|t| t.split('.').next()?.parse().ok());
    told.max()
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Scene {
    /// The child is alone with a slab that was closed: it adopts it.
    Alone,
    /// We have it open too, with a version pinned.
    Beside,
    /// The child finds a copy of a slab in use: it recovers it.
    Copied,
    /// We have it open too, and the child gives free blocks' disk space back between its commits.
    Punching,
}

/// A slab with some commits, whose next block makes it grow; and a copy of it while it was open.
fn template(dir: &Path) -> PathBuf {
    let path = dir.join("template");
    let s = open(&path);
    for _ in 0..ENTRIES + 3 {
        commit(&s).unwrap();
    }
    let filled = s
        .map()
        .atomic_u64(CONTROL_HIGH_WATER)
        .load(std::sync::atomic::Ordering::Relaxed)
        * BLOCK_SIZE;
    assert!(s.map().backed() - filled < 32 << 20);
    fs::copy(&path, dir.join("in-use")).unwrap();
    path
}

fn prepare(dir: &Path, scene: Scene) -> PathBuf {
    let path = dir.join("slab");
    let _ = fs::remove_file(&path);
    fs::copy(dir.join("in-use"), &path).unwrap();
    if scene != Scene::Copied {
        open(&path).close().unwrap();
    }
    path
}

fn every_step(scene: Scene) {
    let dir = super::tests::memory_folder();
    template(dir.path());
    let base = ENTRIES + 3;
    let path = prepare(dir.path(), scene);
    let punches = scene == Scene::Punching;
    let is_beside = punches || scene == Scene::Beside;
    let beside = is_beside.then(|| open(&path));
    let found = watch(&path);
    live(&path, punches, |_| {});
    steps::watch(|_| {});
    drop(beside);
    let steps = found.borrow().clone();
    assert!(steps.len() > 300, "{scene:?}: only {} steps", steps.len());
    let (mut kills, mut undone, mut done) = (0, 0, 0);
    for &step in &steps {
        let path = prepare(dir.path(), scene);
        let beside = is_beside.then(|| open(&path));
        let pinned = beside.as_ref().map(|s| s.snapshot().unwrap());
        let told = killed_at(&path, step, punches).unwrap_or(base);
        let what = format!("{scene:?}, killed at step {step}, told {told}");
        kills += 1;
        if let Some(s) = &beside {
            // Those who live go on at once, and their versions stay.
            let n = check(s, &what);
            assert!((told..=told + 1).contains(&n), "{what}: {n} commits");
            assert_eq!(commit(s).unwrap(), n + 1, "{what}");
            let old = pinned.as_ref().unwrap();
            let array = coll::get(old.reader(), old.view().state, s.intern(0, None, b"bytes").unwrap());
            assert_eq!(
                old.reader().node(array.unwrap().unwrap()).unwrap().word(2) as u8,
                base as u8,
                "{what}"
            );
        }
        let s = open(&path);
        check_disk(s.map(), &path, &what);
        let n = check(&s, &what) - beside.is_some() as i64;
        assert!((told..=told + 1).contains(&n), "{what}: {n} commits");
        (undone, done) = (undone + (n == told) as u32, done + (n > told) as u32);
        for _ in 0..3 {
            commit(&s).unwrap();
        }
        check(&s, &what);
        drop((s, pinned, beside));
        check(&open(&path), &format!("{what}, opened again"));
    }
    println!(
        "{scene:?}: {} steps, {kills} kills: {undone} before the commit, {done} after it and before it was told",
        steps.len()
    );
    assert!(undone > 0 && done > 0);
}

#[test]
#[ignore = "slow"]
fn alone_a_process_killed_at_any_step_of_open_commit_sync_or_close_loses_nothing_and_breaks_nothing() {
    every_step(Scene::Alone);
}

#[test]
#[ignore = "slow"]
fn beside_others_a_process_killed_at_any_step_holds_nobody_up_and_breaks_nothing() {
    every_step(Scene::Beside);
}

#[test]
#[ignore = "slow"]
fn a_process_killed_while_it_gives_disk_space_back_or_gets_it_leaves_no_block_without_that_others_would_store_to() {
    every_step(Scene::Punching);
}

#[test]
#[ignore = "slow"]
fn a_recovery_killed_at_any_step_is_done_again() {
    every_step(Scene::Copied);
}
