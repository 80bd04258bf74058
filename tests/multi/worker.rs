//! worker FILE SECONDS SEED: moves money between the accounts of the atom :multi/bank, one unit a transaction, adds 1 to :multi/moves with each, and
//! checks on every read that the money is all there. Prints how many moves and reads it made. The same in Clojure and JavaScript beside it.
//! worker FILE init ACCOUNTS: makes the atoms. worker FILE check MOVES: checks the totals.

use eve::coll::{self, iter::Iter, map};
use eve::value::{hash_word, word};
use eve::{transact, Options, Result, Slab};
use std::time::{Duration, Instant};

const EACH: i64 = 100;

struct Bank {
    slab: Slab,
    bank: u64,
    moves: u64,
}

fn int(i: i64) -> u64 {
    word::from_int(i).expect("small")
}

impl Bank {
    fn open(path: &str) -> Result<Bank> {
        let slab = Slab::open(path.as_ref(), &Options::default())?;
        let bank = slab.intern(0, Some(b"multi"), b"bank")?;
        let moves = slab.intern(0, Some(b"multi"), b"moves")?;
        Ok(Bank { slab, bank, moves })
    }

    fn init(&self, accounts: i64) -> Result<()> {
        transact(&self.slab, |t| {
            let m = t.write(|w| {
                let token = w.new_token();
                let mut m = eve::slab::layout::EMPTY_MAP;
                for i in 0..accounts {
                    m = map::assoc(w, token, m, int(i), hash_word(w.reader(), int(i))?, int(EACH))?;
                }
                Ok::<u64, eve::Error>(m)
            })?;
            t.set(self.bank, m)?;
            t.set(self.moves, int(0))
        })?;
        Ok(())
    }

    /// Checks one version; returns its number of accounts and moves.
    fn read(&self) -> Result<(i64, i64)> {
        let snap = self.slab.snapshot()?;
        let (r, state) = (snap.reader(), snap.view().state);
        let bank = coll::get(r, state, self.bank)?.expect("the bank is there");
        let moves = word::int(coll::get(r, state, self.moves)?.expect("the moves are there")).expect("an integer");
        let (mut n, mut sum) = (0, 0);
        for entry in Iter::new(r, bank)? {
            n += 1;
            sum += word::int(entry?.1).expect("an integer");
        }
        assert_eq!(sum, n * EACH, "version {} has lost or made money", snap.view().version);
        assert_eq!(n as u32, coll::count(r, bank)? as u32);
        Ok((n, moves))
    }

    fn transfer(&self, from: i64, to: i64) -> Result<()> {
        transact(&self.slab, |t| {
            let mut m = t.get(self.bank)?.expect("the bank is there");
            for (account, change) in [(from, -1), (to, 1)] {
                let key = int(account);
                m = t.write(|w| {
                    let hash = hash_word(w.reader(), key)?;
                    let now = word::int(map::get(w.reader(), m, key, hash)?.expect("an account")).expect("an integer");
                    map::assoc(w, 0, m, key, hash, int(now + change))
                })?;
            }
            t.set(self.bank, m)?;
            let moves = word::int(t.get(self.moves)?.expect("the moves are there")).expect("an integer");
            t.set(self.moves, int(moves + 1))
        })?;
        Ok(())
    }

    fn work(&self, seconds: u64, seed: u64) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(seconds);
        let (mut x, mut moves, mut reads) = (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, 0u64, 0u64);
        while Instant::now() < end {
            let (accounts, _) = self.read()?;
            reads += 1;
            for _ in 0..20 {
                x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                self.transfer((x >> 33) as i64 % accounts, (x >> 11 & 0xFFFFF) as i64 % accounts)?;
                moves += 1;
            }
        }
        println!("{moves} moves {reads} reads");
        Ok(())
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let run = || -> Result<()> {
        let bank = Bank::open(&args[1])?;
        match args[2].as_str() {
            "init" => bank.init(args[3].parse().expect("a number")),
            "check" => {
                let (accounts, moves) = bank.read()?;
                assert_eq!(moves, args[3].parse::<i64>().expect("a number"), "moves were lost");
                println!("{accounts} accounts, {moves} moves");
                Ok(())
            }
            seconds => bank.work(seconds.parse().expect("seconds"), args[3].parse().expect("a seed")),
        }
    };
    if let Err(e) = run() {
        eprintln!("worker: {e}");
        std::process::exit(1);
    }
}
