//! Opening a slab that others are using at that moment.

use eve::slab::layout::EMPTY_MAP;
use eve::value::build::{self, BuildBuffer};
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

/// Reading works, and every way to write is an error, also after a snapshot has claimed an agent.
#[test]
fn a_slab_opened_read_only_can_be_read_and_refuses_to_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("read.slab");
    let slab = Slab::open(&path, &Options::default()).unwrap();
    let atom = slab.intern(0, None, b"a").unwrap();
    transact(&slab, |t| t.set(atom, word::from_int(7).unwrap())).unwrap();
    let map = slab.intern(0, None, b"m").unwrap();
    let key = |i: i64| BuildBuffer::new().vector(50, |b, j| b.int(i + j as i64)).finish();
    transact(&slab, |t| {
        let m = t.write(|w| {
            (0..20).try_fold(EMPTY_MAP, |m, i| {
                let k = build::value(w, &key(i))?;
                eve::coll::map::assoc(
                    w,
                    0,
                    m,
                    k,
                    eve::value::hash_word(w.reader(), k)?,
                    word::from_int(i).unwrap(),
                )
            })
        })?;
        t.set(map, m)
    })
    .unwrap();
    slab.close().unwrap();
    drop(slab);
    let before = std::fs::read(&path).unwrap();
    let options = Options {
        read_only: true,
        create: false,
        ..Options::default()
    };
    let slab = Slab::open(&path, &options).unwrap();
    {
        let s = slab.snapshot().unwrap();
        assert_eq!(
            eve::coll::get(s.reader(), s.view().state, atom).unwrap(),
            word::from_int(7)
        );
    }
    assert_eq!(slab.intern(0, None, b"a").unwrap(), atom);
    assert!(matches!(slab.intern(0, None, b"new"), Err(eve::Error::ReadOnly)));
    assert!(matches!(eve::Txn::begin(&slab, None), Err(eve::Error::ReadOnly)));
    assert!(matches!(slab.sync(), Err(eve::Error::ReadOnly)));
    let group = slab.open_group().unwrap();
    assert_eq!(slab.group_view(group).unwrap().version, slab.version().unwrap());
    slab.close_group(group).unwrap();
    // Keys that need memory are built in memory of our own.
    let s = slab.snapshot().unwrap();
    let m = eve::coll::get(s.reader(), s.view().state, map).unwrap().unwrap();
    let look = |buffer: &[u8]| eve::txn::ops::get_built(&slab, m, buffer).unwrap();
    assert_eq!(look(&key(13)), word::from_int(13));
    assert_eq!(look(&key(20)), None);
    let long = "never stored ".repeat(100_000);
    assert_eq!(look(&BuildBuffer::new().string(&long).finish()), None);
    assert_eq!(look(&BuildBuffer::new().keyword(None, "never-interned").finish()), None);
    drop(s);
    slab.close().unwrap();
    assert!(std::fs::read(&path).unwrap() == before, "the file is as it was");
}
