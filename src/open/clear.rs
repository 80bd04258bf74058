//! What becomes of a participant's things when it has closed or died.

use crate::epoch::group::group_close_all;
use crate::epoch::Shared;
use crate::slab::free;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use std::sync::atomic::Ordering::*;

/// State of a participant entry that nobody has.
pub(super) const FREE: u32 = 0;
/// State of a participant entry that somebody has, or had when it died.
pub(super) const CLAIMED: u32 = 1;

/// The participant entry `p`.
pub(super) fn entry(p: u32) -> u64 {
    PARTICIPANTS + p as u64 * PARTICIPANT_SIZE
}

/// Does participant `p` still have agents: open snapshots and transactions?
pub(super) fn is_busy(map: &Mapping, p: u32) -> bool {
    (0..map.agents()).any(|i| map.agent(i).owner.load(Acquire) == p as u64 + 1)
}

/// Clears the things of participant `p`, which the caller alone may touch, and frees its entry. Not `dead`: the caller's own. Idempotent: killed
/// meanwhile, the next one does it again.
pub(super) fn clear(map: &Mapping, p: u32, dead: bool) {
    let owner = p as u64 + 1;
    let current = current(map);
    for agent in (0..map.agents()).filter(|&i| map.agent(i).owner.load(Acquire) == owner) {
        clear_agent(map, agent, current);
    }
    group_close_all(map, owner, dead);
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
    free::adopt(map, index as u16, current);
    for i in 0..map.records() {
        let _ = Shared::record(map, i)
            .meta
            .compare_exchange(filling(index), 0, AcqRel, Relaxed);
    }
    let line = map.agent(index);
    for word in [&line.floor, &line.hazard, &line.sec_lo, &line.sec_hi]
        .into_iter()
        .chain(&line.pins)
        .chain([&line.owner])
    {
        crate::sync::step();
        word.store(0, Release);
    }
}
