//! wasm32: a slab in the linear memory that a page's threads share. No files, no other processes, nothing durable.
//!
//! W1. A slab is a region of linear memory of fixed size. Growth only moves `backed_len`: the memory behind it was never touched and is zero.
//! W2. Each thread may attach to the slab: a participant of its own, over the same region. The last one gives the region back.
//! W3. Nothing here waits for another thread, as a page's main thread must not.

use super::clear::{clear, entry, is_busy, CLAIMED, FREE};
use super::{anonymous_name, Options};
use crate::durable::control::{self, MAPS_SUPERSET};
use crate::durable::flush::Source;
use crate::epoch::agent::Agent;
use crate::error::{Error, Result};
use crate::slab::alloc::Grow;
use crate::slab::ident::Ident;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sys;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::*};
use std::sync::Arc;

/// Size of a slab if the options don't limit it.
const DEFAULT_BYTES: u64 = 256 << 20;
/// Largest size of a slab: an object of Rust, as which its mapping counts, has at most this.
const MOST_BYTES: u64 = isize::MAX as u64 + 1 - PAGE;
/// What linear memory grows by.
const PAGE: u64 = 64 << 10;
/// Least that a slab grows by at once.
const STEP: u64 = 1 << 20;

/// Called after a recovery. There is none here.
pub type Rebuild<'a> = &'a dyn Fn(&SlabFile) -> Result<()>;

/// An attachment to a slab.
#[derive(Debug)]
pub struct SlabFile {
    map: Mapping,
    options: Options,
    ident: Ident,
    participant: u32,
    open: AtomicBool,
    region: Arc<Region>,
}

impl SlabFile {
    /// Always an error: there is no file system.
    pub fn open(path: &Path, _options: &Options, _rebuild: Rebuild) -> Result<SlabFile> {
        Err(Error::arg(format!(
            "wasm32 has no files, so no {}: open an anonymous slab and attach to it",
            path.display()
        )))
    }

    /// A new slab of at most `options.max_bytes` bytes. That much of the linear memory's addresses is taken at once; memory itself only as it
    /// is used, where the host commits pages lazily.
    pub fn anonymous(options: &Options) -> Result<SlabFile> {
        if options.read_only {
            return Err(Error::arg(
                "a new anonymous slab would have nothing to read: open it for writing",
            ));
        }
        let bytes = if options.max_bytes == u64::MAX {
            DEFAULT_BYTES
        } else {
            options.max_bytes
        };
        let len = bytes
            .max(HEADER_SIZE + BLOCK_SIZE)
            .saturating_add(SLACK)
            .next_multiple_of(PAGE);
        if len > MOST_BYTES {
            return Err(Error::full(
                "the largest slab of wasm32: ask for fewer max_bytes",
                MOST_BYTES - SLACK,
            ));
        }
        let region = Region::take(len as usize).ok_or_else(|| {
            Error::full(
                "the linear memory: ask for fewer max_bytes, or let the host give the module more",
                len,
            )
        })?;
        let map = region.mapping();
        let random = sys::random().map_err(|e| Error::io("random", &anonymous_name(), &e))?;
        let ident = Ident::new(random, sys::now_ms());
        control::format(&map, &ident);
        control::set_ready(&map, [0; 16], [0; 3]);
        SlabFile::over(
            Arc::new(region),
            Options {
                max_bytes: bytes,
                ..options.clone()
            },
            ident,
        )
    }

    /// The same slab as a further participant, for another thread.
    pub fn attach(&self) -> Result<SlabFile> {
        SlabFile::over(self.region.clone(), self.options.clone(), self.ident)
    }

    fn over(region: Arc<Region>, options: Options, ident: Ident) -> Result<SlabFile> {
        let map = region.mapping();
        let participant = claim(&map)?;
        Ok(SlabFile {
            map,
            options,
            ident,
            participant,
            open: AtomicBool::new(true),
            region,
        })
    }

    /// The mapped bytes.
    pub fn mapping(&self) -> &Mapping {
        &self.map
    }

    /// Never an error: there is no fork.
    #[inline]
    pub fn check_fork(&self) -> Result<()> {
        Ok(())
    }

    /// Never: see [`SlabFile::anonymous`].
    pub fn read_only(&self) -> bool {
        false
    }

    /// Index of our place among the participants.
    pub fn participant(&self) -> u32 {
        self.participant
    }

    /// How it was opened.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What the slab says about itself.
    pub fn ident(&self) -> &Ident {
        &self.ident
    }

    /// Never: see [`SlabFile::sync`].
    pub fn sync_error(&self) -> Option<Error> {
        None
    }

    /// Nothing to do: no version outlives the memory, so each is as durable as it can be.
    pub fn sync(&self, _source: &dyn Source, target: u64) -> Result<u64> {
        Ok(target)
    }

    /// Nothing to do: the memory of wasm32 never shrinks.
    pub fn punch_free(&self, _agent: &Agent, _least: u64, _most: u64) -> Result<u64> {
        Ok(0)
    }

    /// Nobody dies unseen: the host ends its workers.
    pub fn reap(&self) -> Result<usize> {
        Ok(0)
    }

    /// Gives our place among the participants up. If agents are still claimed (open snapshots and transactions), that happens when the
    /// `SlabFile` is dropped. Closing twice does nothing.
    pub fn close(&self) -> Result<()> {
        self.finish(false);
        Ok(())
    }

