//! Crashes of the machine: what is on disk then is any mixture, sector by sector, of what a sync has flushed and what came later. Each
//! mixture is opened and compared with the model at the last sync; then life goes on in it, and it crashes again.

use super::tests::{agent, open, place, root};
use super::SlabFile;
use crate::durable::flush::Quiet;
use crate::epoch::agent::Agent;
use crate::epoch::limbo::Retired;
use crate::epoch::pin::Slot;
use crate::epoch::record::{publish, Content};
use crate::slab::alloc::Memory;
use crate::slab::layout::*;
use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering::*;

const SECTOR: usize = 512;
const LEAVES: usize = 40;

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// An object: where, how many words, and what they are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Leaf {
    at: u64,
    words: u64,
    seed: u64,
}

/// What a version holds.
#[derive(Clone, Debug)]
struct State {
    root: u64,
    leaves: Vec<Leaf>,
    symbols: u64,
}

struct World<'a> {
    slab: &'a SlabFile,
    agent: Agent,
    state: State,
}

impl World<'_> {
    fn object(&mut self, kind: u8, flags: u8, birth: u64, base: u64, words: u64) -> u64 {
        let memory = Memory {
            map: self.slab.mapping(),
            file: self.slab,
        };
        let at = self.agent.alloc.alloc(memory, words as usize * 8, base).unwrap();
        assert!(
            !self
                .state
                .leaves
                .iter()
                .any(|l| at < l.at + l.words * 8 && l.at < at + words * 8),
            "{at:#x} is in use"
        );
        self.store(at, header(kind, flags, birth));
        at
    }

    fn store(&self, at: u64, word: u64) {
        self.slab.mapping().atomic_u64(at).store(word, Release);
    }

    /// Replaces some leaves by new ones and commits.
    fn commit(&mut self, random: &mut Random) {
        let map = *self.slab.mapping();
        let base = self.agent.pin(&map, Slot::A);
        let birth = base.number + 1;
        let mut dead: Vec<u64> = (self.state.root != EMPTY_MAP)
            .then_some(self.state.root)
            .into_iter()
            .collect();
        for _ in 0..1 + random.next(5) {
            let words = [2 + random.next(30), 2 + random.next(400), 9_000 + random.next(30_000)]
                [[0, 0, 0, 1, 2][random.next(5) as usize]];
            let leaf = Leaf {
                at: self.object(BYTES, 0, birth, base.number, words),
                words,
                seed: random.next(1 << 30),
            };
            (1..words).for_each(|i| self.store(leaf.at + i * 8, leaf.seed + i));
            if self.state.leaves.len() == LEAVES || random.next(3) == 0 && !self.state.leaves.is_empty() {
                let victim = random.next(self.state.leaves.len() as u64) as usize;
                dead.push(self.state.leaves.swap_remove(victim).at);
            }
            self.state.leaves.push(leaf);
        }
        if random.next(4) == 0 {
            // Left behind by a transaction that never ended.
            self.object(BYTES, 0, FRESH | 7, base.number, 2 + random.next(60));
        }
        self.state.root = self.object(VECTOR_NODE, 0, birth, base.number, 2 + LEAVES as u64);
        self.store(self.state.root + 8, self.state.leaves.len() as u64);
        for (i, leaf) in self.state.leaves.iter().enumerate() {
            self.store(self.state.root + 16 + i as u64 * 8, leaf.at);
        }
        let memory = Memory {
            map: self.slab.mapping(),
            file: self.slab,
        };
        let record = self.agent.claim_record(memory, base).unwrap().expect("alone");
        assert!(publish(
            &map,
            record,
            base,
            Content {
                state: self.state.root,
                time: 1,
                retired: 0
            }
        ));
        for at in dead {
            let name = map.atomic_u64(at).load(Relaxed);
            let generation = crate::slab::free::generation(&map, at);
            self.agent.limbo.push(Retired::new(at, name, birth, generation, 0));
        }
        self.agent.unpin(&map, Slot::A);
        self.agent.drain(memory, true);
    }

    /// Adds a symbol to the table.
    fn intern(&mut self) {
        let map = *self.slab.mapping();
        let (version, id) = (root(self.slab).0, self.state.symbols);
        if map.atomic_u64(CONTROL_SYMBOLS).load(Relaxed) == 0 {
            let dir = self.object(SYMBOL_DIR, FLAG_IMMORTAL, 0, version, 2 + SYMBOL_CHUNKS as u64);
            (1..2 + SYMBOL_CHUNKS as u64).for_each(|i| self.store(dir + i * 8, 0));
            self.store(CONTROL_SYMBOLS, dir);
        }
        let dir = map.atomic_u64(CONTROL_SYMBOLS).load(Relaxed);
        let k = (id / 64 + 1).ilog2() as u64;
        if map.atomic_u64(dir + 16 + 8 * k).load(Relaxed) == 0 {
            let n = 64 << k;
            let chunk = self.object(SYMBOL_CHUNK, FLAG_IMMORTAL, 0, version, 2 + n);
            (1..2 + n).for_each(|i| self.store(chunk + i * 8, 0));
            self.store(dir + 16 + 8 * k, chunk);
        }
        let text = self.object(TEXT, FLAG_IMMORTAL, 0, version, 3);
        self.store(text + 16, id ^ 0x5555);
        let symbol = self.object(SYMBOL, FLAG_IMMORTAL, 0, version, 4);
        self.store(symbol + 8, id << 32);
        self.store(symbol + 16, 0);
        self.store(symbol + 24, text);
        let chunk = map.atomic_u64(dir + 16 + 8 * k).load(Relaxed);
        self.store(chunk + 16 + 8 * (id - 64 * ((1 << k) - 1)), symbol);
        map.atomic_u32(CONTROL_SYMBOL_NEXT).store(id as u32 + 1, Release);
        self.state.symbols += 1;
    }
}

