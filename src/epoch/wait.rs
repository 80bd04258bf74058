//! Waiting for a commit: a counter to sleep on and the number of sleepers. Not the root word, whose value comes back when records are
//! recycled: a sleeper could miss commits that leave it as it was.

use crate::sync::{full_fence, AtomicU32, Ordering::*};

/// Counts a commit, after its root CAS, if anybody waits for it. True: somebody may sleep on `notify` and must be woken.
///
/// Without waiters nothing is stored: writers of several processes would pull the counter's cache line from each other at each commit.
pub fn announce(notify: &AtomicU32, waiters: &AtomicU32) -> bool {
    // Pairs with the fence in `enlist`: either we see the waiter, or it sees the root.
    full_fence("wait: announce fence");
    if waiters.load(Relaxed) == 0 {
        return false;
    }
    // Release: who sees the count sees the root. Who doesn't isn't asleep yet, and won't be: the count is another one than it goes to sleep on.
    notify.fetch_add(1, AcqRel);
    true
}

/// Becomes a waiter. The caller then looks for a new version and, if there is none, sleeps while `notify` has the value returned.
pub fn enlist(notify: &AtomicU32, waiters: &AtomicU32) -> u32 {
    waiters.fetch_add(1, AcqRel);
    full_fence("wait: enlist fence");
    notify.load(Acquire)
}

/// Is no waiter any more.
pub fn leave(waiters: &AtomicU32) {
    waiters.fetch_sub(1, AcqRel);
}
