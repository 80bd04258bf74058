//! The transitions of cells, hints and blocks: what several agents do to one word at once.
//!
//! C1. A header goes 0 -> FRESH -> birth -> 0, or FRESH -> 0, or birth -> FRESH when the object is dead. Only the owner of the cell's block makes it
//!     FRESH and gives it a birth; of all that try to make it 0, one wins.
//! C2. A hint bit is 0 while its cell may be free. A bit that is wrongly 1 hides a cell until a sweep; one that is wrongly 0 costs a look
//!     at the header. So no hint may be trusted, not even by the owner: a late [`offer`] can come when the cell is in its list already.
//! C3. A descriptor leaves FREE and SHELVED only by [`take_block`], one winner; only the winner gives the block back.
//! C4. A block is given to another use only when all its headers are 0, under a new generation. Whoever frees by a name in a block that it doesn't own
//!     has written the block in its hazard word and then found the generation of that name.

use super::layout::{header, header_flags, header_kind, FLAG_ONLY, FLAG_SEEN, FLAG_SHARED};
use crate::sync::{full_fence, order, weakened, AtomicU64, Ordering::*};

const SHARED: u64 = (FLAG_SHARED as u64) << 8;

/// Is the cell free? The owner of its block asks, before it writes the cell.
#[inline(always)]
pub fn is_free(cell: &AtomicU64) -> bool {
    // Acquire pairs with the free: the last reads of whatever was in the cell happen before our writes. It also shows the root that the
    // freer had seen, so that `still_current` can't be older than the death of an object that had the same name.
    cell.load(order("cell: claim acquires", Acquire)) == 0
}

/// Is the cell free, or does it still hold the dead object `name` (0: none)? Asked by the owner of its block, who has judged that object by a scan of its
/// own. It may overwrite it: of others, who may free by that name at the same time, the loser finds another name, and the winner leaves a 0 or a hint (C2).
#[inline(always)]
pub fn is_free_or(cell: &AtomicU64, name: u64) -> bool {
    let h = cell.load(order("cell: claim acquires", Acquire));
    h == 0 || name != 0 && ((h ^ name) & !SHARED == 0 || weakened("cell: the dead by name"))
}

/// Gives a fresh object its birth, `version`. Only its owner calls this, between `still_current` and `publish`.
#[inline]
pub fn stamp(cell: &AtomicU64, version: u64) {
    let h = cell.load(Relaxed);
    // Release: whoever finds the object by its header (the tracer's sweep) sees its owner's floor. Readers come by the root instead.
    let flags = header_flags(h) & !(FLAG_SEEN | FLAG_ONLY);
    cell.store(header(header_kind(h), flags, version), Release);
}

/// Flags a committed object that gets a second parent, before the commit that adds the parent. The root CAS publishes the flag.
#[inline]
pub fn share(cell: &AtomicU64) {
    cell.fetch_or(SHARED, Relaxed);
}

/// Frees a cell if its name (all of its header but the SHARED flag, which can come at any time) is still `name`. At most one caller wins.
pub fn free_named(cell: &AtomicU64, name: u64) -> bool {
    let mut h = cell.load(Relaxed);
    loop {
        if h == 0 || ((h ^ name) & !SHARED != 0 && !weakened("cell: free by name")) {
            return false;
        }
        // Release: the reads that the freer's scan waited for happen before the next owner's writes. (After a scan its last fence would do.)
        match cell.compare_exchange(h, 0, Release, Relaxed) {
            Ok(_) => return true,
            Err(now) => h = now,
        }
    }
}

/// Tells the owner of the block that cell `i` of a bitmap word has been freed.
#[inline]
pub fn offer(hints: &AtomicU64, i: u32) {
    // Release: who takes the hint sees the header 0, or the cell would be passed over and stay hidden.
    hints.fetch_and(!(1 << i), order("hint: offer releases", Release));
}

/// Takes all hints of a bitmap word: bits of cells that may be free, among those of `valid`.
#[inline]
pub fn take_offers(hints: &AtomicU64, valid: u64) -> u64 {
    let free = !hints.load(Relaxed) & valid;
    if free != 0 {
        hints.fetch_or(free, order("hint: take acquires", Acquire));
    }
    free
}

/// Takes the block whose descriptor was `was` (FREE or SHELVED) for `own`. False: somebody else did.
#[inline]
pub fn take_block(descriptor: &AtomicU64, was: u64, own: u64) -> bool {
    // Acquire pairs with `give_block`: we see every header that the last owner wrote, so no object of its looks like a free cell.
    descriptor
        .compare_exchange(was, own, order("block: take acquires", Acquire), Relaxed)
        .is_ok()
}

/// Changes the descriptor of a block that the caller owns, for instance to give the block back.
#[inline]
pub fn give_block(descriptor: &AtomicU64, now: u64) {
    descriptor.store(now, order("block: give releases", Release));
}

/// Says that the caller is about to free cells of `block`, which isn't its own. Then it looks at the block's generation, and frees only if that is still
/// the one of the cells' names.
#[inline]
pub fn protect(hazard: &AtomicU64, block: u64) {
    hazard.store(block + 1, Relaxed);
    // Pairs with the fence in `vacate`: either we see the new generation, or who gives the block to another use sees our word.
    full_fence("hazard: fence");
}

/// Ends [`protect`].
#[inline]
pub fn unprotect(hazard: &AtomicU64) {
    // Release: our frees happen before somebody who finds the word empty (acquire) uses the block for something else.
    hazard.store(0, Release);
}

/// Is somebody about to free cells of `block`? Asked after [`vacate`].
#[inline]
pub fn is_protected(hazard: &AtomicU64, block: u64) -> bool {
    hazard.load(Acquire) == block + 1 && !weakened("vacate: hazards")
}

/// Gives a block that the caller holds, and whose headers are all 0, its next generation, in `now`: names of the old one free nothing from here on, but for
/// those of whom [`is_protected`] tells.
#[inline]
pub fn vacate(descriptor: &AtomicU64, now: u64) {
    descriptor.store(now, Relaxed);
    full_fence("vacate: fence");
}
