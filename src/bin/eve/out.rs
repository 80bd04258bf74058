//! What all commands share: failures and exit statuses, output, opening slabs, progress.

use eve::durable::superblock;
use eve::{Error, Options, Slab};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::path::Path;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum Failure {
    /// The answer is no. The report says it already, if there is no text.
    No(Option<String>),
    /// Wrong arguments or input.
    Usage(String),
    /// A slab or file.
    System(String),
    Interrupted,
    /// Nobody reads our output any more.
    Pipe,
}

pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub fn no(text: impl Into<String>) -> Failure {
        Failure::No(Some(text.into()))
    }

    pub fn usage(text: impl Into<String>) -> Failure {
        Failure::Usage(text.into())
    }

    pub fn status(&self) -> u8 {
        match self {
            Failure::Pipe => 0,
            Failure::No(_) => 1,
            Failure::Usage(_) => 2,
            Failure::System(_) => 3,
            Failure::Interrupted => 130,
        }
    }

    pub fn text(&self) -> Option<String> {
        match self {
            Failure::No(text) => text.clone(),
            Failure::Usage(text) | Failure::System(text) => Some(text.clone()),
            Failure::Interrupted | Failure::Pipe => None,
        }
    }
}

impl From<Error> for Failure {
    fn from(e: Error) -> Failure {
        match e {
            // An operation that doesn't apply to the value that is there.
            Error::Type(d) => Failure::no(d.what),
            Error::Arg(d) => Failure::no(d.what),
            Error::Buffer(d) => Failure::usage(d.what),
            e => Failure::System(e.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Failure {
        match e.kind() {
            io::ErrorKind::BrokenPipe => Failure::Pipe,
            _ => Failure::System(e.to_string()),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(e: serde_json::Error) -> Failure {
        match e.io_error_kind() {
            Some(kind) => io::Error::from(kind).into(),
            None => Failure::usage(format!("the JSON can't be read: {e}")),
        }
    }
}

/// Colours text on a terminal, unless the user wants none (<https://no-color.org>).
fn paint(to: &impl IsTerminal, code: &str, text: &str) -> String {
    if to.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.into()
    }
}

/// Green on a terminal.
pub fn good(text: &str) -> String {
    paint(&io::stdout(), "32", text)
}

/// Red on a terminal.
pub fn bad(text: &str) -> String {
    paint(&io::stdout(), "31", text)
}

/// Writes to standard error what went wrong. If nobody reads that, there is nothing left to do.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{} {text}", paint(&io::stderr(), "31", "eve:"));
}

/// Writes a remark to standard error.
pub fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "eve: {text}");
}

/// Standard output, buffered. To be flushed.
pub fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Prints a report as JSON.
pub fn print_json(report: &serde_json::Value) -> Outcome {
    let mut out = stdout();
    serde_json::to_writer_pretty(&mut out, report)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// A number of bytes for people.
pub fn bytes(n: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut x = n as f64;
    let mut unit = 0;
    while x >= 1024.0 && unit + 1 < units.len() {
        x /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{n} B")
    } else {
        format!("{x:.1} {}", units[unit])
    }
}

/// Opens an existing slab for writing.
pub fn open(path: &Path) -> Outcome<Slab> {
    let options = Options {
        create: false,
        ..Options::default()
    };
    Ok(Slab::open(path, &options)?)
}

fn open_reading(path: &Path) -> eve::Result<Slab> {
    let options = Options {
        read_only: true,
        ..Options::default()
    };
    Slab::open(path, &options)
}

/// Opens a slab read-only, or, if programs have it open for writing, as one of them.
pub fn look(path: &Path) -> Outcome<Slab> {
    match open_reading(path) {
        Err(Error::Locked(_)) => open(path),
        other => Ok(other?),
    }
}

/// Opens a slab to read its latest version. A slab that was not closed, as its last user was killed, may have a later version than a read-only
/// opening sees: it is opened for writing if that is allowed. A backup stays as it is.
pub fn read(path: &Path) -> Outcome<Slab> {
    let slab = match open_reading(path) {
        Err(Error::Locked(_)) => return open(path),
        other => other?,
    };
    // A slab in use says so in the best of its superblocks.
    let closed = superblock::valid(slab.map(), &slab.ident().uuid)
        .first()
        .is_some_and(|(_, s)| s.clean);
    if closed || eve::tools::is_backup(&slab)? {
        return Ok(slab);
    }
    drop(slab);
    let options = Options {
        create: false,
        ..Options::default()
    };
    match Slab::open(path, &options) {
        Err(Error::Permission(_)) => {
            remark("the slab was not closed and can't be opened for writing: this is its last version that was synced");
            Ok(open_reading(path)?)
        }
        other => Ok(other?),
    }
}

/// A bar on standard error, if that is a terminal.
pub struct Bar(ProgressBar);

impl Bar {
    pub fn new() -> Bar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg:12} {wide_bar} {percent:>3} % {eta:>4}");
        bar.set_style(style.expect("the template is fixed"));
        Bar(bar)
    }

    pub fn set(&self, step: &'static str, done: u64, all: u64) {
        self.0.set_length(all.max(done));
        self.0.set_position(done);
        self.0.set_message(step);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
