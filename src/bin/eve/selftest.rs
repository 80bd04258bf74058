//! selftest: does a folder's file system do what slabs need?
//!
//! Other processes are this program again, with a hidden argument.

use crate::out::{self, Failure, Outcome};
use clap::Args;
use eve::slab::layout::EMPTY_MAP;
use eve::sys::{self, FileSystem, LockKind, Region};
use eve::value::word;
use eve::{transact, Options, Slab};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::time::Duration;

/// A byte to lock, beyond any data.
const BYTE: u64 = 1 << 62;
/// Where the file is looked at beyond its end.
const BEYOND: u64 = 64 << 20;
const PROCESSES: u64 = 3;
const COMMITS: u64 = 300;
const PATIENCE: Duration = Duration::from_secs(30);

/// Checks that the file system of a folder does what slabs need, with several processes, in some seconds
#[derive(Args)]
#[command(after_help = "Example:\n  eve selftest /var/lib/app")]
pub struct Selftest {
    /// The folder in which slabs are to lie; it is left as it was
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// What another process does for a test
    #[arg(long, hide = true)]
    role: Option<String>,
}

/// The answer of a test: what it saw. The error says what is missing and what to do.
type Answer = Result<String, String>;

/// A folder of our own in the user's, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(folder: &Path) -> io::Result<Scratch> {
        let random: String = sys::random()?.iter().map(|b| format!("{b:02x}")).collect();
        let path = folder.join(format!(".eve-selftest-{random}"));
        std::fs::create_dir(&path)?;
        Ok(Scratch(path))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The tests have reported by now.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Another process of a test, killed if it is still there when the test ends.
struct Other(Child);

