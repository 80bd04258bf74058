//! Waiting for a commit.

use crate::check;
use crate::slab::{Agent, Slab};
use eve::epoch::wait::{announce, enlist, leave};
use eve::sync::{weakened, AtomicU32, Ordering::*};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// One waits for version 2 while commits are made. `asleep` is the kernel's queue: comparing the word and going to sleep is one step for
/// whoever wakes.
fn wait(commits: usize) {
    let s = Arc::new(Slab::new(2, 2, 0));
    let (notify, waiters, asleep) = (
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicU32::new(0)),
        Arc::new(Mutex::new(false)),
    );
    let writer = thread::spawn({
        let (s, notify, waiters, asleep) = (s.clone(), notify.clone(), waiters.clone(), asleep.clone());
        move || {
            let mut a = Agent::new(1, 0..0);
            for _ in 0..commits {
                if a.commit_record(&s).is_some() && announce(&notify, &waiters) {
                    *asleep.lock().unwrap() = false;
                }
            }
        }
    });
    let root = s.root.load(Acquire);
    let n = enlist(&notify, &waiters);
    // Without a pin, whose fence would serve as well.
    let version = s.records[s.root.load(Acquire) as usize].version.load(Relaxed);
    if root == 0 && version < 2 {
        let (word, expected) = if weakened("wait: sleep on the counter") {
            (&s.root, root)
        } else {
            (&*notify, n)
        };
        let mut asleep = asleep.lock().unwrap();
        *asleep = word.load(Acquire) == expected;
    }
    writer.join().unwrap();
    leave(&waiters);
    assert!(!*asleep.lock().unwrap(), "a wake-up was missed");
}

#[test]
fn no_wake_up_is_missed() {
    check(
        "waiter x commit",
        3,
        || wait(1),
        &["wait: announce fence", "wait: enlist fence"],
    );
}

/// With two records the second commit brings the root word back to its first value.
#[test]
fn a_root_word_that_comes_back_is_no_reason_to_sleep() {
    check("waiter x two commits", 3, || wait(2), &["wait: sleep on the counter"]);
}
