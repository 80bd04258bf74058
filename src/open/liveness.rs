//! Participants: who has the slab open, and who died with it open.

use super::clear::{clear, entry, CLAIMED, FREE};
use super::LOCK_PARTICIPANTS;
use crate::durable::control::MAPS_SUPERSET;
use crate::epoch::Shared;
use crate::error::Error;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sync::{step_at, weakened};
use crate::sys::{self, FileSystem, LockKind, Region};
use std::fs::File;
use std::path::Path;
use std::sync::atomic::Ordering::*;

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
        return Ok(Some(Participant {
            index,
            keeper,
            _file: file,
        }));
    }
    Ok(None)
}

/// Takes a participant's byte, if nobody holds it.
fn take(file: &File, p: u32) -> std::io::Result<bool> {
    if weakened("reap: under the lock") {
        return Ok(!sys::is_locked(file, byte(p), 1)?);
    }
    sys::try_lock(file, byte(p), LockKind::Write)
}

/// Clears what dead participants have left. `file` is ours but holds no participant's byte; no other thread uses it for that. Returns how
/// many were dead.
pub(super) fn reap(file: &File, map: &Mapping) -> std::io::Result<usize> {
    let mut dead = 0;
    for p in 0..PARTICIPANTS_MAX as u32 {
        // Take the byte: to see it free isn't enough, as it may be taken again meanwhile.
        if map.atomic_u32(entry(p)).load(Acquire) != CLAIMED || !take(file, p)? {
            continue;
        }
        step_at("found dead");
        if map.atomic_u32(entry(p)).load(Acquire) == CLAIMED {
            clear(map, p, true);
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

/// Takes over a slab that this system left ready, with nobody alive: the live root stays, everything that belonged to somebody goes.
/// Returns whether the last ones had died rather than closed it.
pub(super) fn adopt(map: &Mapping) -> bool {
    let claimed = |p: &u32| map.atomic_u32(entry(*p)).load(Relaxed) != FREE;
    let dead: Vec<u32> = (0..PARTICIPANTS_MAX as u32).filter(claimed).collect();
    dead.iter().for_each(|&p| clear(map, p, true));
    map.atomic_u32(CONTROL_WAITERS).store(0, Relaxed);
    if !dead.is_empty() {
        map.atomic_u32(CONTROL_MAPS).store(MAPS_SUPERSET, Relaxed);
    }
    !dead.is_empty()
}

/// Can the live root be taken over, as far as the control page tells? `floor` is the latest version of a superblock.
pub(super) fn is_adoptable(map: &Mapping, file_len: u64, floor: u64) -> bool {
    let (backed, high_water) = (
        map.atomic_u64(CONTROL_BACKED).load(Relaxed),
        map.atomic_u64(CONTROL_HIGH_WATER).load(Relaxed),
    );
    let root = map.root().load(Acquire) as usize;
    let in_file = backed >= HEADER_SIZE
        && backed
            .checked_add(SLACK)
            .is_some_and(|end| end <= file_len.min(map.reserved()));
    let blocks = high_water >= HEADER_SIZE / BLOCK_SIZE && high_water <= backed / BLOCK_SIZE;
    let record = Shared::record(map, root % map.records());
    let version = record.version.load(Relaxed);
    in_file
        && blocks
        && root < map.records()
        && record.meta.load(Acquire) == crate::epoch::record::live(version)
        && version >= floor
        && version < FRESH
}

/// The error for a full participant table.
pub(super) fn too_many(path: &Path) -> Error {
    Error::limit(format!(
        "{} is open {PARTICIPANTS_MAX} times, the most that a slab allows: close some",
        path.display()
    ))
}
