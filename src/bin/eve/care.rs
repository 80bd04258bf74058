//! create, verify, backup, compact.

use crate::out::{self, Bar, Failure, Outcome};
use clap::Args;
use eve::tools::{self, Report};
use eve::{Error, Options, Slab};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Makes a new, empty slab
#[derive(Args)]
#[command(after_help = "Example:\n  eve create app.slab --mode 660")]
pub struct Create {
    /// The slab; nothing may be there yet
    file: PathBuf,
    /// Permissions of the file, in octal. Who may read the slab can keep writers waiting
    #[arg(long, default_value = "600", value_parser = octal)]
    mode: u32,
}

fn octal(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode & !0o666 == 0 => Ok(mode),
        _ => Err("permissions are octal, such as 600 or 660; a slab is no program".into()),
    }
}

impl Create {
    pub fn run(self) -> Outcome {
        let options = Options {
            must_be_new: true,
            mode: self.mode,
            ..Options::default()
        };
        match Slab::open(&self.file, &options) {
            Err(Error::Io(_)) if self.file.exists() => Err(Failure::System(format!(
                "{} exists already and is left as it is: choose another name",
                self.file.display()
            ))),
            other => Ok(other?.close()?),
        }
    }
}

/// Checks everything in a slab: values, hashes, order, allocation maps; of a backup also its bytes
///
/// The slab is opened read-only where nobody writes to it: what is checked then is its last durable version. A slab in use is checked at its
/// current version. A slab that is not closed (its last user was killed) can be checked at its latest version by --write, which recovers it first.
#[derive(Args)]
#[command(after_help = "Examples:\n  eve verify app.slab\n  eve verify app.backup --json | jq .findings")]
pub struct Verify {
    /// The slab
    file: PathBuf,
    /// Open for writing, and recover it if need be
    #[arg(long)]
    write: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub fn run(self) -> Outcome {
        let opened = if self.write {
            Slab::open(
                &self.file,
                &Options {
                    create: false,
                    ..Options::default()
                },
            )
        } else {
            let read_only = Options {
                read_only: true,
                ..Options::default()
            };
            match Slab::open(&self.file, &read_only) {
                Err(Error::Locked(_)) => Slab::open(
                    &self.file,
                    &Options {
                        create: false,
                        ..Options::default()
                    },
                ),
                other => other,
            }
        };
        let slab = match opened {
            // So damaged that it can't be opened: that is a finding.
            Err(e @ Error::Corrupt(_)) => return self.refused(&e),
            other => other?,
        };
        let bar = Bar::new();
        let result = tools::verify(&slab, &mut |step, done, all| bar.set(step, done, all));
        drop(bar);
        match result {
            Err(e @ Error::Corrupt(_)) => self.refused(&e),
            other => self.report(&other?),
        }
    }

    fn refused(&self, e: &Error) -> Outcome {
        if self.json {
            let finding = json!({"kind": "refused", "what": e.to_string()});
            out::print_json(&json!({"sound": false, "total": 1, "findings": [finding]}))?;
            return Err(Failure::No(None));
        }
        Err(Failure::no(e.to_string()))
    }

    fn report(&self, r: &Report) -> Outcome {
        if self.json {
            let findings = r
                .findings
                .list
                .iter()
                .map(|f| json!({"kind": f.kind.name(), "what": f.what, "offset": f.offset, "path": f.path}));
            let versions = r
                .versions
                .iter()
                .map(|v| json!({"version": v.version, "place": v.place, "checked": v.checked}));
            let counts: serde_json::Map<_, _> = r
                .findings
                .counts
                .iter()
                .map(|(k, n)| (k.name().to_owned(), json!(n)))
                .collect();
            out::print_json(&json!({
                "sound": r.findings.is_empty(),
                "total": r.findings.total(),
                "counts": counts,
                "findings": findings.collect::<Vec<_>>(),
                "versions": versions.collect::<Vec<_>>(),
                "reachable": {"objects": r.reachable_objects, "bytes": r.reachable_bytes},
                "allocated": {"objects": r.allocated_objects, "bytes": r.allocated_bytes},
                "unreachable": {"objects": r.unreachable_objects, "bytes": r.unreachable_bytes},
                "symbols": r.symbols,
                "unchecked": r.unchecked,
                "checksums": r.checksums,
            }))?;
        } else {
            self.print(r)?;
        }
        match r.findings.is_empty() {
            true => Ok(()),
            false => Err(Failure::No(None)),
        }
    }

