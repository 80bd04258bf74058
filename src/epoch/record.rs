//! Root records and the one CAS that commits.

use super::pin::{scan, Pinned, Version};
use super::Shared;
use crate::sync::{fence, order, step, weakened, Ordering::*};

const FREE: u64 = 0;
const FILLING: u64 = 1;
const LIVE: u64 = 2;

/// Meta of a record that holds `version`.
pub fn live(version: u64) -> u64 {
    version << 2 | LIVE
}

/// The contents of a new root record.
#[derive(Clone, Copy, Debug)]
pub struct Content {
    /// State map.
    pub state: u64,
    /// ms since 1970.
    pub time: u64,
    /// Bytes retired up to this commit.
    pub retired: u64,
}

/// What an agent remembers between two claims.
#[derive(Debug, Default)]
pub struct ClaimCache {
    /// The answer of its last scan.
    pub pinned: Pinned,
    /// The root version that it had seen before that scan: the answer judges versions below it.
    pub scanned: u64,
    /// Where to look first.
    pub hint: usize,
}

/// Claims a record for the version after `base`, which the caller has pinned: a FREE one, or one of an older version that no pin is on.
/// An old scan serves as long as it judges the record's version: a version that is past and was unpinned can't be pinned again.
/// None: all records are pinned.
pub fn claim(
    s: &impl Shared,
    agent: usize,
    sequence: &mut u64,
    base: Version,
    cache: &mut ClaimCache,
) -> Option<usize> {
    let n = s.records();
    for rescan in [false, true] {
        if rescan {
            scan(s, agent, sequence, &mut cache.pinned);
            cache.scanned = base.number;
        }
        debug_assert!(cache.scanned <= base.number, "the root never goes back");
        let judged = if weakened("claim: only what the scan judges") {
            base.number
        } else {
            cache.scanned
        };
        for k in 0..n {
            let i = (cache.hint + k) % n;
            let meta = &s.record(i).meta;
            // Acquire pairs with `publish` and `release`: the last claimant's stores are before ours.
            let m = meta.load(order("claim: acquires", Acquire));
            let past = m & 3 == LIVE && m >> 2 < judged;
            let unused =
                m == FREE || past && (!cache.pinned.has_point(m >> 2) || weakened("claim: not what is pinned"));
            if unused
                && meta
                    .compare_exchange(
                        m,
                        (agent as u64) << 2 | FILLING,
                        order("claim: acquires", Acquire),
                        Relaxed,
                    )
                    .is_ok()
            {
                cache.hint = i + 1;
                return Some(i);
            }
        }
    }
    None
}

/// Is `base`, which the caller has pinned, still the current version? Only then may it stamp its objects: no object of `base + 1` can
/// have lived and died in their cells, or `cell::is_free` would have shown a newer root. So names are unique.
pub fn still_current(s: &impl Shared, base: Version) -> bool {
    // For the tracer: who knows a newer root by its own fence finds our objects fresh, or stamped behind a floor that it sees.
    fence(SeqCst);
    s.root().load(Relaxed) as usize == base.record || weakened("commit: stamp only while current")
}

/// Has another commit come first, as far as a look without a fence tells? Then [`publish`] of this base can't succeed.
pub fn is_beaten(s: &impl Shared, base: Version) -> bool {
    s.root().load(Relaxed) as usize != base.record
}

/// Fills the claimed `record` and makes it the root if `base` still is: the commit, at its successful CAS.
pub fn publish(s: &impl Shared, record: usize, base: Version, content: Content) -> bool {
    let r = s.record(record);
    let version = base.number + 1;
    r.version.store(version, Relaxed);
    step();
    r.state.store(content.state, Relaxed);
    r.time.store(content.time, Relaxed);
    r.retired.store(content.retired, Relaxed);
    // LIVE before the CAS: a winner killed right after it owes nothing. Release: if we lose, the record can be recycled from now on.
    step();
    r.meta.store(live(version), order("publish: live releases", Release));
    step();
    // Release: everything written for the version happens before a reader that loads this root (Acquire).
    s.root()
        .compare_exchange(
            base.record as u32,
            record as u32,
            order("publish: root releases", Release),
            Relaxed,
        )
        .is_ok()
}

/// Gives a claimed record back after a lost race or an abort.
pub fn release(s: &impl Shared, record: usize, agent: usize, base: Version) {
    let meta = &s.record(record).meta;
    // Someone may have recycled LIVE(base + 1) already, as the root has moved on: then it isn't ours any more.
    if meta
        .compare_exchange(live(base.number + 1), FREE, Release, Relaxed)
        .is_err()
    {
        let _ = meta.compare_exchange((agent as u64) << 2 | FILLING, FREE, Release, Relaxed);
    }
}
