//! A slab of a few cells and the private side of an agent, for models. What `Agent`, `Limbo` and `Txn` do in private memory is done
//! here in a few lines; every step that others can see is a call of the crate.

use eve::epoch::pin::{pin, scan, unpin, Pinned, Slot, Version};
use eve::epoch::record::{claim, live, publish, release, still_current, ClaimCache, Content};
use eve::epoch::{AgentLine, GroupEntry, RootRecord, Shared};
use eve::slab::cell;
use eve::slab::layout::{header, header_birth, FRESH, TEXT};
use eve::sync::{weakened, AtomicU32, AtomicU64, Ordering::*};
use loom::cell::UnsafeCell;
use std::ops::Range;

/// Tables and cells. Version 1, whose state is cell 0 and whose record is record 0, is current.
pub struct Slab {
    pub root: AtomicU32,
    pub records: Vec<RootRecord>,
    pub agents: Vec<AgentLine>,
    pub groups: Vec<GroupEntry>,
    pub durable: Option<AtomicU64>,
    releases: AtomicU64,
    pub cells: Vec<Cell>,
    turn: AtomicU64,
    /// One for each record: loom reports any use of it that isn't ordered with a claim.
    contents: Vec<UnsafeCell<()>>,
}

/// A cell: loom reports any read of `payload` that isn't ordered with its writes.
pub struct Cell {
    pub header: AtomicU64,
    pub payload: UnsafeCell<[u64; 2]>,
}

// SAFETY: loom checks every access to an UnsafeCell; finding races there is what the models are for.
unsafe impl Sync for Cell {}
// SAFETY: as above.
unsafe impl Sync for Slab {}

fn word() -> AtomicU64 {
    AtomicU64::new(0)
}

impl Slab {
    pub fn new(records: usize, agents: usize, cells: usize) -> Slab {
        let s = Slab {
            root: AtomicU32::new(0),
            records: (0..records)
                .map(|_| RootRecord {
                    meta: word(),
                    version: word(),
                    state: word(),
                    time: word(),
                    retired: word(),
                    reserved: [word(), word(), word()],
                })
                .collect(),
            agents: (0..agents)
                .map(|_| AgentLine {
                    owner: word(),
                    pins: [word(), word(), word()],
                    floor: word(),
                    hazard: word(),
                    sec_lo: word(),
                    sec_hi: word(),
                })
                .collect(),
            groups: Vec::new(),
            durable: None,
            releases: word(),
            cells: (0..cells)
                .map(|_| Cell {
                    header: word(),
                    payload: UnsafeCell::new([0; 2]),
                })
                .collect(),
            turn: word(),
            contents: (0..records).map(|_| UnsafeCell::new(())).collect(),
        };
        s.records[0].version.store(1, Relaxed);
        s.records[0].meta.store(live(1), Relaxed);
        s.fill(0, 1, [1, 0]);
        s
    }

    pub fn with_group(mut self) -> Slab {
        self.groups.push(GroupEntry {
            owner: word(),
            lo: word(),
            hi: word(),
            reserved: word(),
        });
        self
    }

    /// Puts a committed object in a cell, before the threads start.
    pub fn fill(&self, at: usize, birth: u64, payload: [u64; 2]) {
        if let Some(c) = self.cells.get(at) {
            c.header.store(header(TEXT, 0, birth), Relaxed);
            // SAFETY: no other thread runs yet; loom would tell.
            c.payload.with_mut(|p| unsafe { *p = payload });
        }
    }

    /// Loom remembers one access of a word only and may pass an order over. It tries all orders of the calls of this.
    pub fn turn(&self) {
        self.turn.fetch_add(1, Relaxed);
    }

    /// Reads a cell without synchronization, as readers of a slab do.
    pub fn read(&self, at: usize) -> [u64; 2] {
        // SAFETY: loom reports a concurrent write.
        self.cells[at].payload.with(|p| unsafe { *p })
    }

    /// The state of a pinned version; fails if its record isn't protected.
    pub fn state(&self, v: Version) -> usize {
        self.contents[v.record].with(|_| ());
        let r = &self.records[v.record];
        assert_eq!(r.version.load(Relaxed), v.number, "a record was recycled under a pin");
        r.state.load(Relaxed) as usize
    }
}

impl Shared for Slab {
    fn root(&self) -> &AtomicU32 {
        &self.root
    }
    fn records(&self) -> usize {
        self.records.len()
    }
    fn record(&self, i: usize) -> &RootRecord {
        &self.records[i]
    }
    fn agents(&self) -> usize {
        self.agents.len()
    }
    fn agent(&self, i: usize) -> &AgentLine {
        &self.agents[i]
    }
    fn groups(&self) -> usize {
        self.groups.len()
    }
    fn group(&self, i: usize) -> &GroupEntry {
        &self.groups[i]
    }
    fn durable(&self) -> [u64; 2] {
        [self.durable.as_ref().map_or(0, |d| d.load(Acquire)), 0]
    }
    fn releases(&self) -> &AtomicU64 {
        &self.releases
    }
}

/// A slab of which only the first agents are scanned, for models that would take too long.
pub struct First<'a>(pub &'a Slab, pub usize);

