//! torture FOLDER KILLS SECONDS SEED: four writers and four readers, each a process (Rust, and a JVM and a Node of each kind if the environment has
//! EVE_JVM and EVE_NODE: commands that take the arguments of a worker), on one slab. They are killed at random moments, alone, when stopped, or all
//! at once, and started again, until there were KILLS and SECONDS have gone. Fails if a commit that a writer was told of is missing, if anybody sees
//! a version that isn't whole, if somebody waits for one that is stopped or dead, or if the slab grows without bound.
//!
//! torture worker FOLDER (write|read) ID: a worker, as worker.clj and worker.mjs beside this. The atom :torture/bank is a map of ACCOUNTS accounts
//! with EACH units each; under 1000 + ID it has the number of transfers that writer ID has made. Writers also count in the atom :torture/own-ID.
//! FOLDER/told holds 64-bit numbers: at ID the transfers that writer was told are committed, at 8 + ID the same of its own atom, at 16 + slot what a
//! worker has done since it was started.

use eve::coll::{self, iter::Iter, map};
use eve::value::{hash_word, word};
use eve::{transact, Options, Result, Slab, SyncMode};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[path = "../support/mod.rs"]
#[allow(dead_code)]
mod support;

const ACCOUNTS: i64 = 300;
const EACH: i64 = 100;
const WRITERS: usize = 4;

fn int(i: i64) -> u64 {
    word::from_int(i).expect("small")
}

/// The numbers beside the slab.
struct Told(File);

impl Told {
    fn open(folder: &Path) -> Told {
        let mut how = OpenOptions::new();
        how.read(true).write(true).create(true).truncate(false);
        let file = how.open(folder.join("told")).expect("told");
        file.set_len(64 * 8).expect("told");
        Told(file)
    }

    fn get(&self, i: usize) -> i64 {
        let mut b = [0; 8];
        self.0.read_exact_at(&mut b, i as u64 * 8).expect("told");
        i64::from_le_bytes(b)
    }

    fn set(&self, i: usize, n: i64) {
        self.0.write_all_at(&n.to_le_bytes(), i as u64 * 8).expect("told");
    }
}

struct Bank {
    slab: Slab,
    bank: u64,
    own: Vec<u64>,
}

impl Bank {
    fn open(folder: &Path) -> Result<Bank> {
        let options = Options {
            // Often, so that many are killed in one.
            sync: SyncMode::Interval(Duration::from_millis(30)),
            ..Options::default()
        };
        let slab = Slab::open(&folder.join("bank.eve"), &options)?;
        let atom = |name: &str| slab.intern(0, Some(b"torture"), name.as_bytes());
        let bank = atom("bank")?;
        let own = (0..WRITERS).map(|i| atom(&format!("own-{i}"))).collect::<Result<_>>()?;
        Ok(Bank { slab, bank, own })
    }

    fn init(&self) -> Result<()> {
        transact(&self.slab, |t| {
            let m = t.write(|w| {
                let mut m = eve::slab::layout::EMPTY_MAP;
                for i in (0..ACCOUNTS)
                    .map(|i| (i, EACH))
                    .chain((0..WRITERS as i64).map(|i| (1000 + i, 0)))
                {
                    m = map::assoc(w, 0, m, int(i.0), hash_word(w.reader(), int(i.0))?, int(i.1))?;
                }
                Ok::<u64, eve::Error>(m)
            })?;
            t.set(self.bank, m)?;
            self.own.iter().try_for_each(|&a| t.set(a, int(0)))
        })?;
        Ok(())
    }

    /// Reads one version, checks that it is whole; returns how often each writer has transferred, and counted.
    fn read(&self) -> Result<Vec<i64>> {
        let snap = self.slab.snapshot()?;
        let (r, state) = (snap.reader(), snap.view().state);
        let bank = coll::get(r, state, self.bank)?.expect("BROKEN: the bank is gone");
        let (mut n, mut sum, mut made) = (0, 0, vec![0; 2 * WRITERS]);
        for entry in Iter::new(r, bank)? {
            let (k, v) = entry?;
            let (k, v) = (word::int(k).expect("a key"), word::int(v).expect("a number"));
            if k < 1000 {
                (n, sum) = (n + 1, sum + v);
            } else {
                made[k as usize - 1000] = v;
            }
        }
        let version = snap.view().version;
        assert_eq!(
            (n, sum),
            (ACCOUNTS, ACCOUNTS * EACH),
            "BROKEN: version {version} has lost or made money"
        );
        for (i, &atom) in self.own.iter().enumerate() {
            made[WRITERS + i] =
                word::int(coll::get(r, state, atom)?.expect("BROKEN: an atom is gone")).expect("a number");
        }
        Ok(made)
    }

    fn transfer(&self, id: i64, from: i64, to: i64) -> Result<i64> {
        let made = transact(&self.slab, |t| {
            let mut m = t.get(self.bank)?.expect("the bank");
            let mut now = 0;
            for (key, change) in [(from, -1), (to, 1), (1000 + id, 1)] {
                m = t.write(|w| {
                    let (key, hash) = (int(key), hash_word(w.reader(), int(key))?);
                    now =
                        word::int(map::get(w.reader(), m, key, hash)?.expect("an account")).expect("a number") + change;
                    map::assoc(w, 0, m, key, hash, int(now))
                })?;
            }
            t.set(self.bank, m)?;
            Ok(now)
        })?;
        Ok(made.0)
    }

