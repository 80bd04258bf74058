//! Limbo: objects that a commit made unreachable, waiting until no pin meets their interval.

use super::agent::Agent;
use super::pin::Pinned;
use crate::slab::alloc::Memory;
use crate::slab::layout::{header_birth, header_fresh};

/// A retired object.
#[derive(Clone, Copy, Debug)]
pub struct Retired {
    /// Offset.
    pub at: u64,
    /// Its header when it was retired: its name.
    pub name: u64,
    /// First version that doesn't reach it.
    pub death: u64,
    /// Generation of its block when it was retired.
    pub generation: u32,
    /// Size of its cell or run, in [`UNIT`]s.
    size: u32,
}

/// Cells are multiples of this many bytes.
const UNIT: u64 = 16;

impl Retired {
    /// An object whose cell or run has `bytes` bytes.
    pub fn new(at: u64, name: u64, death: u64, generation: u32, bytes: u64) -> Retired {
        Retired {
            at,
            name,
            death,
            generation,
            size: (bytes / UNIT) as u32,
        }
    }

    /// Bytes of its cell or run.
    pub fn bytes(&self) -> u64 {
        self.size as u64 * UNIT
    }

    /// First version that reaches it. An object that was never committed may be in use by handles of its transaction's base.
    fn birth(&self) -> u64 {
        if header_fresh(self.name) {
            self.death - 1
        } else {
            header_birth(self.name)
        }
    }
}

/// Entries below which a drain isn't worth its scan.
const BATCH: usize = 256;

/// Bytes below which the same holds.
const BATCH_BYTES: u64 = 4 << 20;

/// A full drain looks at all that waits. It comes when new objects are as many as those that the last one had to leave, or this part of them if
/// many groups have been closed since: so the looks stay proportional to the garbage, whoever opens and closes groups.
const NEWS: usize = 16;

/// Part of the groups of the last scan that makes "many".
const MANY: usize = 4;

/// A drain of new objects only that frees less than this part of them was too early.
const WORTH: usize = 8;

/// An agent's retired objects, in about the order of their deaths.
#[derive(Debug)]
pub struct Limbo {
    entries: Vec<Retired>,
    bytes: u64,
    /// What a drain has seen and left: the first of the entries, and their bytes.
    seen: (usize, u64),
    /// What the last full drain has left.
    survivors: (usize, u64),
    /// New objects that make a drain of those worthwhile.
    batch: usize,
    /// Releases counted before the last full drain, and the groups that it met.
    releases: u64,
    groups: usize,
}

impl Default for Limbo {
    fn default() -> Limbo {
        Limbo {
            entries: Vec::new(),
            bytes: 0,
            seen: (0, 0),
            survivors: (0, 0),
            batch: BATCH,
            releases: 0,
            groups: 0,
        }
    }
}

impl Limbo {
    /// Adds a retired object.
    pub fn push(&mut self, r: Retired) {
        self.entries.push(r);
        self.bytes += r.bytes();
    }

    /// Number of objects that wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is it time to look at what is new, or at all?
    pub fn is_due(&self, releases: u64) -> bool {
        self.entries.len() - self.seen.0 >= self.batch
            || self.bytes - self.seen.1 >= BATCH_BYTES
            || self.is_full_due(releases)
    }

    /// Is it time to look at all again? `releases`: the slab's count of closed groups.
    pub fn is_full_due(&self, releases: u64) -> bool {
        let (n, bytes) = self.survivors;
        let released = releases.wrapping_sub(self.releases) as usize;
        let part = if released > self.groups / MANY { NEWS } else { 1 };
        self.entries.len() - n >= BATCH + n / part || self.bytes - bytes >= BATCH_BYTES + bytes / part as u64
    }

    /// What waits.
    pub fn entries(&self) -> &[Retired] {
        &self.entries
    }

    /// Does something wait that was never committed? Its block must stay its owner's.
    pub fn has_uncommitted(&self) -> bool {
        self.entries.iter().any(|r| header_fresh(r.name))
    }

