//! The control page and the tables as they are when a slab starts: new, recovered, or read by somebody who may not write.

use crate::durable::superblock::{Superblock, PLACES};
use crate::slab::ident::Ident;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use std::sync::atomic::Ordering::*;

/// Agent lines, pin groups and root records that are allocated from the start: one page each.
pub const FIRST_AGENTS: u32 = 64;
/// See [`FIRST_AGENTS`].
pub const FIRST_GROUPS: u32 = 128;
/// See [`FIRST_AGENTS`].
pub const FIRST_RECORDS: u32 = 64;

pub use crate::slab::layout::{MAPS_EXACT, MAPS_SUPERSET};

/// The parts of the header that are in use from the start, as (offset, length); everything else of it may be a hole in the file.
pub const FIRST_RANGES: [(u64, u64); 8] = [
    (IDENT, IDENT_SIZE),
    (SUPERBLOCK_A, 4096),
    (SUPERBLOCK_B, 4096),
    (CONTROL, 4096 + PARTICIPANTS_MAX * PARTICIPANT_SIZE),
    (AGENTS, FIRST_AGENTS as u64 * AGENT_SIZE),
    (GROUPS, FIRST_GROUPS as u64 * GROUP_SIZE),
    (RECORDS, FIRST_RECORDS as u64 * RECORD_SIZE),
    (DESCRIPTORS, 4096),
];

/// The tables that start empty, as (offset, length).
pub const TABLES: [(u64, u64); 4] = [
    (PARTICIPANTS, PARTICIPANTS_MAX * PARTICIPANT_SIZE),
    (AGENTS, AGENTS_MAX * AGENT_SIZE),
    (GROUPS, GROUPS_MAX * GROUP_SIZE),
    (RECORDS, RECORDS_MAX * RECORD_SIZE),
];

/// What a slab starts from.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The durable root to start from.
    pub from: Superblock,
    /// The current version's number, which may be later than the durable one's.
    pub version: u64,
    /// Free blocks below the high-water block.
    pub free_blocks: u64,
    /// Of these, how many are unbacked.
    pub unbacked: u64,
    /// [`MAPS_EXACT`] or [`MAPS_SUPERSET`].
    pub maps: u32,
}

/// Fills the control page, all but its state, and root record 0. The tables are zero already.
pub fn start(map: &Mapping, s: &Start) {
    map.atomic_u32(CONTROL_INCARNATION).store(s.from.incarnation, Relaxed);
    for at in (CONTROL + 8..CONTROL + 4096).step_by(8) {
        map.atomic_u64(at).store(0, Relaxed);
    }
    for (at, value) in [
        (CONTROL_BACKED, s.from.backed),
        (CONTROL_HIGH_WATER, s.from.high_water),
        (CONTROL_FREE_BLOCKS, s.free_blocks),
        (CONTROL_UNBACKED, s.unbacked),
        (CONTROL_DURABLE, s.from.version),
        (CONTROL_SYMBOLS, s.from.symbols),
        (RECORDS + RECORD_META, crate::epoch::record::live(s.version)),
        (RECORDS + RECORD_VERSION, s.version),
        (RECORDS + RECORD_STATE, s.from.state),
        (RECORDS + RECORD_TIME, s.from.time),
    ] {
        map.atomic_u64(at).store(value, Relaxed);
    }
    for (at, value) in [
        (CONTROL_AGENTS_BACKED, FIRST_AGENTS),
        (CONTROL_GROUPS_BACKED, FIRST_GROUPS),
        (CONTROL_RECORDS_BACKED, FIRST_RECORDS),
        (CONTROL_SYMBOL_NEXT, s.from.symbol_count as u32),
        (CONTROL_MAPS, s.maps),
    ] {
        map.atomic_u32(at).store(value, Relaxed);
    }
}

/// Notes which system has the slab open and which file it is, then calls it ready.
pub fn set_ready(map: &Mapping, boot: [u8; 16], file: [u64; 3]) {
    let half = |i: usize| u64::from_le_bytes(boot[i..i + 8].try_into().expect("eight bytes"));
    for (i, word) in [half(0), half(8), file[0], file[1], file[2]].into_iter().enumerate() {
        map.atomic_u64(CONTROL_BOOT_ID + i as u64 * 8).store(word, Relaxed);
    }
    // Release: whoever sees READY sees all of the page.
    map.atomic_u32(CONTROL_STATE).store(STATE_READY, Release);
}

/// Which file it was when it was last called ready: device, inode, time of birth.
pub fn noted_file(map: &Mapping) -> [u64; 3] {
    [2, 3, 4].map(|i| map.atomic_u64(CONTROL_BOOT_ID + i * 8).load(Relaxed))
}

/// Was it left ready by the system with that boot id, and is it still the same file?
pub fn is_ready(map: &Mapping, boot: [u8; 16], file: [u64; 3]) -> bool {
    let word = |i: u64| map.atomic_u64(CONTROL_BOOT_ID + i * 8).load(Relaxed);
    let mut noted = [0; 16];
    noted[..8].copy_from_slice(&word(0).to_le_bytes());
    noted[8..].copy_from_slice(&word(1).to_le_bytes());
    map.atomic_u32(CONTROL_STATE).load(Acquire) == STATE_READY && noted == boot && noted_file(map) == file
}

/// Writes the header of a new slab into zeroed memory: version 1, whose state is the empty map. The state is left to [`set_ready`].
pub fn format(map: &Mapping, ident: &Ident) {
    ident.store(map);
    let mut superblock = Superblock {
        sequence: 0,
        version: 1,
        state: EMPTY_MAP,
        symbols: 0,
        symbol_count: 0,
        time: ident.created,
        backed: HEADER_SIZE,
        high_water: HEADER_SIZE / BLOCK_SIZE,
        incarnation: 1,
        clean: true,
        uuid: ident.uuid,
    };
    for place in PLACES {
        superblock.sequence += 1;
        superblock.store(map, place);
    }
    start(
        map,
        &Start {
            from: superblock,
            version: 1,
            free_blocks: 0,
            unbacked: 0,
            maps: MAPS_EXACT,
        },
    );
}