    fn print(&self, r: &Report) -> Outcome {
        let mut out = out::stdout();
        for f in &r.findings.list {
            let place = if f.path.is_empty() {
                format!("{:#x}", f.offset)
            } else {
                format!("{}, {:#x}", f.path, f.offset)
            };
            writeln!(
                out,
                "{} {} ({place})",
                out::bad(&format!("{:10}", f.kind.name())),
                f.what
            )?;
        }
        let more = r.findings.total() - r.findings.list.len() as u64;
        if more > 0 {
            writeln!(out, "... and {more} more")?;
        }
        let versions: Vec<String> = r
            .versions
            .iter()
            .map(|v| match v.checked {
                true => format!("{} ({})", v.version, v.place),
                false => format!("{} ({}, replaced meanwhile)", v.version, v.place),
            })
            .collect();
        writeln!(out, "versions     {}", versions.join(", "))?;
        for (what, objects, bytes) in [
            ("reachable", r.reachable_objects, r.reachable_bytes),
            ("allocated", r.allocated_objects, r.allocated_bytes),
            ("unreachable", r.unreachable_objects, r.unreachable_bytes),
        ] {
            writeln!(out, "{what:12} {objects} objects, {}", out::bytes(bytes))?;
        }
        writeln!(out, "symbols      {}", r.symbols)?;
        if let Some(n) = r.checksums {
            writeln!(out, "checksums    {n} of 64 KiB each")?;
        }
        if r.unchecked > 0 {
            writeln!(
                out,
                "not checked  {} pairs of keys, which are too large to compare",
                r.unchecked
            )?;
        }
        let name = self.file.display();
        match r.findings.total() {
            0 => writeln!(out, "{}", out::good(&format!("{name} is sound")))?,
            n => writeln!(out, "{}", out::bad(&format!("{name} is damaged: {n} findings")))?,
        }
        Ok(out.flush()?)
    }
}

/// Copies a slab, which may be in use, to a new file: one consistent version, with checksums
#[derive(Args)]
#[command(
    after_help = "The copy is a slab: open it as it is. `eve verify` compares its checksums until it is first opened for writing.\n\n\
Example:\n  eve backup app.slab app.backup && eve verify app.backup"
)]
pub struct Backup {
    /// The slab
    file: PathBuf,
    /// The copy; nothing may be there yet
    to: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub fn run(self) -> Outcome {
        let slab = out::read(&self.file)?;
        let bar = Bar::new();
        let done = tools::backup(&slab, &self.to, &mut |step, done, all| bar.set(step, done, all));
        drop(bar);
        let r = done.map_err(|e| target(e, &self.to))?;
        let uuid: String = r.uuid.iter().map(|b| format!("{b:02x}")).collect();
        if self.json {
            return out::print_json(&json!({"version": r.version, "bytes": r.bytes, "uuid": uuid}));
        }
        let mut out = out::stdout();
        writeln!(out, "version {} copied, {}", r.version, out::bytes(r.bytes))?;
        Ok(out.flush()?)
    }
}

/// A file that is there is no answer of the slab but a matter of files.
fn target(e: Error, to: &Path) -> Failure {
    match e {
        Error::Arg(d) if to.exists() => Failure::System(d.what.into_owned()),
        e => e.into(),
    }
}

/// Copies the values of a slab, which may be in use, into a new slab without garbage and free room
#[derive(Args)]
#[command(
    after_help = "Versions begin anew in the copy, and it has an identity of its own. To replace the slab, close it in all programs first.\n\n\
Example:\n  eve compact app.slab small.slab"
)]
pub struct Compact {
    /// The slab
    file: PathBuf,
    /// The new slab; nothing may be there yet
    to: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Compact {
    pub fn run(self) -> Outcome {
        let slab = out::read(&self.file)?;
        let bar = Bar::new();
        let done = tools::compact(&slab, &self.to, &mut |step, done, all| bar.set(step, done, all));
        drop(bar);
        let r = done.map_err(|e| target(e, &self.to))?;
        if self.json {
            let report = json!({"version": r.version, "atoms": r.atoms, "before": r.before, "after": r.after});
            return out::print_json(&report);
        }
        let mut out = out::stdout();
        writeln!(
            out,
            "{} atoms of version {} copied: {} before, {} after",
            r.atoms,
            r.version,
            out::bytes(r.before),
            out::bytes(r.after)
        )?;
        Ok(out.flush()?)
    }
}
