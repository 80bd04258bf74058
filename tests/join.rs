//! Opening a slab that others are using at that moment.

use eve::value::{scalar, word};
use eve::{transact, Options, Slab};
use std::sync::atomic::{AtomicBool, Ordering::*};

/// What a newcomer reads of the control page moves while it reads; that is no damage.
#[test]
fn a_slab_that_others_grow_and_commit_to_can_be_joined_at_any_moment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("busy.slab");
    let slab = Slab::open(&path, &Options::default()).unwrap();
    let (blob, number) = (
        slab.intern(0, None, b"blob").unwrap(),
        slab.intern(0, None, b"number").unwrap(),
    );
    let (slab, path, done) = (&slab, &path, &AtomicBool::new(false));
    std::thread::scope(|s| {
        s.spawn(move || {
            let (mut size, mut i) = (1 << 20, 0);
            while !done.load(Relaxed) {
                i += 1;
                transact(slab, |t| t.set(number, word::from_int(i).unwrap())).unwrap();
                if i % 50 == 0 && size < 100 << 20 {
                    // Larger than any run that is free: the file has to grow.
                    size += 1 << 18;
                    transact(slab, |t| {
                        let bytes = t.write(|w| scalar::make_bytes(w, &vec![1; size]))?;
                        t.set(blob, bytes)
                    })
                    .unwrap();
                }
            }
        });
        let joins: Vec<_> = (0..2)
            .map(|_| {
                s.spawn(move || {
                    for _ in 0..400 {
                        let other = Slab::open(path, &Options::default())?;
                        other.close()?;
                    }
                    Ok::<(), eve::Error>(())
                })
            })
            .collect();
        let results: Vec<_> = joins.into_iter().map(|j| j.join().unwrap()).collect();
        done.store(true, Relaxed);
        assert!(results.iter().all(|r| r.is_ok()), "{results:?}");
    });
}
