//! Growth: bytes are allocated on disk before anybody may store to them, so that a full disk is an error of a call, never a signal.
//!
//! No lock: two who grow at once do the same harmless thing. Only a file system that can't allocate ranges needs one: there the file is
//! made longer by writing zeros behind its end, and all bytes below its end are allocated.

use super::file::{owned, SlabFile};
use super::LOCK_GROW;
use crate::epoch::held::explain;
use crate::error::{Error, Result};
use crate::slab::alloc::Grow;
use crate::slab::layout::*;
use crate::sys::{self, FileSystem, LockKind, PAGE};
use std::sync::atomic::{AtomicU64, Ordering::*};

/// Least and most that a slab grows by at once. A MiB of ext4 or xfs takes some 10 us to allocate.
const STEP_MIN: u64 = 256 << 10;
const STEP_MAX: u64 = 64 << 20;
/// Memory file systems zero what they allocate at once, some 600 us a MiB: smaller steps.
const STEP_MAX_MEMORY: u64 = 4 << 20;
const HEADER_PAGES: usize = (HEADER_SIZE / PAGE) as usize;

/// Pages of the header that this process knows to be allocated.
#[derive(Debug, Default)]
pub(super) struct HeaderPages([AtomicU64; HEADER_PAGES / 64]);

impl HeaderPages {
    fn has(&self, page: u64) -> bool {
        self.0[page as usize / 64].load(Relaxed) & 1 << (page % 64) != 0
    }

    fn add(&self, page: u64) {
        self.0[page as usize / 64].fetch_or(1 << (page % 64), Relaxed);
    }
}

impl SlabFile {
    /// How far to grow for `needed`: a step of an eighth of the slab, if the limits allow.
    fn target(&self, needed: u64) -> Result<u64> {
        let most = if self.file_system == FileSystem::Local {
            STEP_MAX
        } else {
            STEP_MAX_MEMORY
        };
        let backed = self.map.backed();
        let step = ((backed - HEADER_SIZE) / 8).clamp(STEP_MIN, most);
        let limits = [
            (
                self.options.max_bytes,
                "the largest size that the slab was opened with (max_bytes)",
            ),
            (self.map.reserved() - SLACK, "the address space reserved for the slab"),
            (
                sys::file_size_max().saturating_sub(SLACK),
                "the largest file of this process (ulimit -f)",
            ),
        ];
        let (limit, what) = limits.into_iter().min_by_key(|l| l.0).expect("not empty");
        if needed > limit {
            return Err(Error::full(what, limit));
        }
        let target = needed.max(backed + step).next_multiple_of(BLOCK_SIZE);
        Ok(if target > limit { needed } else { target })
    }

    /// Makes the file, which holds `was` bytes, hold `backed` or a step more.
    fn grow_from(&self, was: u64, backed: u64) -> Result<()> {
        let mut target = self.target(backed)?;
        match self.allocate(was, target + SLACK) {
            // Perhaps the disk has room for what is needed, if not for a whole step.
            Err(Error::Full(_)) if target > backed => {
                target = backed;
                self.allocate(was, target + SLACK)?;
            }
            done => done?,
        }
        // Release: who sees the new length may store below it.
        self.map.atomic_u64(CONTROL_BACKED).fetch_max(target, AcqRel);
        Ok(())
    }

    /// Allocates [from, to) of the file.
    fn allocate(&self, from: u64, to: u64) -> Result<()> {
        let Some(file) = &self.file else {
            // The kernel gives memory when it is first touched.
            return Ok(());
        };
        let failed = |e: std::io::Error| Error::io("grow", &self.path, &e);
        if self.allocates {
            return match sys::allocate(file, from, to - from).map_err(failed)? {
                true => Ok(()),
                false => Err(Error::io(
                    "grow",
                    &self.path,
                    &std::io::Error::from_raw_os_error(libc::EOPNOTSUPP),
                )),
            };
        }
        let _alone = owned(&self.growing);
        sys::lock(file, LOCK_GROW, LockKind::Write).map_err(failed)?;
        let grown = sys::extend_with_zeros(file, to).map_err(failed);
        sys::unlock(file, LOCK_GROW).map_err(failed)?;
        grown
    }
}

impl Grow for SlabFile {
    /// Makes `backed_len` at least `backed`. An error means that nothing changed.
    fn grow(&self, backed: u64) -> Result<()> {
        let was = self.map.backed();
        if backed <= was {
            return Ok(());
        }
        if self.read_only() {
            // The private memory behind the file, whose mapping and control page are ours alone.
            self.map.atomic_u64(CONTROL_BACKED).fetch_max(backed, AcqRel);
            return Ok(());
        }
        self.grow_from(was, backed)
            .map_err(|e| e.full_because(|| explain(&self.map, sys::now_ms())))
    }

    fn back(&self, offset: u64, len: u64) -> Result<()> {
        // A reader's stores stay in its private memory; where ranges can't be allocated none was given up.
        if self.read_only() || !self.allocates {
            return Ok(());
        }
        self.allocate(offset, offset + len)
    }

    fn punch(&self, offset: u64, len: u64) -> Result<bool> {
        match &self.file {
            Some(file) => sys::punch(file, offset, len),
            None => self.region.discard(offset, len).map(|()| true),
        }
        .map_err(|e| Error::io("give disk space back", &self.path, &e))
    }

    /// Makes sure that `len` bytes at `offset`, a piece of a table, are allocated.
    fn ensure(&self, offset: u64, len: u64) -> Result<()> {
        if offset >= HEADER_SIZE {
            // Tables of later segments lie below backed_len, all of which is allocated.
            return if offset + len > self.map.backed() {
                self.grow(offset + len)
            } else {
                Ok(())
            };
        }
        // A reader's tables are private memory. Without ranges the whole header was written at creation.
        if self.read_only() || !self.allocates {
            return Ok(());
        }
        for page in offset / PAGE..(offset + len).min(HEADER_SIZE).div_ceil(PAGE) {
            if !self.header_pages.has(page) {
                self.allocate(page * PAGE, (page + 1) * PAGE)?;
                self.header_pages.add(page);
            }
        }
        Ok(())
    }
}
