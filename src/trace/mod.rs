//! The tracing collector: finds what commits can't know to be dead (objects with two parents and what hangs below them, what killed processes had
//! retired), by marking from the current version and sweeping the rest. Any process may trace at any time, beside writers and readers and
//! other tracers, and nobody waits for it. `docs/concurrency.md` has the argument.

mod mark;
mod marks;
mod sweep;
mod symbols;

pub use mark::mark;
pub use marks::Marks;
pub use sweep::Swept;

use crate::epoch::agent::Agent;
use crate::epoch::hold::{hold, let_go, Root};
use crate::epoch::pin::{unpin, Pinned, Slot, Version};
use crate::epoch::Shared;
use crate::error::Result;
use crate::slab::alloc::Memory;
use crate::slab::free::bytes_in_use;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use std::sync::atomic::Ordering::*;
use sweep::Sweep;
use symbols::{free_lost, mark_symbols};

/// Retired objects that one trace adds to limbo: what it can't take, the next trace finds again.
const ROOM: usize = 1 << 20;

/// Bytes that a slab may always hold beyond what lives.
pub const FLOOR: u64 = 16 << 20;
/// Shared objects that lose a parent before a trace is worth it.
const ORPHANS: u64 = 256;

/// What a trace has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traced {
    /// The version that was current.
    pub version: u64,
    /// Objects that it, or another version that is pinned, reaches.
    pub marked: u64,
    /// What the sweep found.
    pub swept: Swept,
}

/// How far a trace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Objects marked so far.
    Marking(u64),
    /// Blocks swept, of how many.
    Sweeping(u64, u64),
}

/// Traces with `agent`, which is idle. `durable` reads the roots of the superblocks; `known` are objects that wait in limbos of this process
/// already. `tell` is called now and then, and ends the trace by an error; nothing is lost then.
pub fn trace(
    m: Memory,
    agent: &mut Agent,
    durable: &dyn Fn() -> Vec<Root>,
    known: &[u64],
    tell: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<Traced> {
    // Whoever dies from here on is found by the next trace.
    let maps = m.map.atomic_u32(CONTROL_MAPS);
    let was = maps.swap(MAPS_EXACT, AcqRel);
    let now = agent.pin(m.map, Slot::A);
    let _pinned = Unpin {
        map: m.map,
        agent: agent.index,
    };
    let orphans = m.map.atomic_u64(CONTROL_ORPHANS).swap(0, Relaxed);
    m.map.atomic_u64(CONTROL_VOLUME).store(0, Relaxed);
    let result = pinned_trace(m, agent, now, durable, known, tell);
    match &result {
        Ok(t) => m.map.atomic_u64(CONTROL_TRACED).store(t.swept.live_bytes, Relaxed),
        Err(_) => _ = m.map.atomic_u64(CONTROL_ORPHANS).fetch_add(orphans, Relaxed),
    }
    if was != MAPS_EXACT && !matches!(&result, Ok(t) if t.swept.left == 0) {
        maps.store(MAPS_SUPERSET, Release);
    }
    result
}

/// Gives up what a trace holds, also after a panic.
struct Unpin<'a> {
    map: &'a Mapping,
    agent: usize,
}

impl Drop for Unpin<'_> {
    fn drop(&mut self) {
        let_go(self.map, self.agent);
        unpin(self.map, self.agent, Slot::A);
    }
}

/// Is a trace worth its time? When half as much again as what lives is in use, that may be what only a trace frees, and so much has been allocated since the
/// last one that all traces together cost no more than a fixed part of the work that made them due.
pub fn is_due(map: &Mapping) -> bool {
    let word = |at| map.atomic_u64(at).load(Relaxed);
    let lost = word(CONTROL_ORPHANS) >= ORPHANS || map.atomic_u32(CONTROL_MAPS).load(Relaxed) != MAPS_EXACT;
    let (used, live) = (bytes_in_use(map), word(CONTROL_TRACED));
    lost && used >= live.saturating_add(live / 2).saturating_add(FLOOR) && word(CONTROL_VOLUME) >= used / 2
}

fn pinned_trace(
    m: Memory,
    agent: &mut Agent,
    now: Version,
    durable: &dyn Fn() -> Vec<Root>,
    known: &[u64],
    tell: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<Traced> {
    let high = m.map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire);
    let mut marks = Marks::new(high);
    let mut versions = vec![now.number];
    let state = m.map.record(now.record).state.load(Relaxed);
    let mut marked = 0;
    let others = hold(m.map, agent.index, now.number, durable);
    for (version, state) in [(now.number, state)]
        .into_iter()
        .chain(others.iter().map(|r| (r.version, r.state)))
    {
        versions.push(version);
        let before = marked;
        marked += mark(m.map.reader(), state, &mut marks, &mut |n| {
            tell(Progress::Marking(before + n))
        })?;
    }
    versions.sort_unstable();
    versions.dedup();
    mark_symbols(m.map, &mut marks)?;
    // The marks tell all that the versions do; from here on the interval would only keep what they don't reach.
    let_go(m.map, agent.index);
    for &at in known {
        marks.insert(at);
    }
    let mut pinned = Pinned::default();
    agent.scan(m.map, &mut pinned);
    let mut sweep = Sweep {
        map: m.map,
        agent: agent.index as u16,
        marks: &marks,
        versions: &versions,
        pinned: &pinned,
        room: ROOM,
        retired: Vec::new(),
        lost: Vec::new(),
        swept: Swept::default(),
    };
    let (mut b, mut told) = (HEADER_SIZE / BLOCK_SIZE, 0);
    while b < high {
        if !is_block(b) {
            b += 1;
            continue;
        }
        b = sweep.block(b);
        if b >= told + 256 {
            told = b;
            tell(Progress::Sweeping(b.min(high), high))?;
        }
    }
    let mut swept = sweep.swept;
    let (lost, bytes) = free_lost(m.map, agent.index as u16, &sweep.lost)?;
    (swept.freed, swept.freed_bytes) = (swept.freed + lost, swept.freed_bytes + bytes);
    (swept.live, swept.live_bytes) = (swept.live.saturating_sub(lost), swept.live_bytes.saturating_sub(bytes));
    for r in sweep.retired {
        agent.limbo.push(r);
    }
    Ok(Traced {
        version: now.number,
        marked,
        swept,
    })
}
