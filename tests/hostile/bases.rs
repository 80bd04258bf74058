//! The sound slabs that inputs damage: small ones that have every kind of object, table and state between them.

use super::image::Image;
use eve::slab::layout::*;
use eve::tools::{backup, quiet};
use eve::value::build::{self, BuildBuffer};
use eve::value::text;
use eve::{coll, transact, Options, Slab, SyncMode, Txn};
use std::path::Path;

/// What is built, in the order of the numbers that inputs have for them.
pub const BASES: [(&str, fn(&Path, &Slab)); 8] = [
    ("scalars", |_, s| set(s, "scalars", scalars())),
    ("collections", |_, s| collections(s)),
    ("symbols", |_, s| {
        set(
            s,
            "symbols",
            BuildBuffer::new()
                .set(300, |b, i| b.keyword(Some("of"), &format!("key{i}")))
                .finish(),
        )
    }),
    ("atoms", |_, s| atoms(s)),
    ("killed", |_, s| killed(s)),
    ("new", |_, _| {}),
    ("backup", |path, s| {
        collections(s);
        backup(s, &path.with_extension("backup"), &mut quiet).unwrap();
    }),
    ("nested", |_, s| nested(s)),
];

/// The slab of that number, as bytes. `folder` is empty and stays empty.
pub fn base(number: usize, folder: &Path) -> Image {
    let (name, build) = BASES[number % BASES.len()];
    let path = folder.join("base");
    // No thread beside us: the same slab each time.
    let options = Options {
        sync: SyncMode::None,
        ..Options::default()
    };
    let slab = Slab::open(&path, &options).unwrap();
    build(&path, &slab);
    let copied = path.with_extension("backup");
    let image = match name {
        // As it lies there while a process has it open: what a kill leaves.
        "killed" => Image::read(&path),
        "backup" => Image::read(&copied),
        _ => {
            slab.close().unwrap();
            Image::read(&path)
        }
    };
    drop(slab);
    std::fs::remove_file(&path).unwrap();
    let _ = std::fs::remove_file(&copied);
    image
}

fn set(s: &Slab, atom: &str, buffer: Vec<u8>) {
    let atom = name(s, atom);
    transact(s, |t| {
        let value = t.write(|w| build::value(w, &buffer))?;
        t.set(atom, value)
    })
    .unwrap();
}

fn name(s: &Slab, atom: &str) -> u64 {
    s.intern(0, Some(b"eve"), atom.as_bytes()).unwrap()
}

fn get(s: &Slab, atom: &str) -> u64 {
    let name = name(s, atom);
    let snap = s.snapshot().unwrap();
    coll::get(snap.reader(), snap.view().state, name).unwrap().unwrap()
}

