//! Pins and scans. Wait-free: two stores, one fence, two loads, one CAS.

use super::Shared;
use crate::sync::{full_fence, order, weakened, AtomicU64, Ordering::*};

/// Nobody is pinned here.
pub const EMPTY: u64 = 0;
const PENDING: u64 = 1;
pub(super) const PINNED: u64 = 2;

/// A version and the record that describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The version.
    pub number: u64,
    /// Index of its root record.
    pub record: usize,
}

/// Which of an agent's pin words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The transaction's base, or a snapshot.
    A = 0,
    /// The version that a rebase looks at.
    B = 1,
    /// Used inside a scan.
    Help = 2,
}

impl Slot {
    /// The other one of the two that a transaction uses.
    pub fn other(self) -> Slot {
        if self == Slot::A {
            Slot::B
        } else {
            Slot::A
        }
    }
}

fn pinned(v: Version) -> u64 {
    v.number << 16 | (v.record as u64) << 2 | PINNED
}

pub(super) fn decode(word: u64) -> Version {
    Version {
        number: word >> 16,
        record: (word >> 2 & 0x3fff) as usize,
    }
}

fn word(s: &impl Shared, agent: usize, slot: Slot) -> &AtomicU64 {
    &s.agent(agent).pins[slot as usize]
}

/// The root's version as of now, which may already be recycled unless something protects it.
fn root_version(s: &impl Shared) -> Version {
    // Acquire pairs with the commit's CAS: the record and everything that it reaches is visible.
    let record = s.root().load(order("pin: root acquires", Acquire)) as usize % s.records();
    Version {
        number: s.record(record).version.load(Relaxed),
        record,
    }
}

/// Pins the current version. `sequence` belongs to the agent line's owner and is never reused for one pin word.
pub fn pin(s: &impl Shared, agent: usize, slot: Slot, sequence: &mut u64) -> Version {
    if !weakened("pin: sequence") {
        *sequence += 1;
    }
    let pending = *sequence << 2 | PENDING;
    let w = word(s, agent, slot);
    // Release: the reads of the last episode happen before a scanner that meets this word frees anything.
    w.store(pending, order("pin: pending releases", Release));
    // Publish, fence, then load. Without the fence the load may pass the store in the store buffer: a scanner would find the word
    // EMPTY and free what we are about to read. Pairs with the fence at the start of `scan`.
    full_fence("pin: fence");
    let v = root_version(s);
    // Relaxed: a scanner that meets PINNED frees nothing for it; EMPTY, PENDING and what follows carry what a free must wait for.
    match w.compare_exchange(pending, pinned(v), Relaxed, order("pin: helped acquires", Acquire)) {
        Ok(_) => v,
        Err(_) if weakened("pin: helper decides") => v,
        // A scanner has helped us. Its version is no older than our fence, and its word protects it; ours may be gone already.
        Err(helped) => decode(helped),
    }
}

/// Gives the pin up.
pub fn unpin(s: &impl Shared, agent: usize, slot: Slot) {
    // Release: our last reads happen before a scanner that sees EMPTY (Acquire) frees what we read; so do copies of the pin.
    word(s, agent, slot).store(EMPTY, order("unpin: releases", Release));
}

/// Versions that were pinned at some moment of a scan: single versions and closed intervals.
#[derive(Clone, Debug, Default)]
pub struct Pinned {
    points: Vec<u64>,
    intervals: Vec<(u64, u64)>,
    /// Groups among them.
    pub groups: usize,
}

impl Pinned {
    /// Does any pin meet [birth, death)? Points are sorted; intervals too, and none touches another.
    pub fn meets(&self, birth: u64, death: u64) -> bool {
        let i = self.points.partition_point(|&v| v < birth);
        let j = self.intervals.partition_point(|&(_, hi)| hi < birth);
        self.points.get(i).is_some_and(|&v| v < death) || self.intervals.get(j).is_some_and(|&(lo, _)| lo < death)
    }

    /// The same question for many objects, in about the order of their deaths.
    pub fn held(&self) -> Held {
        let points = self.points.iter().map(|&v| (v, v));
        let mut ranges: Vec<(u64, u64)> = points.chain(self.intervals.iter().copied()).collect();
        ranges.sort_unstable();
        join(&mut ranges);
        Held {
            ranges,
            after: u64::MAX,
            until: 0,
            end: None,
        }
    }

    /// Is a single version pinned? Intervals (groups, the tracer) don't count.
    pub fn has_point(&self, version: u64) -> bool {
        self.points.binary_search(&version).is_ok()
    }

    /// Makes one interval of those that overlap or follow each other. A runtime's groups do: every object in limbo would be compared with each.
    fn join(&mut self) {
        // A group that is being closed can show its lo and no hi any more: it holds nothing, and would stand in the way of a search.
        self.intervals.retain(|i| i.0 <= i.1);
        self.intervals.sort_unstable();
        join(&mut self.intervals);
    }

    /// The lowest version that anything protects.
    pub fn lowest(&self) -> Option<u64> {
        self.points
            .first()
            .copied()
            .into_iter()
            .chain(self.intervals.iter().map(|i| i.0))
            .min()
    }
}

/// Makes one interval of those that overlap or follow each other, in a sorted list.
fn join(intervals: &mut Vec<(u64, u64)>) {
    intervals.dedup_by(|next, last| {
        let joined = next.0 <= last.1.saturating_add(1);
        if joined {
            last.1 = last.1.max(next.1);
        }
        joined
    });
}

