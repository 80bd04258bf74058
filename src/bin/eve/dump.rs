//! dump and load: all atoms as EDN or JSON, written and read as a stream.

use crate::edn::{self, Edn};
use crate::out::{self, Bar, Failure, Outcome};
use crate::{atoms, json};
use clap::{Args, ValueEnum};
use eve::coll::iter::Iter;
use eve::slab::mapping::Reader;
use eve::value::word::{kind, Kind};
use eve::value::{build, print};
use eve::{transact, Error, Options, Slab};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

/// Bytes of build buffers that one transaction of a load takes.
const BATCH: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// All types of values, exactly
    Edn,
    /// What JSON has: keywords, symbols, characters, dates and UUIDs become texts, sets and lists arrays, keys texts
    Json,
}

/// Writes all atoms as EDN or JSON
#[derive(Args)]
#[command(
    after_help = "Examples:\n  eve dump app.slab > app.edn\n  eve dump app.slab --format json --output app.json\n  eve dump app.slab :users :counter"
)]
pub struct Dump {
    /// The slab
    file: PathBuf,
    /// Only these atoms, in EDN
    atoms: Vec<String>,
    /// How to write
    #[arg(long, default_value = "edn")]
    format: Format,
    /// A new file for it, instead of standard output
    #[arg(long, short)]
    output: Option<PathBuf>,
}

/// Reads atoms from EDN or JSON, as `dump` writes them: those of the same name are replaced, others stay
///
/// The file is one map from atoms to values. From JSON the atoms' names are keywords and other keys texts, unless --keywords is given. Atoms are
/// committed one after the other, or some at once: after an error those before it are there.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  eve load app.slab app.edn\n  eve dump old.slab | eve load new.slab --create\n  \
eve load app.slab data.json --format json --keywords"
)]
pub struct Load {
    /// The slab
    file: PathBuf,
    /// The file to read; standard input without one
    input: Option<PathBuf>,
    /// How it is written
    #[arg(long, default_value = "edn")]
    format: Format,
    /// Make the slab if it is missing
    #[arg(long)]
    create: bool,
    /// Make keywords of the keys of JSON objects
    #[arg(long)]
    keywords: bool,
}

/// Writes a value as EDN, piece by piece.
pub fn write_edn(r: Reader, word: u64, out: &mut impl Write) -> Outcome {
    write_at(r, word, out, 0)
}

fn write_at(r: Reader, word: u64, out: &mut impl Write, depth: usize) -> Outcome {
    let (open, close) = match kind(r, word)? {
        Kind::Map => ("{", "}"),
        Kind::Set => ("#{", "}"),
        Kind::Vector => ("[", "]"),
        Kind::List => ("(", ")"),
        _ => return Ok(out.write_all(print::to_edn(r, word)?.as_bytes())?),
    };
    if depth >= eve::slab::layout::DEPTH_MAX {
        return Err(Error::limit("a value is nested deeper than 1024 levels").into());
    }
    let is_map = open == "{";
    out.write_all(open.as_bytes())?;
    for (i, item) in Iter::new(r, word)?.enumerate() {
        let (key, value) = item?;
        match (i, is_map) {
            (0, _) => {}
            (_, true) => out.write_all(b", ")?,
            (_, false) => out.write_all(b" ")?,
        }
        write_at(r, key, out, depth + 1)?;
        if is_map {
            out.write_all(b" ")?;
            write_at(r, value, out, depth + 1)?;
        }
    }
    Ok(out.write_all(close.as_bytes())?)
}

impl Dump {
    pub fn run(self) -> Outcome {
        let names = self.atoms.iter().map(|a| edn::one(a)).collect::<Result<Vec<_>, _>>()?;
        let slab = out::read(&self.file)?;
        match &self.output {
            None => self.write(&slab, &names, &mut out::stdout()),
            Some(path) => {
                let file = File::create_new(path)
                    .map_err(|e| Failure::System(format!("{} can't be made: {e}", path.display())))?;
                self.write(&slab, &names, &mut BufWriter::new(file))
            }
        }
    }

