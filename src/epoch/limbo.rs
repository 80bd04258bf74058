//! Limbo: objects that a commit made unreachable, waiting until no pin meets their interval.

use super::agent::Agent;
use super::pin::Pinned;
use crate::slab::alloc::Memory;
use crate::slab::free::size_of_object;
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
}

impl Retired {
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

/// Headers fetched ahead by a drain: they have been waiting, so most are in no cache.
const AHEAD: usize = 16;

/// Bytes below which the same holds.
const BATCH_BYTES: u64 = 4 << 20;

/// A drain looks at all that waits. It comes when new objects are a half of those that the last one had to leave, or this part of them if many
/// groups have been closed since: so the looks stay proportional to the garbage, whoever opens and closes groups.
const NEWS: usize = 16;

/// Part of the groups of the last scan that makes "many".
const MANY: usize = 4;

/// An agent's retired objects.
#[derive(Debug, Default)]
pub struct Limbo {
    entries: Vec<Retired>,
    survivors: usize,
    bytes: u64,
    bytes_survived: u64,
    /// Releases counted before the last scan, and the groups that it met.
    releases: u64,
    groups: usize,
}

impl Limbo {
    /// Adds a retired object of `bytes` bytes.
    pub fn push(&mut self, r: Retired, bytes: u64) {
        self.entries.push(r);
        self.bytes += bytes;
    }

    /// Number of objects that wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is it time to try again? `releases`: the slab's count of closed groups.
    pub fn is_due(&self, releases: u64) -> bool {
        let new = self.entries.len() - self.survivors;
        let released = releases.wrapping_sub(self.releases) as usize;
        let part = if released > self.groups / MANY { NEWS } else { 2 };
        new >= BATCH + self.survivors / part
            || self.bytes - self.bytes_survived >= BATCH_BYTES + self.bytes_survived / part as u64
    }

    /// Notes the releases counted before the last scan, and the groups that it met.
    pub fn scanned(&mut self, releases: u64, groups: usize) {
        (self.releases, self.groups) = (releases, groups);
    }

    /// What waits.
    pub fn entries(&self) -> &[Retired] {
        &self.entries
    }

    /// Does something wait that was never committed? Its block must stay its owner's.
    pub fn has_uncommitted(&self) -> bool {
        self.entries.iter().any(|r| header_fresh(r.name))
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

    /// Frees what no pin meets, judged by `pinned`, the answer of a scan at root version `seen`.
    pub(crate) fn drain(agent: &mut Agent, memory: Memory, pinned: &Pinned, seen: u64) {
        let (mut kept, mut bytes) = (0, 0);
        let mut entries = std::mem::take(&mut agent.limbo.entries);
        for i in 0..entries.len() {
            let r = entries[i];
            if r.death > seen || pinned.meets(r.birth(), r.death) {
                entries[kept] = r;
                kept += 1;
                bytes += size_of_object(memory.map, r.at);
            } else {
                // What stands together died together: the next ones will most likely be freed as well.
                if let Some(ahead) = entries.get(i + AHEAD) {
                    memory.map.prefetch(ahead.at, 8);
                }
                agent.alloc.free_retired(memory.map, r.at, r.name, r.generation);
            }
        }
        entries.truncate(kept);
        agent.alloc.trim(memory.map);
        let limbo = &mut agent.limbo;
        limbo.entries = entries;
        limbo.survivors = kept;
        (limbo.bytes, limbo.bytes_survived) = (bytes, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(survivors: usize) -> Limbo {
        let mut l = Limbo {
            survivors,
            ..Limbo::default()
        };
        (0..survivors).for_each(|_| add(&mut l));
        l.scanned(100, 40);
        l
    }

    fn add(l: &mut Limbo) {
        l.push(
            Retired {
                at: 0,
                name: 0,
                birth: 1,
                death: 2,
            },
            0,
        );
    }

    fn added_until_due(mut l: Limbo, releases: u64) -> usize {
        let before = l.len();
        while !l.is_due(releases) {
            add(&mut l);
        }
        l.len() - before
    }

    #[test]
    fn a_drain_comes_with_half_as_much_new_and_earlier_if_a_quarter_of_the_groups_went() {
        assert_eq!(added_until_due(waiting(0), 100), BATCH);
        assert_eq!(added_until_due(waiting(64_000), 100), BATCH + 32_000);
        assert_eq!(added_until_due(waiting(64_000), 110), BATCH + 32_000);
        assert_eq!(added_until_due(waiting(64_000), 111), BATCH + 4_000);
    }

    #[test]
    fn looks_are_proportional_to_garbage_if_every_commit_meets_news() {
        let looks = 64_000 + added_until_due(waiting(64_000), u64::MAX);
        assert!(looks < 17 * added_until_due(waiting(64_000), u64::MAX));
    }
}