/// A vector of one of each scalar.
fn scalars() -> Vec<u8> {
    let big = [1, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    BuildBuffer::new()
        .vector(26, |b, i| match i {
            0 => b.nil(),
            1 => b.bool(true),
            2 => b.int(-7),
            3 => b.int(i64::MAX),
            4 => b.double(1.5),
            5 => b.double(1e300),
            6 => b.double(-0.0),
            7 => b.char(0x41),
            8 => b.string("short"),
            9 => b.string("a text that is no immediate; is it?"),
            10 => b.string("\u{e4}\u{f6}\u{fc} \u{1d11e} of several bytes a character"),
            11 => b.text(b"a lone surrogate \xed\xa0\x80 in a text"),
            12 => b.keyword(None, "plain"),
            13 => b.keyword(Some("space"), "a-name-of-some-length"),
            14 => b.symbol(Some("space"), "name"),
            15 => b.bigint(&big),
            16 => b.bigint(&[0xff; 1]),
            17 => b.ratio(&[3], &[7]),
            18 => b.ratio(&big, &[7]),
            19 => b.decimal(&[12, 34], 3),
            20 => b.decimal(&big, -300),
            21 => b.uuid(0x0123_4567_89ab_4def, 0x8000_0000_0000_0001),
            22 => b.date(1_700_000_000_000),
            23 => b.instant(1_700_000_000, 123_456_789),
            24 => b.bytes(&[0, 1, 2, 0xff]),
            _ => b.bigint(&[0x12; 400]),
        })
        .finish()
}

/// Texts that Clojure's hash doesn't tell apart: each letter pair has the same sum in Java's hash of strings.
fn colliding(i: usize) -> String {
    (0..5).map(|bit| if i >> bit & 1 == 0 { "Aa" } else { "BB" }).collect()
}

fn collections(s: &Slab) {
    set(
        s,
        "array",
        BuildBuffer::new()
            .map(5, |b, i| b.int(i as i64).string("value"))
            .finish(),
    );
    set(
        s,
        "map",
        BuildBuffer::new()
            .map(70, |b, i| b.int(i as i64 * 977).vector(1, |b, _| b.int(i as i64)))
            .finish(),
    );
    set(
        s,
        "set",
        BuildBuffer::new()
            .set(60, |b, i| b.string(&format!("element {i}")))
            .finish(),
    );
    set(
        s,
        "vector",
        BuildBuffer::new().vector(1100, |b, i| b.int(i as i64)).finish(),
    );
    set(s, "list", BuildBuffer::new().list(9, |b, i| b.int(i as i64)).finish());
    set(
        s,
        "collisions",
        BuildBuffer::new()
            .map(12, |b, i| b.string(&colliding(i)).int(i as i64))
            .finish(),
    );
    set(
        s,
        "collided",
        BuildBuffer::new().set(9, |b, i| b.string(&colliding(i))).finish(),
    );
    set(s, "text", BuildBuffer::new().string(&"0123456789".repeat(9)).finish());
    let (meta, atom) = (get(s, "array"), name(s, "meta"));
    let (map, set, vector) = (get(s, "map"), get(s, "set"), get(s, "vector"));
    let names = ["array", "map", "set", "vector"].map(|n| name(s, n));
    transact(s, |t| {
        names.iter().try_for_each(|&n| t.get(n).map(|_| ()))?;
        let all = t.write(|w| {
            let words = [
                coll::map::with_meta(w, map, meta)?,
                coll::set::with_meta(w, set, meta)?,
                coll::vector::with_meta(w, vector, meta)?,
                coll::map::with_meta(w, EMPTY_MAP, meta)?,
            ];
            coll::vector::from_words(w, &words)
        })?;
        t.set(atom, all)
    })
    .unwrap();
}

/// Many versions: shared parts, garbage, free cells, a run of blocks, one that is free again.
fn atoms(s: &Slab) {
    for i in 0..40 {
        set(
            s,
            &format!("atom{}", i % 12),
            BuildBuffer::new()
                .map(i, |b, j| b.int(j as i64).string(&format!("value {j} of {i}")))
                .finish(),
        );
    }
    set(s, "run", BuildBuffer::new().string(&"x".repeat(100_000)).finish());
    set(s, "gone", BuildBuffer::new().bytes(&[7; 150_000]).finish());
    set(s, "gone", BuildBuffer::new().nil().finish());
    let (from, to) = ["atom3", "shared"].map(|n| name(s, n)).into();
    transact(s, |t| {
        let value = t.get(from)?.unwrap_or(NIL);
        t.set(to, value)
    })
    .unwrap();
    s.sync().unwrap();
    set(s, "atom5", BuildBuffer::new().int(5).finish());
}

/// In the middle of everything: a transaction with fresh objects, pins, groups, versions that are not on disk.
fn killed(s: &Slab) {
    atoms(s);
    set(
        s,
        "map",
        BuildBuffer::new()
            .map(20, |b, i| b.int(i as i64).string("a text that is no immediate"))
            .finish(),
    );
    let group = s.open_group().unwrap();
    s.group_view(group).unwrap();
    std::mem::forget(s.snapshot().unwrap());
    set(s, "map", BuildBuffer::new().int(1).finish());
    let mut t = Txn::begin(s, None).unwrap();
    let fresh = t.write(|w| text::make(w, &[b'f'; 90_000])).unwrap();
    t.set(s.intern(0, None, b"fresh").unwrap(), fresh).unwrap();
    std::mem::forget(t);
}

/// Collections in collections, as keys too.
fn nested(s: &Slab) {
    fn level(b: &mut BuildBuffer, depth: usize) -> &mut BuildBuffer {
        if depth == 0 {
            return b.keyword(None, "leaf");
        }
        match depth % 4 {
            0 => b.map(2, |b, i| {
                if i == 0 {
                    level(b, depth - 1).int(1)
                } else {
                    level(b.int(2), depth - 1)
                }
            }),
            1 => b.vector(2, |b, i| if i == 0 { level(b, depth - 1) } else { b.int(3) }),
            2 => b.set(2, |b, i| if i == 0 { level(b, depth - 1) } else { b.int(3) }),
            _ => b.list(2, |b, i| if i == 1 { level(b, depth - 1) } else { b.int(3) }),
        }
    }
    let mut b = BuildBuffer::new();
    set(s, "nested", level(&mut b, 13).finish());
    let mut deep = BuildBuffer::new();
    // A vector's elements follow it: each is the next vector.
    for _ in 0..900 {
        deep.vector(1, |b, _| b);
    }
    set(s, "deep", deep.int(1).finish());
    set(
        s,
        "keys",
        BuildBuffer::new()
            .map(12, |b, i| b.vector(2, |b, j| b.int((i * j) as i64)).int(1))
            .finish(),
    );
    sorted(s);
}

/// Sorted collections: several levels, each kind of order, objects as keys.
fn sorted(s: &Slab) {
    set(
        s,
        "sorted-ints",
        BuildBuffer::new()
            .sorted_map(|b| b.nil(), 1100, |b, i| b.int(i as i64 * 977).int(i as i64))
            .finish(),
    );
    set(
        s,
        "sorted-vectors",
        BuildBuffer::new()
            .sorted_set(
                |b| b.int(-1),
                70,
                |b, i| {
                    b.vector(2, |b, j| {
                        if j == 0 {
                            b.int(i as i64 / 9)
                        } else {
                            b.string(&format!("value {i}"))
                        }
                    })
                },
            )
            .finish(),
    );
    set(
        s,
        "sorted-by-name",
        BuildBuffer::new()
            .sorted_map(
                |b| b.keyword(Some("by"), "name"),
                40,
                |b, i| b.keyword(None, &format!("k{i}")).int(1),
            )
            .finish(),
    );
}