impl Other {
    fn start(role: &str, file: &Path) -> io::Result<Other> {
        let child = Command::new(std::env::current_exe()?)
            .args(["selftest", "--role", role])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Other(child))
    }

    /// Waits for a line.
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if let Some(out) = self.0.stdout.as_mut() {
            BufReader::new(out).read_line(&mut line)?;
        }
        Ok(line.trim().to_owned())
    }

    fn end(mut self) -> io::Result<bool> {
        drop(self.0.stdin.take());
        Ok(self.0.wait()?.success())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It has ended already in most cases.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(e: impl std::fmt::Display) -> String {
    e.to_string()
}

impl Selftest {
    pub fn run(self) -> Outcome {
        if let Some(role) = &self.role {
            return play(role, &self.folder);
        }
        let named = |e: io::Error| Failure::System(format!("{} can't be used: {e}", self.folder.display()));
        let file_system = File::open(&self.folder)
            .and_then(|f| sys::file_system(&f))
            .map_err(named)?;
        let remote = match file_system {
            FileSystem::Remote(kind) => Err(format!(
                "{kind}: processes on it can't share memory reliably. Slabs are refused here; take a local disk or /dev/shm"
            )),
            FileSystem::Memory => Ok("memory: slabs are gone with the machine".into()),
            FileSystem::Overlay => Ok("an overlay: it works, but a volume is better".into()),
            FileSystem::Local => Ok("a local one".into()),
        };
        let go_on = remote.is_ok();
        let mut answers: Vec<(&str, Answer)> = vec![("file system", remote)];
        if go_on {
            let scratch = Scratch::new(&self.folder).map_err(named)?;
            type Test = fn(&Scratch) -> Answer;
            let tests: [(&str, Test); 7] = [
                ("allocation", allocation),
                ("names", names),
                ("locks", locks),
                ("growing mappings", mappings),
                ("waking", waking),
                ("commits", commits),
                ("death", death),
            ];
            answers.extend(tests.iter().map(|(name, test)| (*name, test(&scratch))));
        }
        self.report(&answers)
    }

    fn report(&self, answers: &[(&str, Answer)]) -> Outcome {
        let failed = answers.iter().filter(|a| a.1.is_err()).count();
        if self.json {
            let tests = answers.iter().map(|(name, a)| {
                let (Ok(text) | Err(text)) = a;
                json!({"test": name, "ok": a.is_ok(), "text": text})
            });
            out::print_json(&json!({"ok": failed == 0, "tests": tests.collect::<Vec<_>>()}))?;
        } else {
            let mut out = out::stdout();
            for (name, answer) in answers {
                match answer {
                    Ok(text) => writeln!(out, "{}  {name:17} {text}", out::good("ok    "))?,
                    Err(text) => writeln!(out, "{}  {name:17} {text}", out::bad("FAILED"))?,
                }
            }
            out.flush()?;
        }
        match failed {
            0 => Ok(()),
            _ => Err(Failure::No(None)),
        }
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn allocation(s: &Scratch) -> Answer {
    let file = new_file(&s.file("allocation")).map_err(text)?;
    match sys::allocate(&file, 0, 1 << 20).map_err(text)? {
        true => Ok("ranges can be allocated".into()),
        false => Ok("ranges can't be allocated: zeros are written instead, which is slower".into()),
    }
}

fn names(s: &Scratch) -> Answer {
    let path = s.file("named");
    let nameless = File::options()
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(libc::O_TMPFILE)
        .open(&s.0);
    let dir = File::open(&s.0).map_err(text)?;
    let how = match nameless {
        Ok(file) => {
            file.write_all_at(b"whole", 0).map_err(text)?;
            file.sync_data().map_err(text)?;
            match sys::link_nameless(&file, &dir, "named".as_ref()) {
                Ok(()) => "files appear whole, without a temporary name",
                Err(e) if e.kind() == io::ErrorKind::NotFound => "files appear whole, by a temporary name (no /proc)",
                Err(e) => return Err(format!("a nameless file can't be given a name: {e}")),
            }
        }
        Err(_) => "files appear whole, by a temporary name",
    };
    if !path.exists() {
        new_file(&path).map_err(text)?;
    }
    let temporary = s.file("temporary");
    new_file(&temporary).map_err(text)?;
    match std::fs::hard_link(&temporary, &path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(format!("files can't be given a second name (link): {e}")),
        Ok(()) => {
            return Err("a file takes the name of another one: two creators could destroy each other's slab".into())
        }
    }
    dir.sync_all().map_err(|e| format!("the folder can't be synced: {e}"))?;
    Ok(how.into())
}

fn locks(s: &Scratch) -> Answer {
    let path = s.file("locks");
    let file = new_file(&path).map_err(text)?;
    let mut other = Other::start("lock", &path).map_err(text)?;
    if other.line().map_err(text)? != "locked" {
        return Err("another process can't lock a byte of a file (F_OFD_SETLK)".into());
    }
    if !sys::is_locked(&file, BYTE, 1).map_err(text)? || sys::try_lock(&file, BYTE, LockKind::Write).map_err(text)? {
        return Err("another process's lock isn't seen: two programs would destroy the slab".into());
    }
    other.0.kill().map_err(text)?;
    other.0.wait().map_err(text)?;
    for _ in 0..1000 {
        if sys::try_lock(&file, BYTE, LockKind::Write).map_err(text)? {
            return Ok("exclude other processes, and end with them".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Err("the lock of a killed process stays".into())
}

fn mappings(s: &Scratch) -> Answer {
    let path = s.file("mappings");
    let file = new_file(&path).map_err(text)?;
    file.write_all_at(&[1], 4095).map_err(text)?;
    let region =
        Region::shared(&file, 2 * BEYOND).map_err(|e| format!("a file can't be mapped beyond its end: {e}"))?;
    if !Other::start("grow", &path).and_then(Other::end).map_err(text)? {
        return Err("another process can't make the file grow".into());
    }
    // SAFETY: the other process has allocated the page at BEYOND (or we would have returned), which lies in the region and is aligned.
    let word = unsafe { &*region.base().add(BEYOND as usize).cast::<AtomicU64>() };
    match word.load(Acquire) {
        7 => Ok("what another process adds to a file is there at once".into()),
        _ => Err("what another process writes through its mapping isn't seen in ours".into()),
    }
}

fn counter(slab: &Slab) -> eve::Result<u64> {
    slab.intern(0, None, b"counter")
}

fn read_counter(slab: &Slab) -> eve::Result<u64> {
    let name = counter(slab)?;
    let snapshot = slab.snapshot()?;
    let value = eve::coll::get(snapshot.reader(), snapshot.view().state, name)?;
    Ok(value.and_then(word::int).unwrap_or(0) as u64)
}

fn count(slab: &Slab) -> eve::Result<()> {
    let name = counter(slab)?;
    transact(slab, |t| {
        let n = t.get(name)?.and_then(word::int).unwrap_or(0);
        t.set(name, word::from_int(n + 1).unwrap_or(EMPTY_MAP))
    })?;
    Ok(())
}

fn open_slab(path: &Path) -> Result<Slab, String> {
    Slab::open(path, &Options::default()).map_err(text)
}

fn waking(s: &Scratch) -> Answer {
    let path = s.file("waking.slab");
    let slab = open_slab(&path)?;
    let seen = slab.version().map_err(text)?;
    let mut other = Other::start("commit-later", &path).map_err(text)?;
    let woken = slab.wait(seen, Some(PATIENCE)).map_err(text)?;
    other.0.wait().map_err(text)?;
    match woken {
        Some(_) => Ok("a commit wakes those who wait in other processes".into()),
        None => Err("a commit of another process wasn't seen".into()),
    }
}

fn commits(s: &Scratch) -> Answer {
    let path = s.file("commits.slab");
    let slab = open_slab(&path)?;
    let others: Vec<Other> = (0..PROCESSES)
        .map(|_| Other::start("count", &path))
        .collect::<io::Result<_>>()
        .map_err(text)?;
    for other in others {
        if !other.end().map_err(text)? {
            return Err("a process failed to commit".into());
        }
    }
    let n = read_counter(&slab).map_err(text)?;
    if n != PROCESSES * COMMITS {
        return Err(format!("{n} of {} commits are there", PROCESSES * COMMITS));
    }
    slab.sync().map_err(text)?;
    slab.close().map_err(text)?;
    drop(slab);
    let found = read_counter(&open_slab(&path)?).map_err(text)?;
    if found != n {
        return Err("what was synced is not there after closing and opening".into());
    }
    Ok(format!("{n} by {PROCESSES} processes at once, none lost"))
}

fn death(s: &Scratch) -> Answer {
    let path = s.file("death.slab");
    let slab = open_slab(&path)?;
    let mut other = Other::start("count-on", &path).map_err(text)?;
    if other.line().map_err(text)? != "counting" {
        return Err("a process failed to commit".into());
    }
    while read_counter(&slab).map_err(text)? < COMMITS {
        std::thread::sleep(Duration::from_millis(1));
    }
    other.0.kill().map_err(text)?;
    other.0.wait().map_err(text)?;
    let before = read_counter(&slab).map_err(text)?;
    count(&slab).map_err(text)?;
    let report = eve::tools::verify(&slab, &mut eve::tools::quiet).map_err(text)?;
    if read_counter(&slab).map_err(text)? != before + 1 || !report.findings.is_empty() {
        return Err("a killed writer left the slab damaged".into());
    }
    Ok("a writer that is killed leaves a sound slab, and nobody waits for it".into())
}

/// What the other processes do.
fn play(role: &str, path: &Path) -> Outcome {
    let mut out = io::stdout();
    match role {
        "lock" => {
            let file = File::options().read(true).write(true).open(path)?;
            let locked = sys::try_lock(&file, BYTE, LockKind::Write)?;
            writeln!(out, "{}", if locked { "locked" } else { "refused" })?;
            out.flush()?;
            // Until we are killed, or the one who started us is gone.
            io::stdin().read_line(&mut String::new())?;
        }
        "grow" => {
            let file = File::options().read(true).write(true).open(path)?;
            if !sys::allocate(&file, 0, BEYOND + 4096)? {
                sys::extend_with_zeros(&file, BEYOND + 4096)?;
            }
            let region = Region::shared(&file, 2 * BEYOND)?;
            // SAFETY: the page at BEYOND was allocated just now, lies in the region and is aligned.
            unsafe { &*region.base().add(BEYOND as usize).cast::<AtomicU64>() }.store(7, Release);
        }
        "commit-later" => {
            std::thread::sleep(Duration::from_millis(100));
            count(&out::open(path)?)?;
        }
        "count" => {
            let slab = out::open(path)?;
            for _ in 0..COMMITS {
                count(&slab)?;
            }
            slab.close()?;
        }
        "count-on" => {
            let slab = out::open(path)?;
            count(&slab)?;
            writeln!(out, "counting")?;
            out.flush()?;
            loop {
                count(&slab)?;
            }
        }
        _ => return Err(Failure::usage(format!("there is no role {role}"))),
    }
    Ok(())
}
