//! On real file systems, where we may mount them (root): a power cut under load, and a full disk. A file system in a file is shut down without
//! its journal (FS_IOC_SHUTDOWN): only what was flushed stays. Skipped, with a message, where that isn't possible.

use super::step_tests::{check, check_disk, commit, open_with};
use super::tests::patch;
use super::SyncMode;
use crate::slab::layout::*;
use crate::value::build::{self, BuildBuffer};
use crate::value::word;
use crate::{transact, Error, Slab};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering::*;
use std::time::Duration;
use tempfile::TempDir;

/// _IOR('X', 125, u32), and the flag that leaves the journal unwritten.
const FS_IOC_SHUTDOWN: libc::c_ulong = 0x8004_587D;
const NO_LOG_FLUSH: u32 = 2;

/// A file system of its own in a file, mounted until this is dropped.
struct Disk {
    dir: TempDir,
    kind: &'static str,
}

fn run(program: &str, args: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(args)
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

impl Disk {
    /// None, with the reason on the terminal: not on this machine.
    fn new(kind: &'static str) -> Option<Disk> {
        let disk = Disk {
            dir: tempfile::tempdir().unwrap(),
            kind,
        };
        let image = disk.dir.path().join("image");
        // xfs wants at least 300 MiB; it is sparse.
        File::create(&image).unwrap().set_len(320 << 20).unwrap();
        std::fs::create_dir(disk.at()).unwrap();
        let made = run(&format!("mkfs.{kind}"), &["-q", image.to_str().unwrap()]).and_then(|()| disk.mount());
        match made {
            Ok(()) => Some(disk),
            Err(e) => {
                println!("skipped: a file system of the kind {kind} can't be made and mounted here: {e}");
                None
            }
        }
    }

    fn at(&self) -> PathBuf {
        self.dir.path().join("mounted")
    }

    fn mount(&self) -> Result<(), String> {
        let (image, at) = (self.dir.path().join("image"), self.at());
        run(
            "mount",
            &[
                "-t",
                self.kind,
                "-o",
                "loop",
                image.to_str().unwrap(),
                at.to_str().unwrap(),
            ],
        )
    }

    fn unmount(&self) -> Result<(), String> {
        run("umount", &[self.at().to_str().unwrap()])
    }

    /// The power is cut. False: this system can't do that.
    fn cut(&self) -> bool {
        let root = File::open(self.at()).unwrap();
        // SAFETY: the call reads a u32.
        unsafe { libc::ioctl(root.as_raw_fd(), FS_IOC_SHUTDOWN, &NO_LOG_FLUSH) == 0 }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.unmount();
    }
}

/// The slab that a child process of a power cut works on.
const LOAD: &str = "EVE_POWER_CUT_LOAD";

/// What that child does: commits and syncs until the power is cut, and prints each commit once it is synced.
#[test]
#[ignore = "the load of the power cuts"]
fn load() {
    let Some(path) = std::env::var_os(LOAD) else { return };
    let s = open_with(Path::new(&path), SyncMode::None);
    let mut told = 0;
    while let Ok(n) = commit(&s) {
        if n % 5 == 0 {
            match s.sync() {
                Ok(_) => println!("\ntold {n}"),
                Err(Error::Sync(_)) => break,
                Err(e) => panic!("{e}"),
            }
            told = n;
        }
    }
    // The slab is still mapped from the dead file system, and says so.
    assert!(
        s.close().is_err(),
        "a close that couldn't write said nothing after {told}"
    );
}

/// Cuts the power after `time` of load. The last commit that was synced; None: this system can't do that.
fn cut_under_load(disk: &Disk, path: &Path, time: Duration) -> Option<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "open::mount_tests::load", "--ignored", "--nocapture"])
        .env(LOAD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    // Not before there is something that must be there afterwards.
    while !said.contains("told") && out.read_line(&mut said).unwrap() > 0 {}
    std::thread::sleep(time);
    let cut = disk.cut();
    if !cut {
        child.kill().unwrap();
    }
    out.read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    // A store to a page of a file system that was shut down may be a signal: that is how xfs says so.
    let died = output.status.signal() == Some(libc::SIGBUS);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        !cut || died || output.status.success(),
        "{}: {said}{errors}",
        output.status
    );
    cut.then(|| {
        let told = said.lines().filter_map(|l| l.strip_prefix("told ")?.parse().ok());
        told.max().unwrap_or(0)
    })
}

