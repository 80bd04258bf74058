//! watch and top: what goes on in a slab, as it happens.

use crate::atoms::{find, parse};
use crate::out::{self, Failure, Outcome};
use crate::stat::{holders, pins, write_holders};
use crate::{dump, json};
use clap::Args;
use crossterm::event::{poll, read, Event, KeyCode, KeyModifiers};
use crossterm::{cursor, execute, queue, terminal};
use eve::slab::layout::*;
use eve::Slab;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::time::{Duration, Instant};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// On an interrupt: the slab's waits end, and commands leave it closed.
fn on_interrupt(slab: &Slab) -> Outcome {
    let slab = slab.clone();
    ctrlc::set_handler(move || {
        INTERRUPTED.store(true, Release);
        let _ = slab.wake();
    })
    .map_err(|e| Failure::System(format!("interrupts can't be caught: {e}")))
}

/// Prints an atom, or a place in it, now and after each change, until it is interrupted
///
/// Changes that follow each other faster than they can be printed are passed over: what is printed is always a value that was current.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  eve watch app.slab :counter\n  eve watch app.slab :users '[42]' --json | while read user; do ...; done"
)]
pub struct Watch {
    /// The slab
    file: PathBuf,
    /// The atom's name, in EDN
    atom: String,
    /// A vector of keys and indices, in EDN
    #[arg(default_value = "[]")]
    path: String,
    /// End after so many values
    #[arg(long, short = 'n')]
    count: Option<u64>,
    /// Print JSON, a value a line; null if there is none
    #[arg(long)]
    json: bool,
}

impl Watch {
    pub fn run(self) -> Outcome {
        let path = parse(&self.atom, &self.path)?;
        let slab = out::open(&self.file)?;
        on_interrupt(&slab)?;
        let mut last: Option<Vec<u8>> = None;
        let (mut printed, mut seen) = (0, 0);
        while self.count.is_none_or(|n| printed < n) {
            if INTERRUPTED.load(Acquire) {
                slab.close()?;
                return Err(Failure::Interrupted);
            }
            // Before the look: a commit in between is seen next time.
            let version = slab.version()?;
            if version != seen {
                let text = self.text(&slab, &path)?;
                if last.as_ref() != Some(&text) {
                    let mut out = out::stdout();
                    out.write_all(&text)?;
                    out.flush()?;
                    last = Some(text);
                    printed += 1;
                    continue;
                }
                seen = version;
            }
            slab.wait(seen, Some(Duration::from_secs(1)))?;
        }
        Ok(slab.close()?)
    }

    fn text(&self, slab: &Slab, path: &[Vec<u8>]) -> Outcome<Vec<u8>> {
        let mut text = Vec::new();
        match find(slab, path)? {
            None if self.json => text.extend(b"null"),
            None => text.extend(b"; nothing there"),
            Some(p) if self.json => json::write(p.snapshot.reader(), p.word, &mut text)?,
            Some(p) => dump::write_edn(p.snapshot.reader(), p.word, &mut text)?,
        }
        text.push(b'\n');
        Ok(text)
    }
}

/// Shows versions a second, size, processes and pins, again and again; q ends it
///
/// Where standard output is no terminal, it prints a line each time.
#[derive(Args)]
#[command(after_help = "Examples:\n  eve top app.slab\n  eve top app.slab --interval 5 --count 12 > minute.log")]
pub struct Top {
    /// The slab
    file: PathBuf,
    /// Seconds between two looks
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    interval: f64,
    /// End after so many looks
    #[arg(long, short = 'n')]
    count: Option<u64>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(s) if (0.05..=86_400.0).contains(&s) => Ok(s),
        _ => Err("a number of seconds from 0.05 to 86400 is needed".into()),
    }
}

/// The terminal, given back as it was.
struct Screen;

impl Screen {
    fn new() -> io::Result<Screen> {
        terminal::enable_raw_mode()?;
        let screen = Screen;
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // There is no terminal any more, if these fail.
        let _ = execute!(io::stdout(), terminal::LeaveAlternateScreen, cursor::Show);
        let _ = terminal::disable_raw_mode();
    }
}

/// Draws over what is there, and clears only what is left of it: a cleared screen would flicker.
fn draw(out: &mut impl Write, text: &str, (columns, rows): (u16, u16)) -> io::Result<()> {
    let (columns, rows) = (columns as usize, (rows as usize).max(1));
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    if lines.len() > rows {
        lines.truncate(rows - 1);
        lines.push(format!("... {} more lines", text.lines().count() - lines.len()));
    }
    queue!(out, cursor::MoveTo(0, 0))?;
    for (i, line) in lines.iter().enumerate() {
        // No line end behind the last one, which may be the screen's: all would scroll.
        let cut: String = line.chars().take(columns).collect();
        write!(out, "{}{cut}", if i > 0 { "\r\n" } else { "" })?;
        if cut.chars().count() < columns {
            queue!(out, terminal::Clear(terminal::ClearType::UntilNewLine))?;
        }
    }
    queue!(out, terminal::Clear(terminal::ClearType::FromCursorDown))
}

