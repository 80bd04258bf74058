//! Agents: one line of the table, with the private state of the thread, transaction or snapshot that uses it. A process keeps the lines that
//! it has claimed in a pool.

use super::limbo::Limbo;
use super::pin::{pin, scan, unpin, Pinned, Slot, Version};
use super::record::{claim, still_current, ClaimCache};
use super::Shared;
use crate::error::{Error, Result};
use crate::slab::alloc::{Allocator, Memory};
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::*};

/// Pin sequence numbers that one claim of a line may use.
const SEQUENCES: u64 = 1 << 40;
/// Lines that a table grows by.
const CHUNK: u64 = 64;
/// Idle agents that a process keeps; more than that are given back to the slab, unless what they have retired still waits.
const POOL: usize = 128;

/// A claimed agent line.
pub struct Agent {
    /// Index of the line.
    pub index: usize,
    /// Its blocks.
    pub alloc: Allocator,
    /// What it has retired.
    pub limbo: Limbo,
    sequence: u64,
    cache: ClaimCache,
}

impl Agent {
    /// Claims a free line for `participant`, growing the table if there is none.
    pub fn claim(m: Memory, participant: u32) -> Result<Agent> {
        let owner = participant as u64 + 1;
        loop {
            let n = m.map.agents();
            for index in 0..n {
                let line = m.map.agent(index);
                if line.owner.load(Relaxed) == 0 && line.owner.compare_exchange(0, owner, AcqRel, Relaxed).is_ok() {
                    let sequence = m.map.atomic_u64(CONTROL_SEQUENCE).fetch_add(SEQUENCES, Relaxed) & (u64::MAX >> 2);
                    return Ok(Agent {
                        index,
                        alloc: Allocator::new(index as u16),
                        limbo: Limbo::default(),
                        sequence,
                        cache: ClaimCache {
                            hint: index,
                            ..ClaimCache::default()
                        },
                    });
                }
            }
            grow_table(
                m,
                CONTROL_AGENTS_BACKED,
                n as u64,
                AGENTS,
                AGENT_SIZE,
                AGENTS_MAX,
                "threads, transactions and snapshots at once",
            )?;
        }
    }

    /// Pins the current version.
    pub fn pin(&mut self, map: &Mapping, slot: Slot) -> Version {
        pin(map, self.index, slot, &mut self.sequence)
    }

    /// Gives a pin up.
    pub fn unpin(&self, map: &Mapping, slot: Slot) {
        unpin(map, self.index, slot);
    }

    /// A record for the version after `base`, which this agent has pinned. None: `base` isn't the current version any more. Then the records of
    /// the versions since can't be judged by a scan that has seen only `base`, and there is nothing to claim one for.
    pub fn claim_record(&mut self, m: Memory, base: Version) -> Result<Option<usize>> {
        loop {
            if let Some(i) = claim(m.map, self.index, &mut self.sequence, base, &mut self.cache) {
                return Ok(Some(i));
            }
            if !still_current(m.map, base) {
                return Ok(None);
            }
            let n = m.map.records() as u64;
            grow_table(
                m,
                CONTROL_RECORDS_BACKED,
                n,
                RECORDS,
                RECORD_SIZE,
                RECORDS_MAX,
                "versions pinned at once",
            )?;
        }
    }

    /// Everything that is protected, judged at the version that this agent has pinned.
    pub fn scan(&mut self, map: &Mapping, out: &mut Pinned) {
        scan(map, self.index, &mut self.sequence, out);
    }

    /// Frees what nobody can reach any more, if enough has gathered. `all`: also if not, for all to see, and gives back what this agent doesn't need now.
    pub fn drain(&mut self, m: Memory, all: bool) {
        let drained = self.drain_limbo(m, all);
        if all {
            self.alloc.settle(m.map);
        }
        if all || drained {
            self.alloc.trim(m.map, all);
        }
    }

    /// Returns whether there was something to look at.
    fn drain_limbo(&mut self, m: Memory, all: bool) -> bool {
        // Before the scan: what is released later is news to the next look.
        let releases = m.map.releases().load(Relaxed);
        if self.limbo.is_empty() || !(all || self.limbo.is_due(releases)) {
            return false;
        }
        // A pin, not a look at the root's record: that could be recycled while we look and show a version that is not root yet.
        let seen = self.pin(m.map, Slot::B).number;
        self.unpin(m.map, Slot::B);
        let mut pinned = std::mem::take(&mut self.cache.pinned);
        scan(m.map, self.index, &mut self.sequence, &mut pinned);
        let full = all || self.limbo.is_full_due(releases);
        Limbo::drain(self, m, &pinned, seen, full.then_some(releases));
        self.cache.pinned = pinned;
        self.cache.scanned = seen;
        true
    }

    /// Gives blocks and line back, when the slab is closed or nothing waits in limbo. What still does is left to the tracer, but for objects that were
    /// never committed: those no other process can know, and in a block that is nobody's no one would find them.
    pub fn release(mut self, m: Memory) {
        self.drain(m, true);
        Limbo::free_uncommitted(&mut self, m);
        if !self.limbo.is_empty() {
            // What still waits can't be given on: it is lost to a trace.
            m.map.atomic_u32(CONTROL_MAPS).store(MAPS_SUPERSET, Relaxed);
        }
        self.alloc.shelve_all(m.map);
        let line = m.map.agent(self.index);
        for slot in [Slot::A, Slot::B, Slot::Help] {
            unpin(m.map, self.index, slot);
        }
        line.floor.store(0, Release);
        line.sec_lo.store(0, Release);
        line.hazard.store(0, Release);
        line.owner.store(0, Release);
    }
}