    fn write(&self, slab: &Slab, names: &[Vec<u8>], out: &mut impl Write) -> Outcome {
        let snapshot = slab.snapshot()?;
        let r = snapshot.reader();
        let mut list = Vec::new();
        for (text, name) in self.atoms.iter().zip(names) {
            match eve::txn::ops::get_built(slab, snapshot.view().state, name)? {
                Some(value) => list.push((text.clone(), value)),
                None => {
                    return Err(Failure::no(format!(
                        "there is no atom {text}; `eve stat` lists the atoms"
                    )))
                }
            }
        }
        if names.is_empty() {
            for (name, value) in atoms::all(&snapshot)? {
                list.push((print::to_edn(r, name)?, value));
            }
        }
        let bar = Bar::new();
        let mut keys = json::Keys::default();
        out.write_all(b"{")?;
        for (i, (name, value)) in list.iter().enumerate() {
            if self.format == Format::Edn {
                out.write_all(if i == 0 { b"" } else { b"\n " })?;
                write!(out, "{name} ")?;
                write_edn(r, *value, out)?;
            } else {
                out.write_all(if i == 0 { b"\n" } else { b",\n" })?;
                json::write_key(keys.add(name.strip_prefix(':').unwrap_or(name))?, out)?;
                json::write(r, *value, out)?;
            }
            bar.set("atoms", i as u64 + 1, list.len() as u64);
        }
        out.write_all(if self.format == Format::Edn { b"}\n" } else { b"\n}\n" })?;
        Ok(out.flush()?)
    }
}

/// Atoms that are collected for one transaction.
struct Batch<'a> {
    slab: &'a Slab,
    atoms: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
    count: u64,
}

impl Batch<'_> {
    fn add(&mut self, name: Vec<u8>, value: Vec<u8>) -> Outcome {
        self.bytes += name.len() + value.len();
        self.count += 1;
        self.atoms.push((name, value));
        if self.bytes >= BATCH || self.atoms.len() >= 256 {
            self.commit()?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Outcome {
        transact(self.slab, |t| {
            for (name, value) in &self.atoms {
                let (name, value) = t.write(|w| Ok::<_, Error>((build::value(w, name)?, build::value(w, value)?)))?;
                t.set(name, value)?;
            }
            Ok(())
        })?;
        self.atoms.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// Counts what is read, for the bar.
struct Counted<'a, R> {
    input: R,
    read: u64,
    size: u64,
    bar: &'a Bar,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.read += n as u64;
        if self.size > 0 {
            self.bar.set("reading", self.read, self.size);
        }
        Ok(n)
    }
}

impl Load {
    pub fn run(self) -> Outcome {
        let (input, size): (Box<dyn Read>, u64) = match &self.input {
            None => (Box::new(io::stdin().lock()), 0),
            Some(path) => {
                let file = File::open(path)
                    .map_err(|e| Failure::System(format!("{} can't be opened: {e}", path.display())))?;
                let size = file.metadata()?.len();
                (Box::new(file), size)
            }
        };
        let bar = Bar::new();
        let input = BufReader::with_capacity(
            1 << 16,
            Counted {
                input,
                read: 0,
                size,
                bar: &bar,
            },
        );
        let options = Options {
            create: self.create,
            ..Options::default()
        };
        let slab = Slab::open(&self.file, &options)?;
        let mut batch = Batch {
            slab: &slab,
            atoms: Vec::new(),
            bytes: 0,
            count: 0,
        };
        let loaded = match self.format {
            Format::Edn => load_edn(input, &mut batch),
            Format::Json => json::read(input, self.keywords, &mut |name, value| batch.add(name, value)),
        };
        // What came before an error is kept, as the help says.
        let committed = batch.commit();
        let count = batch.count;
        let closed = slab.close();
        loaded?;
        committed?;
        closed?;
        drop(bar);
        let mut out = out::stdout();
        writeln!(out, "{count} atoms loaded")?;
        Ok(out.flush()?)
    }
}

fn load_edn(input: impl BufRead, batch: &mut Batch) -> Outcome {
    let mut edn = Edn::new(input);
    edn.open_map()?;
    while let Some(name) = edn.element(b'}', 1)? {
        match edn.element(b'}', 1)? {
            Some(value) => batch.add(name, value)?,
            None => edn.fail("an atom has no value")?,
        }
    }
    match edn.value(&mut Vec::new(), 0)? {
        true => Ok(edn.fail("something follows the map of atoms")?),
        false => Ok(()),
    }
}