fn power_cuts(kind: &'static str) {
    let Some(disk) = Disk::new(kind) else { return };
    let path = disk.at().join("a.eve");
    let rounds = if std::env::var_os("EVE_TORTURE").is_some() {
        40
    } else {
        4
    };
    let (mut least, mut lost) = (0, 0);
    for round in 0..rounds {
        let Some(told) = cut_under_load(&disk, &path, Duration::from_millis(100 + 37 * (round % 5))) else {
            println!("skipped: {kind} can't be shut down here");
            return;
        };
        least = least.max(told);
        disk.unmount().unwrap();
        disk.mount().unwrap();
        // The same system, but not the same page cache: as after a boot.
        patch(&path, CONTROL_BOOT_ID, &[0x5A; 16]);
        let s = open_with(&path, SyncMode::None);
        let n = check(&s, &format!("{kind}, power cut {round}"));
        assert!(
            n >= least,
            "{kind}, power cut {round}: {n} commits are there, {least} were synced"
        );
        lost += (n > least) as u32;
        least = n;
        s.close().unwrap();
    }
    assert!(least > 0);
    println!("{kind}: {rounds} power cuts, {lost} of them left more than was told; {least} commits");
}

#[test]
#[ignore = "slow"]
fn after_a_power_cut_of_ext4_what_was_synced_is_there() {
    power_cuts("ext4");
}

#[test]
#[ignore = "slow"]
fn after_a_power_cut_of_xfs_what_was_synced_is_there() {
    power_cuts("xfs");
}

/// A memory file system of that size. None: not here.
fn small(mib: u64) -> Option<(TempDir, PathBuf)> {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("mounted");
    std::fs::create_dir(&at).unwrap();
    let done = run(
        "mount",
        &[
            "-t",
            "tmpfs",
            "-o",
            &format!("size={mib}m"),
            "none",
            at.to_str().unwrap(),
        ],
    );
    if let Err(e) = done {
        println!("skipped: a small file system can't be mounted here: {e}");
        return None;
    }
    Some((dir, at))
}

/// Runs `test` in a folder of such a file system, if there can be one.
fn on_small(mib: u64, test: fn(&Path)) {
    let Some((_dir, at)) = small(mib) else { return };
    let result = std::panic::catch_unwind(|| test(&at));
    run("umount", &["-l", at.to_str().unwrap()]).unwrap();
    result.unwrap();
}

#[test]
fn a_full_disk_is_an_error_of_the_commit_that_needs_room_and_all_goes_on_when_there_is_some() {
    on_small(24, full_disk);
}

fn full_disk(at: &Path) {
    let path = at.join("a.eve");
    let s = open_with(&path, SyncMode::Interval(Duration::from_millis(5)));
    for _ in 0..20 {
        commit(&s).unwrap();
    }
    let ballast = at.join("ballast");
    let fill = || {
        let mut left = std::io::repeat(7);
        let _ = std::io::copy(&mut left, &mut File::create(&ballast).unwrap());
    };
    for _ in 0..3 {
        fill();
        // Old versions are held, so that each commit needs new room.
        let mut held = Vec::new();
        let error = loop {
            held.push(s.snapshot().unwrap());
            let before = check(&s, "on a full disk");
            match commit(&s) {
                Ok(n) => assert_eq!(n, before + 1),
                Err(e) => break e,
            }
        };
        assert!(matches!(error, Error::Full(_)), "{error}");
        let n = check(&s, "after the error");
        assert!(s.sync().is_ok(), "what is allocated can be written");
        let other = open_with(&path, SyncMode::None);
        assert_eq!(check(&other, "another opening on a full disk"), n);
        drop(other);
        // Room by old versions that are let go.
        drop(held);
        s.sync().unwrap();
        s.reclaim();
        commit(&s).unwrap();
        // Room by the disk.
        std::fs::remove_file(&ballast).unwrap();
        let held: Vec<_> = (0..20).map(|_| (s.snapshot().unwrap(), commit(&s).unwrap())).collect();
        drop(held);
    }
    let n = check(&s, "at the end");
    s.close().unwrap();
    drop(s);
    assert_eq!(check(&open_with(&path, SyncMode::None), "opened again"), n);
}