/// Allocates the next piece of a table and raises its count. Idempotent: racing growers do the same.
pub fn grow_table(m: Memory, count: u64, was: u64, table: u64, entry: u64, max: u64, what: &'static str) -> Result<()> {
    if was >= max {
        return Err(Error::limit(what));
    }
    let now = (was + CHUNK.max(was)).min(max);
    m.file.ensure(table + was * entry, (now - was) * entry)?;
    // The highest count wins, also over one that a damaged slab has set lower than its readers take it for.
    m.map.atomic_u32(count).fetch_max(now as u32, AcqRel);
    Ok(())
}

/// Idle things of one opened slab, kept for the next user. Lock-free, so that it serves the main thread of a browser too.
#[derive(Debug)]
pub struct Pool<T> {
    slots: Box<[Place<T>]>,
    /// More of them, made by [`Pool::keep`].
    next: AtomicPtr<Pool<T>>,
}

/// One idle thing, and how often one was taken from here to write: now, and at the last [`Pool::sweep`].
#[derive(Debug)]
struct Place<T> {
    idle: AtomicPtr<T>,
    taken: AtomicU32,
    swept: AtomicU32,
}

impl<T> Place<T> {
    fn take(&self) -> Option<Box<T>> {
        if self.idle.load(Relaxed).is_null() {
            return None;
        }
        let p = self.idle.swap(std::ptr::null_mut(), AcqRel);
        // SAFETY: `put` stored a pointer from Box::into_raw, and the swap gave it to us alone.
        (!p.is_null()).then(|| unsafe { Box::from_raw(p) })
    }

    fn put(&self, idle: Box<T>) -> std::result::Result<(), Box<T>> {
        if !self.idle.load(Relaxed).is_null() {
            return Err(idle);
        }
        let p = Box::into_raw(idle);
        match self.idle.compare_exchange(std::ptr::null_mut(), p, AcqRel, Relaxed) {
            Ok(_) => Ok(()),
            // SAFETY: the place didn't take the pointer, so it is still ours alone.
            Err(_) => Err(unsafe { Box::from_raw(p) }),
        }
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Pool<T> {
        let place = || Place {
            idle: AtomicPtr::default(),
            taken: AtomicU32::new(0),
            swept: AtomicU32::new(u32::MAX),
        };
        Pool {
            slots: (0..POOL).map(|_| place()).collect(),
            next: AtomicPtr::default(),
        }
    }
}

impl<T> Pool<T> {
    fn next(&self) -> Option<&Pool<T>> {
        // SAFETY: once set by `keep`, from Box::into_raw, it stays until `self` is dropped.
        unsafe { self.next.load(Acquire).as_ref() }
    }

    /// An idle one, if there is one. Who `writes` will see by himself to what waits in it, so the next sweep leaves it alone; a reader doesn't.
    pub fn take(&self, writes: bool) -> Option<Box<T>> {
        for s in &self.slots {
            if let Some(idle) = s.take() {
                if writes {
                    // Not exact if two meet here: a sweep comes too early or too late then.
                    s.taken.store(s.taken.load(Relaxed).wrapping_add(1), Relaxed);
                }
                return Some(idle);
            }
        }
        self.next()?.take(writes)
    }

    /// Lends `f` what nobody has taken to write since the last sweep, and nothing that is in use now and then.
    pub fn sweep(&self, f: &mut impl FnMut(&mut T)) {
        for s in &self.slots {
            let taken = s.taken.load(Relaxed);
            if s.swept.swap(taken, Relaxed) != taken {
                continue;
            }
            if let Some(mut idle) = s.take() {
                f(&mut idle);
                s.put(idle).unwrap_or_else(|idle| self.keep(idle));
            }
        }
        if let Some(next) = self.next() {
            next.sweep(f);
        }
    }

    /// Keeps `idle` for the next user; returns it if the pool is full.
    pub fn put(&self, idle: Box<T>) -> Option<Box<T>> {
        self.slots.iter().try_fold(idle, |idle, s| s.put(idle).err())
    }

    /// Keeps `idle` in any case.
    pub fn keep(&self, idle: Box<T>) {
        let Some(idle) = self.put(idle) else { return };
        if self.next().is_none() {
            let more = Box::into_raw(Box::<Pool<T>>::default());
            if self
                .next
                .compare_exchange(std::ptr::null_mut(), more, AcqRel, Acquire)
                .is_err()
            {
                // SAFETY: not installed, so still ours alone.
                drop(unsafe { Box::from_raw(more) });
            }
        }
        self.next().expect("just installed").keep(idle);
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        while self.take(false).is_some() {}
        let next = *self.next.get_mut();
        if !next.is_null() {
            // SAFETY: from Box::into_raw in `keep`; nobody else has `self`.
            drop(unsafe { Box::from_raw(next) });
        }
    }
}