/// The versions of a [`Pinned`] as disjoint intervals, with the place of the last question: the next one is most likely about the same.
#[derive(Debug)]
pub struct Held {
    ranges: Vec<(u64, u64)>,
    /// For deaths beyond `after` up to `until`, the last interval that begins before the death ends at `end`. None: there is no such interval.
    after: u64,
    until: u64,
    end: Option<u64>,
}

impl Held {
    /// Does any pin meet [birth, death)? As [`Pinned::meets`].
    #[inline]
    pub fn meets(&mut self, birth: u64, death: u64) -> bool {
        if death <= self.after || death > self.until {
            self.find(death);
        }
        self.end.is_some_and(|end| end >= birth && birth < death)
    }

    #[cold]
    fn find(&mut self, death: u64) {
        let next = self.ranges.partition_point(|r| r.0 < death);
        let last = next.checked_sub(1).map(|i| self.ranges[i]);
        self.after = last.map_or(0, |r| r.0);
        self.until = self.ranges.get(next).map_or(u64::MAX, |r| r.0);
        self.end = last.map(|r| r.1);
    }
}

/// Everything that is protected. The caller has seen the root at some version c; the answer may judge only deaths <= c (E2).
/// Uses `agent`'s help pin.
pub fn scan(s: &impl Shared, agent: usize, sequence: &mut u64, out: &mut Pinned) {
    out.points.clear();
    out.intervals.clear();
    // Pairs with the fence in `pin`: either we see the reader's PENDING, or the reader sees a root no older than ours.
    full_fence("scan: fence");
    // A version moves only from a pin word to a group, a superblock or a tracer's interval, and the copy is made while the pin is
    // held: reading the pins first can't miss it.
    if weakened("scan: copies after pins") {
        scan_copies(s, out);
        scan_pins(s, agent, sequence, out);
    } else {
        scan_pins(s, agent, sequence, out);
        scan_copies(s, out);
    }
    out.points.sort_unstable();
    out.points.dedup();
    out.join();
}

fn scan_pins(s: &impl Shared, agent: usize, sequence: &mut u64, out: &mut Pinned) {
    for other in 0..s.agents() {
        for slot in [Slot::A, Slot::B, Slot::Help] {
            if other == agent && slot == Slot::Help {
                continue;
            }
            let w = word(s, other, slot);
            // Acquire pairs with `unpin`'s release.
            let seen = w.load(order("scan: acquires", Acquire));
            match seen & 3 {
                PINNED => out.points.push(decode(seen).number),
                PENDING if !weakened("scan: help") => out.points.extend(help(s, agent, sequence, w, seen)),
                _ => {}
            }
        }
    }
}

/// The places that pins are copied to.
fn scan_copies(s: &impl Shared, out: &mut Pinned) {
    for i in 0..s.groups() {
        let g = s.group(i);
        let (lo, hi) = (g.lo.load(Relaxed), g.hi.load(Relaxed));
        if lo != 0 {
            out.intervals.push((lo - 1, hi));
        }
    }
    out.groups = out.intervals.len();
    out.points.extend(s.durable());
    // Acquires what `group_close` released. And the tracer copies pins of others, who may give them up at once: only fences on
    // both sides order its interval before our look at it. The other copies are made by the holder of the pin; its `unpin` orders them.
    full_fence("scan: last fence");
    for other in 0..s.agents() {
        let lo = s.agent(other).sec_lo.load(Acquire);
        if lo != 0 {
            out.intervals.push((lo - 1, s.agent(other).sec_hi.load(Acquire)));
        }
    }
}

/// Completes a pin that is PENDING, so that a reader stopped at any instruction holds one version at most.
fn help(s: &impl Shared, agent: usize, sequence: &mut u64, w: &AtomicU64, seen: u64) -> Option<u64> {
    let v = match weakened("help: fresh version") {
        // The version is loaded after PENDING was seen, so whatever the reader can still load is not older.
        false => pin(s, agent, Slot::Help, sequence),
        true => decode(word(s, agent, Slot::A).load(Relaxed)),
    };
    let answer = match w.compare_exchange(
        seen,
        pinned(v),
        order("help: releases", AcqRel),
        order("scan: acquires", Acquire),
    ) {
        Ok(_) => Some(v.number),
        Err(now) if now & 3 == PINNED => Some(decode(now).number),
        // EMPTY, or a newer episode: it began after our fence, so it reads a root no older than ours.
        Err(_) => None,
    };
    unpin(s, agent, Slot::Help);
    answer
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn joined_intervals_protect_what_the_single_ones_do() {
        let cases: [&[(u64, u64)]; 7] = [
            &[],
            &[(2, 8), (10, 0), (12, 14)],
            &[(3, 5)],
            &[(6, 9), (3, 5)],
            &[(3, 5), (7, 9)],
            &[(2, 9), (3, 4), (8, 12), (14, 14)],
            &[(0, u64::MAX), (5, 6)],
        ];
        for intervals in cases {
            let single = Pinned {
                points: vec![20],
                intervals: intervals.to_vec(),
                groups: 0,
            };
            let mut joined = single.clone();
            joined.join();
            assert!(joined.intervals.windows(2).all(|w| w[0].1 + 1 < w[1].0), "{joined:?}");
            assert_eq!(joined.lowest(), single.lowest());
            let mut held = joined.held();
            for (birth, death) in (0..25).flat_map(|b| (b + 1..26).map(move |d| (b, d))) {
                assert_eq!(
                    joined.meets(birth, death),
                    birth <= 20 && 20 < death || single.intervals.iter().any(|&(lo, hi)| lo < death && birth <= hi),
                    "{single:?}: {birth}, {death}"
                );
                assert_eq!(
                    held.meets(birth, death),
                    joined.meets(birth, death),
                    "{held:?}: {birth}, {death}"
                );
            }
        }
    }
}