fn check(slab: &SlabFile, state: &State, what: &str) {
    let map = slab.mapping();
    let word = |at: u64| map.atomic_u64(at).load(Acquire);
    assert_eq!(root(slab).1, state.root, "{what}: another state");
    if state.root != EMPTY_MAP {
        assert_eq!(word(state.root + 8), state.leaves.len() as u64, "{what}");
    }
    for (n, leaf) in state.leaves.iter().enumerate() {
        assert_eq!(word(state.root + 16 + n as u64 * 8), leaf.at, "{what}");
        assert!(
            header_kind(word(leaf.at)) == BYTES && !header_fresh(word(leaf.at)),
            "{what}: {leaf:?}"
        );
        assert!(
            (1..leaf.words).all(|i| word(leaf.at + i * 8) == leaf.seed + i),
            "{what}: {leaf:?} has other bytes"
        );
    }
    assert_eq!(
        map.atomic_u32(CONTROL_SYMBOL_NEXT).load(Acquire) as u64,
        state.symbols,
        "{what}"
    );
    let dir = word(CONTROL_SYMBOLS);
    for k in (0..SYMBOL_CHUNKS as u64).filter(|_| dir != 0) {
        let chunk = word(dir + 16 + 8 * k);
        for i in (0..64 << k).filter(|_| chunk != 0) {
            let (id, symbol) = (64 * ((1 << k) - 1) + i, word(chunk + 16 + 8 * i));
            assert_eq!(symbol != 0, id < state.symbols, "{what}: symbol {id}");
            if symbol != 0 {
                assert_eq!(word(symbol + 8), id << 32, "{what}: symbol {id}");
                assert_eq!(word(word(symbol + 24) + 16), id ^ 0x5555, "{what}: text of symbol {id}");
            }
        }
    }
}

/// Each sector of any of the images, those that are too short read as zeros; as long as one of them.
fn mixture(images: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let n = images.len() as u64;
    let len = images[random.next(n) as usize].len().max(images[0].len());
    let favourite = random.next(n) as usize;
    let mut out = vec![0; len];
    for (i, sector) in out.chunks_mut(SECTOR).enumerate() {
        let pick = if random.next(3) == 0 {
            random.next(n) as usize
        } else {
            favourite
        };
        if let Some(from) = images[pick].get(i * SECTOR..i * SECTOR + sector.len()) {
            sector.copy_from_slice(from);
        }
    }
    out
}

/// Lives in the slab at `path` for a while, then leaves at `next` what a crash of the machine could leave.
fn live_and_crash(path: &Path, next: &Path, from: State, random: &mut Random, what: &str) -> State {
    let slab = open(path).unwrap();
    check(&slab, &from, &format!("{what} opened"));
    let agent = agent(&slab);
    let mut world = World {
        slab: &slab,
        agent,
        state: from,
    };
    let work = |world: &mut World, random: &mut Random| {
        for _ in 0..1 + random.next(25) {
            (0..random.next(8)).for_each(|_| world.intern());
            world.commit(random);
        }
    };
    let mut symbols = world.state.symbols;
    if random.next(4) > 0 {
        work(&mut world, random);
        (0..random.next(90)).for_each(|_| world.intern());
        // Symbols are made durable with the next version that is: no durable value can use them before.
        symbols = world.state.symbols;
    }
    slab.sync(&Quiet(slab.mapping()), root(&slab).0).unwrap();
    let durable = State {
        symbols,
        ..world.state.clone()
    };
    (0..random.next(90)).for_each(|_| world.intern());
    let mut images = vec![fs::read(path).unwrap()];
    for _ in 0..random.next(3) {
        work(&mut world, random);
        check(&slab, &world.state, what);
        images.push(fs::read(path).unwrap());
    }
    let mut image = mixture(&images, random);
    if random.next(2) == 0 {
        // The control page is worthless after a crash.
        image[CONTROL as usize..][..4096].fill(0xA5);
    }
    fs::write(next, image).unwrap();
    world.agent.release(Memory {
        map: slab.mapping(),
        file: &slab,
    });
    durable
}

#[test]
fn any_mixture_of_flushed_and_later_sectors_opens_as_the_last_synced_version_again_and_again() {
    for seed in 0..12 {
        let (dir, path) = place();
        let mut random = Random(seed);
        let mut state = State {
            root: EMPTY_MAP,
            leaves: Vec::new(),
            symbols: 0,
        };
        let mut at = path;
        for generation in 0..4 {
            let next = dir.path().join(format!("crash{generation}.slab"));
            state = live_and_crash(
                &at,
                &next,
                state,
                &mut random,
                &format!("seed {seed}, generation {generation}"),
            );
            at = next;
        }
        let slab = open(&at).unwrap();
        check(&slab, &state, &format!("seed {seed}, last"));
    }
}