    fn finish(&self, dropped: bool) {
        let busy = is_busy(&self.map, self.participant);
        if (busy && !dropped) || !self.open.swap(false, AcqRel) {
            return;
        }
        if busy {
            // They can't be used any more, as whoever used them held us; what they have retired is lost to a trace.
            self.map.atomic_u32(CONTROL_MAPS).store(MAPS_SUPERSET, Relaxed);
        }
        clear(&self.map, self.participant, false);
    }
}

/// Where there are files, what makes versions durable in the background. Here there is nothing to do.
#[derive(Debug)]
pub struct Syncer;

impl Syncer {
    /// Nothing.
    pub fn new(_file: &SlabFile) -> Syncer {
        Syncer
    }

    /// Never: nothing is kept for the disk.
    pub fn after_commit(&self, _file: &Arc<SlabFile>, _retired: u64) -> bool {
        false
    }

    /// Nothing.
    pub fn stop(&self) {}

    /// Nothing.
    pub fn forget(&self) {}
}

impl Drop for SlabFile {
    fn drop(&mut self) {
        self.finish(true);
    }
}

impl Grow for SlabFile {
    fn grow(&self, backed: u64) -> Result<()> {
        let limit = self.options.max_bytes.min(self.map.reserved() - SLACK);
        if backed > limit {
            return Err(Error::full(
                "the largest size that the slab was opened with (max_bytes)",
                limit,
            ));
        }
        let step = (self.map.backed() + STEP).min(limit) & !(BLOCK_SIZE - 1);
        // Release: who sees the new length may store below it.
        self.map.atomic_u64(CONTROL_BACKED).fetch_max(backed.max(step), AcqRel);
        Ok(())
    }

    fn ensure(&self, _offset: u64, _len: u64) -> Result<()> {
        // The header's memory is there from the start, and a slab of wasm32 has one segment.
        Ok(())
    }

    fn back(&self, _offset: u64, _len: u64) -> Result<()> {
        Ok(())
    }

    fn punch(&self, _offset: u64, _len: u64) -> Result<bool> {
        // The memory of wasm32 never shrinks.
        Ok(false)
    }
}

/// Claims a free participant entry.
fn claim(map: &Mapping) -> Result<u32> {
    for p in 0..PARTICIPANTS_MAX as u32 {
        let state = map.atomic_u32(entry(p));
        if state.load(Relaxed) == FREE && state.compare_exchange(FREE, CLAIMED, AcqRel, Relaxed).is_ok() {
            map.atomic_u32(entry(p) + 4).fetch_add(1, Relaxed);
            return Ok(p);
        }
    }
    Err(Error::limit(format!(
        "the slab is open {PARTICIPANTS_MAX} times, the most that a slab allows: close some"
    )))
}

// ---- regions of linear memory ----

/// A range of linear memory for one slab. Linear memory never shrinks, so a region that is given back waits for the next slab.
#[derive(Debug)]
struct Region {
    base: *mut u8,
    len: usize,
}

// SAFETY: a region is an address range, the same in all threads of the memory; those who use it answer for their accesses.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

/// First bytes of an idle region, all others of which are zero.
struct Idle {
    next: *mut Idle,
    len: usize,
}

/// The idle regions. Whoever wants one takes the whole list and puts back what it doesn't need, so no link is read that others may change.
static IDLE: AtomicPtr<Idle> = AtomicPtr::new(null_mut());

fn put_idle(at: *mut Idle, len: usize) {
    let mut next = IDLE.load(Relaxed);
    loop {
        // SAFETY: the region is aligned, larger than this, and ours until the exchange gives it away.
        unsafe { at.write(Idle { next, len }) };
        match IDLE.compare_exchange_weak(next, at, Release, Relaxed) {
            Ok(_) => return,
            Err(now) => next = now,
        }
    }
}

impl Region {
    /// A region of at least `len` bytes, a multiple of the page, all zero. None if the memory has no room.
    fn take(len: usize) -> Option<Region> {
        Region::take_idle(len).or_else(|| {
            let page = core::arch::wasm32::memory_grow::<0>(len / PAGE as usize);
            (page != usize::MAX).then(|| Region {
                base: (page * PAGE as usize) as *mut u8,
                len,
            })
        })
    }

    fn take_idle(len: usize) -> Option<Region> {
        let mut found = None;
        let mut list = IDLE.swap(null_mut(), Acquire);
        while !list.is_null() {
            // SAFETY: the swap made the list ours, and each of its regions was written by `put_idle`.
            let Idle { next, len: has } = unsafe { list.read() };
            if has >= len && found.is_none() {
                // SAFETY: as above.
                unsafe { list.cast::<u8>().write_bytes(0, size_of::<Idle>()) };
                found = Some(Region {
                    base: list.cast(),
                    len: has,
                });
            } else {
                put_idle(list, has);
            }
            list = next;
        }
        found
    }

    fn mapping(&self) -> Mapping {
        // SAFETY: the region starts at a page, its memory never goes, and all who map it hold it.
        unsafe { Mapping::from_raw(self.base, self.len) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // A slab whose creation failed has no length yet, but may have a header.
        let used = (self.mapping().backed() as usize).max(HEADER_SIZE as usize) + SLACK as usize;
        // SAFETY: the region's own bytes; its last user has gone.
        unsafe { self.base.write_bytes(0, used) };
        put_idle(self.base.cast(), self.len);
    }
}