impl Shared for First<'_> {
    fn root(&self) -> &AtomicU32 {
        self.0.root()
    }
    fn records(&self) -> usize {
        self.0.records()
    }
    fn record(&self, i: usize) -> &RootRecord {
        self.0.record(i)
    }
    fn agents(&self) -> usize {
        self.1
    }
    fn agent(&self, i: usize) -> &AgentLine {
        self.0.agent(i)
    }
    fn groups(&self) -> usize {
        self.0.groups()
    }
    fn group(&self, i: usize) -> &GroupEntry {
        self.0.group(i)
    }
    fn durable(&self) -> [u64; 2] {
        self.0.durable()
    }
    fn releases(&self) -> &AtomicU64 {
        self.0.releases()
    }
}

/// A retired object.
pub struct Retired {
    pub at: usize,
    pub name: u64,
    pub death: u64,
}

/// The private side of an agent line: it allocates from the cells of its block.
pub struct Agent {
    pub index: usize,
    pub sequence: u64,
    pub cache: ClaimCache,
    pub limbo: Vec<Retired>,
    cells: Range<usize>,
}

impl Agent {
    pub fn new(index: usize, cells: Range<usize>) -> Agent {
        Agent {
            index,
            sequence: 0,
            cache: ClaimCache::default(),
            limbo: Vec::new(),
            cells,
        }
    }

    pub fn pin(&mut self, s: &Slab, slot: Slot) -> Version {
        pin(s, self.index, slot, &mut self.sequence)
    }

    pub fn unpin(&self, s: &Slab, slot: Slot) {
        unpin(s, self.index, slot);
    }

    /// A fresh object, if the block has room.
    pub fn alloc(&mut self, s: &Slab, payload: [u64; 2]) -> Option<usize> {
        let at = self.cells.clone().find(|&at| cell::is_free(&s.cells[at].header))?;
        s.cells[at].header.store(header(TEXT, 0, FRESH), Relaxed);
        // SAFETY: the cell is ours; loom reports anybody who still uses it.
        s.cells[at].payload.with_mut(|p| unsafe { *p = payload });
        Some(at)
    }

    /// Frees an object that was not committed.
    pub fn free(&self, s: &Slab, at: usize) {
        s.cells[at].header.store(0, Release);
    }

    /// A record for the version after `base`.
    pub fn claim(&mut self, s: &Slab, base: Version) -> Option<usize> {
        let i = claim(s, self.index, &mut self.sequence, base, &mut self.cache)?;
        s.contents[i].with_mut(|_| ());
        Some(i)
    }

    /// Steps 3 to 7 of a commit.
    pub fn publish(&self, s: &Slab, base: Version, record: usize, state: usize, fresh: &[usize]) -> bool {
        if !still_current(s, base) {
            return false;
        }
        for &at in fresh {
            cell::stamp(&s.cells[at].header, base.number + 1);
        }
        publish(
            s,
            record,
            base,
            Content {
                state: state as u64,
                time: 0,
                retired: 0,
            },
        )
    }

    pub fn release(&self, s: &Slab, base: Version, record: usize) {
        release(s, record, self.index, base);
    }

    /// Puts an object that dies with version `death` in limbo.
    pub fn retire(&mut self, s: &Slab, at: usize, death: u64) {
        self.limbo.push(Retired {
            at,
            name: s.cells[at].header.load(Relaxed),
            death,
        });
    }

    /// Frees what no pin meets.
    pub fn drain(&mut self, s: &Slab) {
        if self.limbo.is_empty() {
            return;
        }
        let seen = self.pin(s, Slot::B).number;
        self.unpin(s, Slot::B);
        let mut pinned = Pinned::default();
        scan(s, self.index, &mut self.sequence, &mut pinned);
        self.limbo.retain(|r| {
            let held = r.death > seen || pinned.meets(header_birth(r.name), r.death);
            assert!(
                held || cell::free_named(&s.cells[r.at].header, r.name),
                "an object in limbo was freed by another"
            );
            held
        });
    }

    /// One commit that replaces the state, a single object that holds its version's number. None: lost, or out of room.
    pub fn commit(&mut self, s: &Slab) -> Option<u64> {
        let won = self.commit_undrained(s);
        self.drain(s);
        won
    }

    pub fn commit_undrained(&mut self, s: &Slab) -> Option<u64> {
        let base = self.pin(s, Slot::A);
        let old = s.state(base);
        let version = base.number + 1;
        let new = self.alloc(s, [version, 0]);
        let record = new.and_then(|_| self.claim(s, base));
        let (Some(new), Some(record)) = (new, record) else {
            new.into_iter().for_each(|at| self.free(s, at));
            self.unpin(s, Slot::A);
            return None;
        };
        let won = self.publish(s, base, record, new, &[new]);
        if won {
            self.retire(s, old, version);
        } else {
            self.release(s, base, record);
            self.free(s, new);
        }
        self.unpin(s, Slot::A);
        won.then_some(version)
    }

    /// One commit without objects. None: lost, or no record to have.
    pub fn commit_record(&mut self, s: &Slab) -> Option<u64> {
        let base = self.pin(s, Slot::A);
        let state = s.state(base);
        let record = self.claim(s, base);
        if weakened("commit: base stays pinned") {
            self.unpin(s, Slot::A);
        }
        let won = record.is_some_and(|record| {
            let won = self.publish(s, base, record, state, &[]);
            if !won {
                self.release(s, base, record);
            }
            won
        });
        self.unpin(s, Slot::A);
        won.then_some(base.number + 1)
    }

    /// Reads the current version and returns its number.
    pub fn read(&mut self, s: &Slab) -> u64 {
        let v = self.pin(s, Slot::A);
        assert_eq!(s.read(s.state(v))[0], v.number, "a freed object was read");
        self.unpin(s, Slot::A);
        v.number
    }
}
