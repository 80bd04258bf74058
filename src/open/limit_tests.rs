//! Limits of the process and of the format: each is an error of the call that meets it, nothing is lost, and all goes on when there is room.
//! Limits of a process hold for all its threads, so each of these runs in a process of its own.

use super::step_tests::{check, commit, open_with};
use super::SyncMode;
use crate::{transact, Error, Options, Slab, Txn};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the part `name` of `child_process` on a slab in a process of its own.
fn in_a_process(name: &str) {
    in_a_process_on(name, tempfile::tempdir().unwrap().path());
}

fn in_a_process_on(name: &str, dir: &Path) {
    let module = module_path!().split_once("::").unwrap().1;
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::child_process"), "--nocapture"])
        .env("EVE_TEST_LIMIT", name)
        .env("EVE_TEST_SLAB", dir.join("a.eve"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}: {text}", output.status);
}

fn set_limit(which: libc::__rlimit_resource_t, to: u64) {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is valid for both calls.
    unsafe {
        assert_eq!(libc::getrlimit(which, &mut limit), 0);
        limit.rlim_cur = to.min(limit.rlim_max);
        assert_eq!(libc::setrlimit(which, &limit), 0);
    }
}

/// Commits, each with its base held, until one fails.
fn commit_until_it_fails(s: &Slab) -> Error {
    let mut held = Vec::new();
    loop {
        held.push(s.snapshot().unwrap());
        match commit(s) {
            Ok(n) => assert!(n < 10_000, "no limit was met"),
            Err(e) => return e,
        }
    }
}

/// Not a test of its own.
#[test]
fn child_process() {
    let Ok(name) = std::env::var("EVE_TEST_LIMIT") else {
        return;
    };
    let path = PathBuf::from(std::env::var("EVE_TEST_SLAB").unwrap());
    match name.as_str() {
        "file size" => file_size(&path),
        "address space" => address_space(&path),
        "open files" => open_files(&path),
        "pins" => pins(&path),
        "die" => {
            let (s, n) = prepared(&path);
            assert!(s.sync().is_ok() && commit(&s).unwrap() == n + 1);
            // SAFETY: ends the process with the slab open.
            unsafe { libc::_exit(0) };
        }
        "open files of an adopter" => adopt_with_few_files(&path),
        other => panic!("no limit {other}"),
    }
}

fn prepared(path: &Path) -> (Slab, i64) {
    let s = open_with(path, SyncMode::None);
    for _ in 0..20 {
        commit(&s).unwrap();
    }
    let n = check(&s, "before");
    (s, n)
}

fn file_size(path: &Path) {
    let (s, _) = prepared(path);
    set_limit(libc::RLIMIT_FSIZE, std::fs::metadata(path).unwrap().len() + (2 << 20));
    let e = commit_until_it_fails(&s);
    assert!(
        matches!(e, Error::Full(_)) && e.to_string().contains("ulimit -f"),
        "{e}"
    );
    let n = check(&s, "at the limit");
    s.sync().unwrap();
    s.reclaim();
    assert_eq!(commit(&s).unwrap(), n + 1, "what was let go is room");
    set_limit(libc::RLIMIT_FSIZE, u64::MAX);
    let held: Vec<_> = (0..60).map(|_| (s.snapshot().unwrap(), commit(&s).unwrap())).collect();
    assert_eq!(check(&s, "after it"), n + 61);
    drop(held);
}

fn address_space(path: &Path) {
    drop(prepared(path));
    // Room for the program, and for a reservation of a GiB or two, halved until it fits.
    set_limit(libc::RLIMIT_AS, 4 << 30);
    let s = open_with(path, SyncMode::None);
    assert!(s.map().reserved() <= 4 << 30);
    let n = check(&s, "with little address space");
    assert_eq!(commit(&s).unwrap(), n + 1);
    set_limit(libc::RLIMIT_AS, 64 << 20);
    let e = Slab::open(path, &Options::default()).map(|_| ()).unwrap_err();
    assert!(
        matches!(e, Error::Full(_)) && e.to_string().contains("ulimit -v"),
        "{e}"
    );
    assert_eq!(commit(&s).unwrap(), n + 2, "who has it open goes on");
    set_limit(libc::RLIMIT_AS, u64::MAX);
    assert_eq!(check(&open_with(path, SyncMode::None), "after it"), n + 2);
}

/// Slabs by the hundred in one process: the later ones get less address space, none gets none.
#[test]
#[cfg_attr(eve_sanitize, ignore = "sanitizers take the addresses")]
fn hundreds_of_slabs_of_a_process_each_have_room_to_grow() {
    let slabs: Vec<Slab> = (0..300)
        .map(|_| Slab::anonymous(&Options::default()).unwrap())
        .collect();
    assert!(slabs.iter().all(|s| s.map().reserved() >= 64 << 30));
    assert!(slabs.iter().take(20).all(|s| s.map().reserved() > 1 << 38));
}

fn open_files(path: &Path) {
    let (s, n) = prepared(path);
    set_limit(libc::RLIMIT_NOFILE, 32);
    let mut many = Vec::new();
    let e = loop {
        match Slab::open(path, &Options::default()) {
            Ok(s) => many.push(s),
            Err(e) => break e,
        }
    };
    assert!(matches!(&e, Error::Io(_)) && e.os_error() == libc::EMFILE, "{e}");
    assert_eq!(commit(&s).unwrap(), n + 1);
    s.sync().unwrap();
    assert_eq!(check(many.last().unwrap(), "with too many open files"), n + 1);
    many.truncate(1);
    assert_eq!(
        commit(&open_with(path, SyncMode::None)).unwrap(),
        n + 2,
        "one closed is room for one"
    );
}

/// What was not synced is there after an opening that failed for want of a descriptor, at whatever place.
fn adopt_with_few_files(path: &Path) {
    let lowest = std::fs::File::open("/dev/null").unwrap();
    let next = std::os::fd::AsRawFd::as_raw_fd(&lowest) as u64;
    drop(lowest);
    let mut failed = 0;
    for more in 0.. {
        set_limit(libc::RLIMIT_NOFILE, next + more);
        match Slab::open(path, &Options::default()) {
            Ok(s) => {
                assert_eq!(check(&s, "opened in the end"), 21);
                break;
            }
            Err(e) => assert_eq!(e.os_error(), libc::EMFILE, "{e}"),
        }
        failed += 1;
    }
    assert!(failed >= 3, "{failed} openings failed");
}

fn pins(path: &Path) {
    let (s, n) = prepared(path);
    let mut held = Vec::new();
    let e = loop {
        match s.snapshot() {
            Ok(snapshot) => held.push(snapshot),
            Err(e) => break e,
        }
        assert!(held.len() < 5000);
    };
    assert!(
        matches!(e, Error::Limit(_)) && e.to_string().contains("snapshots"),
        "{e}"
    );
    assert!(Txn::begin(&s, None).is_err());
    let other = open_with(path, SyncMode::None);
    assert!(
        matches!(other.snapshot(), Err(Error::Limit(_))),
        "the table is the slab's"
    );
    drop(other);
    held.truncate(4000);
    assert_eq!(commit(&s).unwrap(), n + 1);
    drop(held);
    assert_eq!(check(&s, "after it"), n + 1);
    transact(&s, |_| Ok(())).unwrap();
}

#[test]
fn a_file_that_may_not_grow_is_an_error_of_the_commit_and_no_signal() {
    in_a_process("file size");
}

// A sanitizer's shadow memory takes more address space than that.
#[test]
#[cfg_attr(eve_sanitize, ignore = "needs an ordinary build")]
fn too_little_address_space_is_an_error_of_the_opening() {
    in_a_process("address space");
}

#[test]
fn too_many_open_files_are_an_error_of_the_opening() {
    in_a_process("open files");
}

#[test]
fn too_many_pins_are_an_error_until_some_are_let_go() {
    in_a_process("pins");
}

#[test]
fn an_opening_that_fails_for_want_of_a_descriptor_loses_no_commit_of_the_dead() {
    let dir = tempfile::tempdir().unwrap();
    in_a_process_on("die", dir.path());
    in_a_process_on("open files of an adopter", dir.path());
}
