//! Participants: who has the slab open, who died with it open, and what becomes of a dead one's things.

use super::LOCK_PARTICIPANTS;
use crate::durable::control::MAPS_SUPERSET;
use crate::epoch::Shared;
use crate::error::Error;
use crate::slab::alloc;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sys::{self, FileSystem, LockKind, Region};
use std::fs::File;
use std::path::Path;
use std::sync::atomic::Ordering::*;

const FREE: u32 = 0;
const CLAIMED: u32 = 1;

/// Our place in the participant table, ours while this lives.
#[derive(Debug)]
pub(super) struct Participant {
    pub(super) index: u32,
    /// Keeps the open file, and with it the lock, alive; a forked child doesn't have it.
    keeper: std::mem::ManuallyDrop<Region>,
    /// On an overlay a mapping doesn't keep the open file: the descriptor must.
    _file: Option<File>,
}

impl Participant {
    /// Gives the lock up.
    pub(super) fn release(mut self) {
        // SAFETY: `self` is consumed: nobody uses the region again.
        unsafe { std::mem::ManuallyDrop::drop(&mut self.keeper) }
    }
}

fn entry(p: u32) -> u64 {
    PARTICIPANTS + p as u64 * PARTICIPANT_SIZE
}

fn byte(p: u32) -> u64 {
    LOCK_PARTICIPANTS + p as u64
}

/// Is any participant alive, other than `except`? `file` is not one that holds a participant's byte.
pub(super) fn someone_alive(file: &File, except: Option<u32>) -> std::io::Result<bool> {
    let all = PARTICIPANTS_MAX;
    let Some(p) = except.map(u64::from) else {
        return sys::is_locked(file, LOCK_PARTICIPANTS, all);
    };
    Ok(sys::is_locked(file, LOCK_PARTICIPANTS, p)? || sys::is_locked(file, LOCK_PARTICIPANTS + p + 1, all - p - 1)?)
}

/// Claims a free participant entry. `own` is an open file of its own. None: all are taken.
pub(super) fn claim(own: File, map: &Mapping, kind: FileSystem) -> std::io::Result<Option<Participant>> {
    for index in 0..PARTICIPANTS_MAX as u32 {
        let state = map.atomic_u32(entry(index));
        if state.load(Acquire) != FREE || !sys::try_lock(&own, byte(index), LockKind::Write)? {
            continue;
        }
        // Look again under the lock: an entry that isn't free belongs to a dead one, or to one that is about to say so.
        if state.load(Acquire) != FREE {
            sys::unlock(&own, byte(index))?;
            continue;
        }
        map.atomic_u32(entry(index) + 4).fetch_add(1, Relaxed);
        map.atomic_u32(entry(index) + 8).store(std::process::id(), Relaxed);
        state.store(CLAIMED, Release);
        let keeper = std::mem::ManuallyDrop::new(Region::keeper(&own)?);
        let file = (kind == FileSystem::Overlay).then_some(own);
        return Ok(Some(Participant { index, keeper, _file: file }));
    }
    Ok(None)
}

/// Clears what dead participants have left. `file` is ours but holds no participant's byte; no other thread uses it for that. Returns how
/// many were dead.
pub(super) fn reap(file: &File, map: &Mapping) -> std::io::Result<usize> {
    let mut dead = 0;
    for p in 0..PARTICIPANTS_MAX as u32 {
        // Take the byte: to see it free isn't enough, as it may be taken again meanwhile.
        if map.atomic_u32(entry(p)).load(Acquire) != CLAIMED || !sys::try_lock(file, byte(p), LockKind::Write)? {
            continue;
        }
        if map.atomic_u32(entry(p)).load(Acquire) == CLAIMED {
            clear(map, p);
            map.atomic_u32(CONTROL_MAPS).store(MAPS_SUPERSET, Relaxed);
            dead += 1;
        }
        sys::unlock(file, byte(p))?;
    }
    if dead > 0 {
        // One of them may have died between its commit and the wake-up.
        map.atomic_u32(CONTROL_NOTIFY).fetch_add(1, AcqRel);
        sys::futex_wake(map.atomic_u32(CONTROL_NOTIFY));
    }
    Ok(dead)
}