    fn count(&self, id: usize) -> Result<i64> {
        let made = transact(&self.slab, |t| {
            let n = word::int(t.get(self.own[id])?.expect("the atom")).expect("a number") + 1;
            t.set(self.own[id], int(n))?;
            Ok(n)
        })?;
        Ok(made.0)
    }
}

/// Every commit that was told before the read is in it, and nothing that was seen is gone.
fn check(told: &[i64], seen: &mut Vec<i64>, made: Vec<i64>) {
    for i in 0..2 * WRITERS {
        assert!(
            made[i] >= told[i],
            "BROKEN: {} of {i} were told, {} are there",
            told[i],
            made[i]
        );
        assert!(
            made[i] >= seen[i],
            "BROKEN: {} of {i} were seen, {} are there",
            seen[i],
            made[i]
        );
    }
    *seen = made;
}

fn told_now(told: &Told) -> Vec<i64> {
    (0..WRITERS).chain(8..8 + WRITERS).map(|i| told.get(i)).collect()
}

fn work(folder: &Path, writes: bool, id: usize) -> Result<()> {
    let told = Told::open(folder);
    let bank = Bank::open(folder)?;
    let mut seen = vec![0; 2 * WRITERS];
    let mut x = (std::process::id() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for done in 1.. {
        let before = told_now(&told);
        check(&before, &mut seen, bank.read()?);
        for _ in 0..if writes { 10 } else { 0 } {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            told.set(
                id,
                bank.transfer(
                    id as i64,
                    (x >> 33) as i64 % ACCOUNTS,
                    (x >> 11 & 0xFFFFF) as i64 % ACCOUNTS,
                )?,
            );
            told.set(8 + id, bank.count(id)?);
        }
        told.set(16 + id + if writes { 0 } else { WRITERS }, done);
    }
    unreachable!()
}

struct Worker {
    name: String,
    command: Vec<String>,
    slot: usize,
    child: Child,
    folder: PathBuf,
}

impl Worker {
    fn start(folder: &Path, told: &Told, name: String, command: Vec<String>, slot: usize) -> Worker {
        told.set(16 + slot, 0);
        let child = Worker::spawn(folder, &name, &command);
        Worker {
            name,
            command,
            slot,
            child,
            folder: folder.into(),
        }
    }

    fn spawn(folder: &Path, name: &str, command: &[String]) -> Child {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join(name))
            .expect("a log");
        let mut c = Command::new(&command[0]);
        c.args(&command[1..])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("dup"))
            .stderr(log);
        c.spawn().unwrap_or_else(|e| panic!("{}: {e}", command[0]))
    }

    fn signal(&self, signal: i32) {
        // SAFETY: our own child, which we have not waited for.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    /// It must have been alive until now.
    fn kill(&mut self) {
        self.alive();
        self.signal(libc::SIGKILL);
        let status = self.child.wait().expect("wait");
        assert_eq!(
            status.signal(),
            Some(libc::SIGKILL),
            "{} ended with {status}: {}",
            self.name,
            self.log()
        );
    }

    fn alive(&mut self) {
        if let Some(status) = self.child.try_wait().expect("wait") {
            panic!("{} ended with {status}: {}", self.name, self.log());
        }
    }

    fn restart(&mut self, told: &Told) {
        told.set(16 + self.slot, 0);
        self.child = Worker::spawn(&self.folder, &self.name, &self.command);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join(&self.name)).unwrap_or_default()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Driver {
    folder: PathBuf,
    told: Told,
    workers: Vec<Worker>,
    seed: u64,
    kills: u64,
    stops: u64,
    together: u64,
    seen: Vec<i64>,
}

impl Driver {
    fn random(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.seed >> 33) % below
    }

    /// Has the worker opened the slab and done something?
    fn ready(&self, w: usize) -> bool {
        self.told.get(16 + self.workers[w].slot) > 0
    }

    /// Waits until all workers but `stopped`, those that were at work already, have done more.
    fn others_go_on(&mut self, stopped: usize) {
        let others: Vec<usize> = (0..self.workers.len())
            .filter(|&w| w != stopped && self.ready(w))
            .collect();
        let was: Vec<i64> = others
            .iter()
            .map(|&w| self.told.get(16 + self.workers[w].slot))
            .collect();
        let end = Instant::now() + Duration::from_secs(60);
        for (&w, was) in others.iter().zip(was) {
            while self.told.get(16 + self.workers[w].slot) < was + 2 {
                self.workers[w].alive();
                let stopped = &self.workers[stopped].name;
                assert!(
                    Instant::now() < end,
                    "{} has waited a minute for {stopped}, which is stopped",
                    self.workers[w].name
                );
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    fn check(&mut self) {
        let before = told_now(&self.told);
        let bank = Bank::open(&self.folder).expect("open");
        check(&before, &mut self.seen, bank.read().expect("read"));
        bank.slab.close().expect("close");
    }

    fn event(&mut self) {
        let n = self.workers.len() as u64;
        let mut victim = self.random(n) as usize;
        if self.workers[victim].command.len() > 5 && self.random(3) > 0 {
            // The runtimes that take long to start: less often, or they would hardly work.
            victim = self.random(4) as usize;
        }
        match self.random(20) {
            0 if self.random(2) == 0 => {
                self.workers.iter_mut().for_each(|w| w.alive());
                self.workers.iter_mut().for_each(Worker::kill);
                self.kills += n;
                self.together += 1;
                self.check();
                for w in &mut self.workers {
                    w.restart(&self.told);
                }
            }
            1..=5 if self.ready(victim) => {
                self.workers[victim].alive();
                self.workers[victim].signal(libc::SIGSTOP);
                self.stops += 1;
                self.others_go_on(victim);
                if self.random(2) == 0 {
                    self.workers[victim].signal(libc::SIGCONT);
                } else {
                    self.kill(victim);
                }
            }
            _ => self.kill(victim),
        }
    }

    fn kill(&mut self, victim: usize) {
        self.workers[victim].kill();
        self.kills += 1;
        self.others_go_on(victim);
        self.workers[victim].restart(&self.told);
    }
}

/// Starts the four writers and four readers.
fn start_all(folder: &Path, told: &Told) -> Vec<Worker> {
    let me = std::env::current_exe()
        .expect("our name")
        .to_str()
        .expect("UTF-8")
        .to_owned();
    let text = folder.to_str().expect("UTF-8");
    let other = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|c| c.split(' ').map(String::from).collect::<Vec<_>>())
    };
    let (jvm, node) = (other("EVE_JVM"), other("EVE_NODE"));
    [
        (0, "rust"),
        (1, "rust"),
        (4, "rust"),
        (5, "rust"),
        (2, "jvm"),
        (3, "node"),
        (6, "jvm"),
        (7, "node"),
    ]
    .into_iter()
    .map(|(slot, kind)| {
        let (role, id) = if slot < WRITERS {
            ("write", slot)
        } else {
            ("read", slot - WRITERS)
        };
        let own = Some(vec![me.clone(), "worker".into()]);
        let command = match kind {
            "jvm" => jvm.clone().or(own),
            "node" => node.clone().or(own),
            _ => own,
        };
        let mut command = command.expect("a command");
        command.extend([text.into(), role.into(), id.to_string()]);
        Worker::start(folder, told, format!("{kind}-{role}-{id}"), command, slot)
    })
    .collect()
}

fn drive(folder: &Path, kills: u64, seconds: u64, seed: u64) {
    let bank = Bank::open(folder).expect("open");
    bank.init().expect("init");
    bank.slab.close().expect("close");
    drop(bank);
    let told = Told::open(folder);
    let workers = start_all(folder, &told);
    let seen = vec![0; 2 * WRITERS];
    let mut d = Driver {
        folder: folder.into(),
        told,
        workers,
        seed,
        kills: 0,
        stops: 0,
        together: 0,
        seen,
    };
    // At the start all should be at work.
    let end = Instant::now() + Duration::from_secs(120);
    while !(0..8).all(|w| d.ready(w)) {
        d.workers.iter_mut().for_each(Worker::alive);
        assert!(Instant::now() < end, "a worker doesn't start");
        std::thread::sleep(Duration::from_millis(10));
    }
    let began = Instant::now();
    while d.kills < kills || began.elapsed() < Duration::from_secs(seconds) {
        let pause = d.random(40);
        std::thread::sleep(Duration::from_millis(pause));
        d.event();
    }
    d.workers.iter_mut().for_each(Worker::kill);
    d.check();
    let bank = Bank::open(folder).expect("open");
    let used = bank.slab.map().backed();
    let left = support::allocated(&bank.slab).len();
    // Both superblocks tell of the last version then, and nobody holds another.
    bank.slab.sync().expect("sync");
    bank.slab.gc().expect("gc");
    support::assert_exact(&bank.slab);
    let report = eve::tools::verify(&bank.slab, &mut eve::tools::quiet).expect("verify");
    assert!(report.findings.is_empty(), "BROKEN: {:?}", report.findings.list);
    assert_eq!(
        report.unreachable_objects, 0,
        "BROKEN: a trace leaves what nobody reaches"
    );
    println!(
        "{} kills, {} stops, {} times all at once; {:?} commits; {} objects, {} before the trace; {} MiB",
        d.kills,
        d.stops,
        d.together,
        d.seen,
        report.allocated_objects,
        left,
        used >> 20
    );
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| args[i].parse::<u64>().expect("a number");
    if args[0] == "worker" {
        if let Err(e) = work(args[1].as_ref(), args[2] == "write", number(3) as usize) {
            eprintln!("worker: {e}");
            std::process::exit(1);
        }
        return;
    }
    drive(args[0].as_ref(), number(1), number(2), number(3));
}