/// One look at the slab.
struct Look {
    at: Instant,
    version: u64,
    retired: u64,
}

impl Top {
    pub fn run(self) -> Outcome {
        let slab = out::open(&self.file)?;
        on_interrupt(&slab)?;
        let screen = match io::stdout().is_terminal() {
            true => Some(Screen::new()?),
            false => None,
        };
        let mut last: Option<Look> = None;
        let mut looks = 0;
        loop {
            let lines = self.look(&slab, &mut last, screen.is_some())?;
            let mut out = out::stdout();
            match screen.is_some() {
                true => draw(&mut out, &lines, terminal::size()?)?,
                false => out.write_all(lines.as_bytes())?,
            }
            out.flush()?;
            drop(out);
            looks += 1;
            if self.count.is_some_and(|n| looks >= n) || self.pause(&slab, screen.is_some())? {
                break;
            }
        }
        drop(screen);
        slab.close()?;
        match INTERRUPTED.load(Acquire) {
            true => Err(Failure::Interrupted),
            false => Ok(()),
        }
    }

    /// Waits for the next look. True: the user has enough.
    fn pause(&self, slab: &Slab, keys: bool) -> Outcome<bool> {
        let end = Instant::now() + Duration::from_secs_f64(self.interval);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if INTERRUPTED.load(Acquire) || left.is_zero() {
                return Ok(INTERRUPTED.load(Acquire));
            }
            if !keys {
                // Ends early on an interrupt; commits don't end it, as no version is later.
                slab.wait(u64::MAX, Some(left))?;
                continue;
            }
            if !poll(left)? {
                continue;
            }
            match read()? {
                Event::Key(key) => {
                    let interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                    if interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) {
                        return Ok(true);
                    }
                }
                // What was drawn for the old size is no use.
                Event::Resize(..) => return Ok(false),
                _ => {}
            }
        }
    }

    fn look(&self, slab: &Slab, last: &mut Option<Look>, all: bool) -> Outcome<String> {
        let map = slab.map();
        let view = slab.snapshot()?.view();
        let now = Look {
            at: Instant::now(),
            version: view.version,
            retired: view.retired,
        };
        let rates = last.as_ref().map(|l| {
            let seconds = now.at.duration_since(l.at).as_secs_f64().max(1e-3);
            let per_second = |n: u64, was: u64| n.saturating_sub(was) as f64 / seconds;
            (
                per_second(now.version, l.version),
                per_second(now.retired, l.retired) as u64,
            )
        });
        *last = Some(now);
        let word = |at| map.atomic_u64(at).load(Acquire);
        let holders = holders(slab, &self.file)?;
        let pins = pins(slab, &holders);
        let oldest = pins.iter().map(|p| p.from).min().unwrap_or(view.version);
        let used = word(CONTROL_HIGH_WATER) * BLOCK_SIZE;
        let free = word(CONTROL_FREE_BLOCKS) * BLOCK_SIZE;
        // The first look knows no rates.
        let (rate, garbage) = rates.unwrap_or_default();
        if !all {
            return Ok(format!(
                "version {} {rate:.0}/s retired {}/s blocks {} free {} processes {} pins {} oldest {oldest}\n",
                view.version,
                out::bytes(garbage),
                out::bytes(used),
                out::bytes(free),
                holders.len(),
                pins.len()
            ));
        }
        let speed = match rates {
            Some(_) => format!(", {rate:.0} a second\nretired     {} a second", out::bytes(garbage)),
            None => "\nretired     ...".into(),
        };
        let mut text = format!(
            "{}   (q ends)\n\nversion     {} ({} durable){speed}\nblocks      {}, {} of them free\n\
             oldest      version {oldest} is kept, {} behind\n",
            self.file.display(),
            view.version,
            word(CONTROL_DURABLE),
            out::bytes(used),
            out::bytes(free),
            view.version.saturating_sub(oldest)
        );
        let mut list = Vec::new();
        write_holders(&mut list, &holders, &pins)?;
        text.push_str(&String::from_utf8_lossy(&list));
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, size: (u16, u16)) -> String {
        let mut out = Vec::new();
        draw(&mut out, text, size).unwrap();
        String::from_utf8(out).unwrap().replace('\x1b', "^")
    }

    #[test]
    fn a_frame_fits_the_screen_and_clears_what_was_there() {
        assert_eq!(drawn("abc\n\nd\n", (80, 3)), "^[1;1Habc^[K\r\n^[K\r\nd^[K^[J");
        assert_eq!(drawn("abcdef\n1\n2\n3\n", (5, 3)), "^[1;1Habcde\r\n1^[K\r\n... 2^[J");
        assert_eq!(drawn("1\n2\n", (80, 0)), "^[1;1H... 2 more lines^[K^[J");
    }
}