/// Clears the things of participant `p`, whose byte the caller holds, and frees its entry. Idempotent: killed meanwhile, the next one does
/// it again.
pub(super) fn clear(map: &Mapping, p: u32) {
    let owner = p as u64 + 1;
    let current = current(map);
    for agent in (0..map.agents()).filter(|&i| map.agent(i).owner.load(Acquire) == owner) {
        clear_agent(map, agent, current);
    }
    for g in (0..map.groups()).map(|i| map.group(i)).filter(|g| g.owner.load(Acquire) == owner) {
        g.lo.store(0, Release);
        g.hi.store(0, Release);
        g.owner.store(0, Release);
    }
    map.atomic_u32(entry(p)).store(FREE, Release);
}

/// A version that is no earlier than the current one. It may be one too late, if the root's record is recycled while we look: then a cell of
/// that birth stays marked until a trace.
pub(super) fn current(map: &Mapping) -> u64 {
    loop {
        let root = map.root().load(Acquire);
        let version = Shared::record(map, root as usize % map.records()).version.load(Acquire);
        if map.root().load(Acquire) == root {
            return version;
        }
    }
}

/// Meta of a record that agent `index` is filling.
fn filling(index: usize) -> u64 {
    (index as u64) << 2 | 1
}

/// Gives a dead agent's line back: first what only it could touch, its pins and the line itself last.
fn clear_agent(map: &Mapping, index: usize, current: u64) {
    alloc::adopt(map, index as u16, current);
    for i in 0..map.records() {
        let _ = Shared::record(map, i).meta.compare_exchange(filling(index), 0, AcqRel, Relaxed);
    }
    let line = map.agent(index);
    for word in [&line.floor, &line.hazard, &line.sec_lo, &line.sec_hi].into_iter().chain(&line.pins).chain([&line.owner]) {
        word.store(0, Release);
    }
}

/// Takes over a slab that this system left ready, with nobody alive: the live root stays, everything that belonged to somebody goes.
/// Returns whether the last ones had died rather than closed it.
pub(super) fn adopt(map: &Mapping) -> bool {
    let claimed = |p: &u32| map.atomic_u32(entry(*p)).load(Relaxed) != FREE;
    let dead: Vec<u32> = (0..PARTICIPANTS_MAX as u32).filter(claimed).collect();
    dead.iter().for_each(|&p| clear(map, p));
    map.atomic_u32(CONTROL_WAITERS).store(0, Relaxed);
    map.atomic_u64(CONTROL_TRACER).store(0, Relaxed);
    if !dead.is_empty() {
        map.atomic_u32(CONTROL_MAPS).store(MAPS_SUPERSET, Relaxed);
    }
    !dead.is_empty()
}

/// Can the live root be taken over, as far as the control page tells? `floor` is the latest version of a superblock.
pub(super) fn is_adoptable(map: &Mapping, file_len: u64, floor: u64) -> bool {
    let (backed, high_water) = (map.atomic_u64(CONTROL_BACKED).load(Relaxed), map.atomic_u64(CONTROL_HIGH_WATER).load(Relaxed));
    let root = map.root().load(Acquire) as usize;
    let in_file = backed >= HEADER_SIZE && backed.checked_add(SLACK).is_some_and(|end| end <= file_len.min(map.reserved()));
    let blocks = high_water >= HEADER_SIZE / BLOCK_SIZE && high_water <= backed / BLOCK_SIZE;
    let record = Shared::record(map, root % map.records());
    let version = record.version.load(Relaxed);
    in_file && blocks && root < map.records() && record.meta.load(Acquire) == crate::epoch::record::live(version) && version >= floor
}

/// The error for a full participant table.
pub(super) fn too_many(path: &Path) -> Error {
    Error::limit(format!("{} is open {PARTICIPANTS_MAX} times, the most that a slab allows: close some", path.display()))
}