    /// Bytes of what waits.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Nothing waits?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Frees what was never committed, whatever is pinned.
    pub(crate) fn free_uncommitted(agent: &mut Agent, memory: Memory) {
        agent.limbo.entries.retain(|r| {
            let fresh = header_fresh(r.name);
            if fresh {
                agent.alloc.free_retired(memory.map, r.at, r.name, r.generation);
            }
            !fresh
        });
    }

    /// Frees what no pin meets, judged by `pinned`, the answer of a scan at root version `root`. `full`: of all that waits, and the releases
    /// counted before the scan; else of what is new.
    pub(crate) fn drain(agent: &mut Agent, memory: Memory, pinned: &Pinned, root: u64, full: Option<u64>) {
        agent.alloc.note_use();
        let limbo = &mut agent.limbo;
        let (from, mut bytes) = if full.is_some() { (0, 0) } else { limbo.seen };
        let mut kept = from;
        let mut entries = std::mem::take(&mut limbo.entries);
        let all = entries.len();
        let mut held = pinned.held();
        for i in from..all {
            let r = entries[i];
            if r.death > root || held.meets(r.birth(), r.death) {
                entries[kept] = r;
                kept += 1;
                bytes += r.bytes();
            } else {
                agent.alloc.free_retired(memory.map, r.at, r.name, r.generation);
            }
        }
        entries.truncate(kept);
        agent.alloc.sort();
        let limbo = &mut agent.limbo;
        limbo.entries = entries;
        (limbo.bytes, limbo.seen) = (bytes, (kept, bytes));
        limbo.batch = next_batch(limbo.batch, all - from, all - kept);
        if let Some(releases) = full {
            limbo.survivors = limbo.seen;
            (limbo.releases, limbo.groups) = (releases, pinned.groups);
        }
    }
}

/// New objects that make the next drain worthwhile, after one that has freed `freed` of the `looked` at.
fn next_batch(batch: usize, looked: usize, freed: usize) -> usize {
    if freed * WORTH < looked {
        batch.saturating_mul(2)
    } else {
        BATCH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drains_in_vain_make_the_next_one_late_however_many_they_were() {
        let batch = (0..200).fold(BATCH, |batch, _| next_batch(batch, 1000, 0));
        assert!(batch >= 1 << 40, "{batch}");
        assert_eq!(next_batch(batch, 1000, 125), BATCH);
    }

    fn waiting(survivors: usize) -> Limbo {
        let mut l = Limbo::default();
        (0..survivors).for_each(|_| add(&mut l));
        (l.seen, l.survivors) = ((survivors, 0), (survivors, 0));
        (l.releases, l.groups) = (100, 40);
        l
    }

    fn add(l: &mut Limbo) {
        l.push(Retired::new(0, 0, 2, 0, 0));
    }

    fn added_until(due: fn(&Limbo, u64) -> bool, mut l: Limbo, releases: u64) -> usize {
        let before = l.len();
        while !due(&l, releases) {
            add(&mut l);
        }
        l.len() - before
    }

    #[test]
    fn a_full_drain_comes_with_as_much_new_and_earlier_if_groups_went() {
        let added = |n, releases| added_until(Limbo::is_full_due, waiting(n), releases);
        assert_eq!(added(0, 100), BATCH);
        assert_eq!(added(64_000, 100), BATCH + 64_000);
        assert_eq!(added(64_000, 110), BATCH + 64_000);
        assert_eq!(added(64_000, 111), BATCH + 4_000);
        assert_eq!(added_until(Limbo::is_due, waiting(64_000), 100), BATCH);
    }

    #[test]
    fn looks_are_proportional_to_garbage_if_every_commit_meets_news() {
        let added = added_until(Limbo::is_full_due, waiting(64_000), u64::MAX);
        assert!(64_000 + added < 17 * added);
    }
}