#[test]
fn a_full_disk_is_an_error_of_the_commit_that_needs_space_which_was_given_back() {
    on_small(24, given_back);
}

fn given_back(at: &Path) {
    let path = at.join("a.eve");
    let s = open_with(&path, SyncMode::None);
    let used = |s: &Slab| {
        let word = |at| s.map().atomic_u64(at).load(Relaxed);
        word(CONTROL_HIGH_WATER) - word(CONTROL_FREE_BLOCKS)
    };
    let held: Vec<_> = (0..40).map(|_| (commit(&s).unwrap(), s.snapshot().unwrap())).collect();
    let high = || s.map().atomic_u64(CONTROL_HIGH_WATER).load(Relaxed);
    let (grown, most) = (s.map().backed(), used(&s));
    let before = std::fs::metadata(&path).unwrap().blocks();
    drop(held);
    s.sync().unwrap();
    s.gc().unwrap();
    check_disk(s.map(), &path, "after gc");
    assert!(used(&s) + 30 < most && std::fs::metadata(&path).unwrap().blocks() < before / 2);
    let ballast = at.join("ballast");
    let _ = std::io::copy(&mut std::io::repeat(7), &mut File::create(&ballast).unwrap());
    let mut held = Vec::new();
    let error = loop {
        held.push(s.snapshot().unwrap());
        let before = check(&s, "on a full disk");
        match commit(&s) {
            Ok(n) => assert_eq!(n, before + 1),
            Err(e) => break e,
        }
    };
    assert!(matches!(error, Error::Full(_)), "{error}");
    check_disk(s.map(), &path, "on a full disk");
    let n = check(&s, "after the error");
    let full = high();
    assert!(full * BLOCK_SIZE <= grown, "the disk has no more");
    s.sync().unwrap();
    std::fs::remove_file(&ballast).unwrap();
    held.extend((0..10).map(|_| {
        commit(&s).unwrap();
        s.snapshot().unwrap()
    }));
    assert_eq!(check(&s, "with room again"), n + 10);
    let now = high();
    assert!(
        now <= full,
        "the blocks that were given back are used again: {now}, {full} before"
    );
    check_disk(s.map(), &path, "at the end");
}

#[test]
fn a_slab_whose_free_blocks_have_no_space_is_recovered_on_a_full_disk() {
    on_small(24, recovered_without_room);
}

fn recovered_without_room(at: &Path) {
    let path = at.join("a.eve");
    let s = open_with(&path, SyncMode::None);
    let n = commit(&s).unwrap();
    let atom = |i| word::from_int(i).unwrap();
    for i in 0..60 {
        let mut b = BuildBuffer::new();
        b.bytes(&[7; 40_000]);
        transact(&s, |t| {
            let v = t.write(|w| build::value(w, &b.finish()))?;
            t.set(atom(i), v)
        })
        .unwrap();
    }
    // Every second block is free, in runs that are too short to go back at a recovery.
    for i in (0..60).step_by(2) {
        transact(&s, |t| t.remove(atom(i))).unwrap();
    }
    for i in 0..2 {
        transact(&s, |t| t.set(atom(1000), atom(i))).unwrap();
        s.sync().unwrap();
    }
    s.gc().unwrap();
    assert!(s.map().atomic_u64(CONTROL_UNBACKED).load(Relaxed) >= 25);
    s.close().unwrap();
    drop(s);
    let ballast = File::create(at.join("ballast")).unwrap();
    let _ = std::io::copy(&mut std::io::repeat(7), &mut &ballast);
    ballast
        .set_len(ballast.metadata().unwrap().len() - (256 << 10))
        .unwrap();
    patch(&path, CONTROL_BOOT_ID, &[0x5A; 16]);
    let s = open_with(&path, SyncMode::None);
    assert_eq!(check(&s, "recovered on a full disk"), n);
    check_disk(s.map(), &path, "recovered on a full disk");
}
