//! Creating, opening, joining, growing and closing slabs.
//!
//! O1. A slab appears under its name whole: it is made without a name and linked. So a file that is empty or half a slab is an error.
//! O2. Opening and closing hold the GATE lock. Who finds nobody alive behind it adopts the slab (same page cache) or recovers it.
//! O3. A participant is alive while its byte is locked. The lock is held by a mapping that a forked child doesn't inherit, so it ends with
//!     the process, however that ends. Whoever clears a dead participant's things holds its byte meanwhile.
//! O4. The mapping never moves. The file is never cut while anybody has it open.
//!
//! Locks are those of open files (OFD) on single bytes from 2^62 on, far beyond any data. Order: GATE, SYNC, PUNCH, participant. They don't exclude
//! threads that share the open file: each lock has a mutex in front of it.

#[cfg(unix)]
use crate::error::{Error, Result};
#[cfg(unix)]
use crate::slab::layout::{BLOCK_SIZE, HEADER_SIZE};
use std::path::PathBuf;
use std::time::Duration;

mod clear;
#[cfg(unix)]
mod create;
#[cfg(unix)]
mod file;
#[cfg(unix)]
mod found;
#[cfg(unix)]
mod grow;
#[cfg(unix)]
mod join;
#[cfg(unix)]
mod liveness;
#[cfg(unix)]
mod space;
#[cfg(unix)]
mod syncer;
#[cfg(unix)]
pub use create::{give_name, make_whole, temporary_name};
#[cfg(unix)]
pub use file::SlabFile;
#[cfg(unix)]
pub use syncer::Syncer;

#[cfg(target_family = "wasm")]
mod wasm;
#[cfg(target_family = "wasm")]
pub use wasm::{SlabFile, Syncer};

#[cfg(all(test, unix))]
mod crash_tests;
#[cfg(all(test, unix))]
mod image_tests;
#[cfg(all(test, unix))]
mod limit_tests;
#[cfg(all(test, unix))]
mod mount_tests;
#[cfg(all(test, unix))]
mod power_tests;
#[cfg(all(test, unix))]
mod space_tests;
#[cfg(all(test, unix))]
mod step_tests;
#[cfg(all(test, unix))]
mod sync_tests;
#[cfg(all(test, unix))]
mod tests;
#[cfg(test)]
mod trace_tests;

/// First lock byte.
#[cfg(unix)]
pub(crate) const LOCKS: u64 = 1 << 62;
/// Held while a slab is opened or closed.
#[cfg(unix)]
pub(crate) const LOCK_GATE: u64 = LOCKS;
/// Held while a version is made durable.
#[cfg(unix)]
pub(crate) const LOCK_SYNC: u64 = LOCKS + 1;
/// Held while free blocks give their disk space back.
#[cfg(unix)]
pub(crate) const LOCK_PUNCH: u64 = LOCKS + 2;
/// Held for reading by those who opened the slab read-only.
#[cfg(unix)]
pub(crate) const LOCK_READ_ONLY: u64 = LOCKS + 3;
/// Held while the file grows, where the file system can't allocate ranges.
#[cfg(unix)]
pub(crate) const LOCK_GROW: u64 = LOCKS + 4;
/// Byte of participant 0; the others follow.
#[cfg(unix)]
pub(crate) const LOCK_PARTICIPANTS: u64 = LOCKS + 4096;

/// When commits reach the disk. In any mode the last close writes all of them, and so does `sync`; a crash of a process alone loses none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// Not by themselves, unless the last version on disk keeps much garbage from being freed.
    None,
    /// At most so long after the commit, if the disk is fast enough. A commit reports that an earlier write has failed.
    Interval(Duration),
    /// Before the commit returns. Threads and processes that commit at the same time share one write.
    Commit,
}

impl SyncMode {
    /// What slabs are opened with if nothing else is asked for: a second.
    pub const USUAL: SyncMode = SyncMode::Interval(Duration::from_secs(1));
}

/// How to open a slab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Make the slab if it is missing.
    pub create: bool,
    /// The slab must not exist yet.
    pub must_be_new: bool,
    /// Only read. Possible without write permission; nobody may have the slab open for writing meanwhile.
    pub read_only: bool,
    /// File mode of a new slab.
    pub mode: u32,
    /// When commits are made durable. Each process that has the slab open sees to its own; a slab without a file has nothing to write.
    pub sync: SyncMode,
    /// Largest size of the slab in bytes.
    pub max_bytes: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            create: true,
            must_be_new: false,
            read_only: false,
            mode: 0o600,
            sync: SyncMode::USUAL,
            max_bytes: u64::MAX,
        }
    }
}

#[cfg(unix)]
impl Options {
    /// Refuses what can't be meant.
    fn check(&self) -> Result<()> {
        const LEAST: u64 = HEADER_SIZE + 16 * BLOCK_SIZE;
        if self.max_bytes < LEAST {
            let what = format!(
                "max_bytes is {}, a slab needs at least {LEAST} bytes of addresses",
                self.max_bytes
            );
            return Err(Error::arg(what));
        }
        if self.sync == SyncMode::Interval(Duration::ZERO) {
            return Err(Error::arg(
                "a sync interval of 0: to have every commit on disk, choose the mode for that",
            ));
        }
        if self.must_be_new && self.read_only {
            return Err(Error::arg(
                "a slab that must be new can't be opened read-only: it would stay empty",
            ));
        }
        Ok(())
    }
}

/// Name of a slab without a file, for messages.
fn anonymous_name() -> PathBuf {
    PathBuf::from("an anonymous slab")
}
