//! A tracer's interval: it keeps the versions that others have pinned while the tracer walks them, whoever lets them go meanwhile.
//!
//! And the guard of its sweep: an object that a transaction in flight has stamped looks like a committed one.

use super::pin::{decode, PINNED};
use super::Shared;
use crate::sync::{full_fence, order, weakened, Ordering::*};

/// A version's root, with the place that pins it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The version.
    pub version: u64,
    /// Its state.
    pub state: u64,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A pin word, as it was read.
    Pin { agent: usize, slot: usize, word: u64 },
    /// A superblock.
    Durable,
}

impl Root {
    /// The root of a superblock.
    pub fn durable(version: u64, state: u64) -> Root {
        Root {
            version,
            state,
            place: Place::Durable,
        }
    }
}

/// Keeps all that is pinned one by one (not what groups hold) up to version `now`, which the caller has pinned, and `durable`, the superblocks' roots:
/// returns their roots, whose objects stay until [`let_go`]. What was let go meanwhile isn't among them.
pub fn hold(s: &impl Shared, agent: usize, now: u64, durable: &dyn Fn() -> Vec<Root>) -> Vec<Root> {
    let mut roots = durable();
    for other in (0..s.agents()).filter(|&o| o != agent) {
        for slot in 0..2 {
            // Acquire: the record is as the pinned version left it, if the word is still the same after the fence.
            let word = s.agent(other).pins[slot].load(Acquire);
            if word & 3 == PINNED {
                let v = decode(word);
                let state = s.record(v.record % s.records()).state.load(Relaxed);
                let place = Place::Pin {
                    agent: other,
                    slot,
                    word,
                };
                roots.push(Root {
                    version: v.number,
                    state,
                    place,
                });
            }
        }
    }
    roots.retain(|r| r.version <= now);
    let lowest = roots.iter().map(|r| r.version).min().unwrap_or(now);
    let line = s.agent(agent);
    line.sec_hi.store(now, Relaxed);
    line.sec_lo.store(lowest + 1, Release);
    // Pairs with the last fence of `scan`: a scanner either sees our interval, or its look at the pins came before and found what we find now.
    full_fence("hold: fence");
    let again = durable();
    roots.retain(|r| match r.place {
        Place::Durable => again.contains(r),
        Place::Pin { agent, slot, word } => {
            s.agent(agent).pins[slot].load(Acquire) == word || weakened("hold: look again")
        }
    });
    roots
}

/// Ends [`hold`].
pub fn let_go(s: &impl Shared, agent: usize) {
    // Release: the walk happens before a scanner that finds no interval frees anything.
    s.agent(agent).sec_lo.store(0, order("hold: release", Release));
}

/// May an object of that birth, in a block of agent `owner`, have been stamped by a transaction that hasn't committed? The caller has read the object's
/// header (acquire) before.
pub fn in_flight(s: &impl Shared, owner: usize, birth: u64) -> bool {
    // A transaction stores its floor before it stamps (release). If we find an older floor than the one of the stamp, the header wasn't stamped;
    // if a newer one, that transaction is over: it has committed the object, or its header has changed and our free by name fails.
    let floor = s.agent(owner).floor.load(Acquire);
    floor != 0 && birth >= floor && !weakened("sweep: floor")
}
