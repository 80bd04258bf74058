//! A file under a slab's name: opened, looked at, locked and mapped, but not joined.

use super::{Options, LOCK_GATE};
use crate::error::{Error, Result};
use crate::slab::ident::{Ident, IDENT_BYTES};
use crate::slab::layout::*;
use crate::sys::{self, FileSystem, LockKind, Region, PAGE};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Address space reserved for a slab, if there is so much: growth never moves the mapping.
const RESERVE: u64 = 1 << 40;
/// The same for each further slab of a process that has very many open.
const RESERVE_FEW: u64 = 64 << 30;
/// Address space that the slabs of a process share generously: half of what x86-64 has. The first 48 get a whole reservation, later ones less and less.
const SHARED_OUT: u64 = 64 << 40;
/// Least reservation beyond the file's size.
const RESERVE_MIN: u64 = 1 << 30;
/// How long to wait for somebody else's opening or closing.
const GATE_WAIT: Duration = Duration::from_secs(30);
/// A byte locked until this is dropped.
pub(super) struct Locked<'a> {
    pub(super) file: &'a File,
    pub(super) byte: u64,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // It can't fail for a byte that we hold; closing the file would give it up as well.
        let _ = sys::unlock(self.file, self.byte);
    }
}

/// Locks the GATE: opening and closing wait for each other.
pub(super) fn lock_gate<'a>(file: &'a File, kind: LockKind, path: &Path) -> Result<Locked<'a>> {
    let end = sys::monotonic() + GATE_WAIT;
    let mut pause = Duration::from_micros(100);
    while !sys::try_lock(file, LOCK_GATE, kind).map_err(|e| Error::io("lock", path, &e))? {
        if sys::monotonic() > end {
            return Err(Error::locked(
                path,
                "another process has been opening or closing it for 30 s; is that one stopped?",
            ));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    Ok(Locked { file, byte: LOCK_GATE })
}

/// A file found under a slab's name, looked at but not locked.
pub(super) struct Found {
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) ident: Ident,
    pub(super) file_system: FileSystem,
}

impl Found {
    /// Opens and looks at the file at `path`.
    pub(super) fn open(path: &Path, writable: bool) -> Result<Found> {
        let mut flags = OpenOptions::new();
        // Not through a symbolic link; and no waiting for the other end of a pipe.
        flags
            .read(true)
            .write(writable)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let file = flags.open(path).map_err(|e| open_error(path, writable, &e))?;
        let stat = file.metadata().map_err(|e| Error::io("stat", path, &e))?;
        if !stat.is_file() {
            return Err(Error::not_a_slab(path, "it is not a regular file"));
        }
        let file_system = sys::file_system(&file).map_err(|e| Error::io("statfs", path, &e))?;
        if let FileSystem::Remote(kind) = file_system {
            return Err(Error::remote(path, kind));
        }
        let mut bytes = [0; IDENT_BYTES];
        if stat.len() < IDENT_BYTES as u64 {
            let why = format!(
                "it has only {} bytes. It was left as it is: choose another name, or remove the file first",
                stat.len()
            );
            return Err(Error::not_a_slab(path, why));
        }
        file.read_exact_at(&mut bytes, IDENT)
            .map_err(|e| Error::io("read", path, &e))?;
        let ident = Ident::decode(&bytes, path)?;
        if stat.len() < HEADER_SIZE {
            return Err(Error::corrupt(
                "the file was truncated: it ends inside the header",
                stat.len(),
            ));
        }
        Ok(Found {
            file,
            path: path.to_path_buf(),
            ident,
            file_system,
        })
    }

    pub(super) fn failed(&self, what: &'static str) -> impl Fn(std::io::Error) -> Error + '_ {
        move |e| Error::io(what, &self.path, &e)
    }

    /// Is the file still the one that its name leads to?
    pub(super) fn is_named(&self) -> Result<bool> {
        let ours = self.file.metadata().map_err(self.failed("stat"))?;
        match std::fs::symlink_metadata(&self.path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (ours.dev(), ours.ino())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(Error::io("stat", &self.path, &e)),
        }
    }

    pub(super) fn len(&self) -> Result<u64> {
        Ok(self.file.metadata().map_err(self.failed("stat"))?.len())
    }

    /// A second open file on the same file, for the participant's lock.
    pub(super) fn reopen(&self) -> Result<File> {
        if let Some(file) = sys::reopen(&self.file).map_err(self.failed("open"))? {
            return Ok(file);
        }
        let again = Found::open(&self.path, true)?;
        match again.is_named()? && self.is_named()? {
            true => Ok(again.file),
            false => Err(Error::locked(
                &self.path,
                "its name was given to another file meanwhile; try again",
            )),
        }
    }
}

/// The error for a file that can't be opened.
fn open_error(path: &Path, writable: bool, e: &std::io::Error) -> Error {
    match e.raw_os_error() {
        Some(libc::ELOOP) if sys::is_symlink(path) => Error::not_a_slab(
            path,
            "it is a symbolic link, which is not followed: give the path of the file itself",
        ),
        Some(libc::EISDIR) => Error::not_a_slab(path, "it is a folder: give the path of a file in it"),
        Some(libc::ENXIO) => Error::not_a_slab(path, "it is a socket or a pipe"),
        Some(libc::EACCES | libc::EROFS) if writable && File::open(path).is_ok() => {
            Error::io("open for writing (it can be read: open it read-only)", path, e)
        }
        _ => Error::io("open", path, e),
    }
}

/// Reserves address space for the slab and maps it.
pub(super) fn reserve(
    map: impl Fn(u64) -> std::io::Result<Region>,
    len: u64,
    options: &Options,
    path: &Path,
) -> Result<Region> {
    let need = (len + SLACK).next_multiple_of(RESERVE_MIN);
    let share = (SHARED_OUT.saturating_sub(sys::mapped()) / 16).clamp(RESERVE_FEW, RESERVE);
    let wanted = options.max_bytes.saturating_add(SLACK).min(share.max(2 * need));
    let mut size = wanted.next_multiple_of(RESERVE_MIN).max(need);
    loop {
        match map(size) {
            Ok(region) => return Ok(region),
            // EINVAL is what tools that emulate the processor say to a mapping larger than they can have.
            Err(e) if matches!(e.raw_os_error(), Some(libc::ENOMEM | libc::EINVAL)) && size > need => {
                size = (size / 2).next_multiple_of(PAGE).max(need)
            }
            Err(e) if e.raw_os_error() == Some(libc::ENOMEM) => {
                return Err(Error::full(
                    format!(
                        "the address space of this process (ulimit -v; {} GiB of it are other slabs' that it has open: `max_bytes` makes \
                         reservations smaller), needed for {}",
                        sys::mapped() >> 30,
                        path.display()
                    ),
                    size,
                ));
            }
            Err(e) => return Err(Error::io("mmap", path, &e)),
        }
    }
}
