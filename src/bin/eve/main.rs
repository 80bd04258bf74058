//! The command `eve`: what people do with a slab from a shell.
//!
//! Each file beside this one is a group of commands. They use the library's public API, as any program does.

mod atoms;
mod care;
mod dump;
mod edn;
mod gc;
mod json;
mod live;
mod names;
mod out;
mod selftest;
mod stat;

use clap::{Parser, Subcommand};
use out::{Failure, Outcome};
use std::process::ExitCode;

const AFTER: &str = "\
Exit status:
  0  done
  1  the answer is no: findings, no such atom or value, an operation that does not apply, a failed self-test
  2  wrong arguments, or EDN or JSON that cannot be read
  3  a slab or file cannot be opened, read or written
  130  interrupted

Atoms and keys are EDN: eve get app.slab :users '[42 :name]'";

/// Looks into slabs of eve, changes them and takes care of them.
#[derive(Parser)]
#[command(version, after_help = AFTER, max_term_width = 120)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Create(care::Create),
    Stat(stat::Stat),
    Get(atoms::Get),
    Set(atoms::Set),
    Update(atoms::Update),
    Dump(dump::Dump),
    Load(dump::Load),
    Verify(care::Verify),
    Gc(gc::Gc),
    Backup(care::Backup),
    Compact(care::Compact),
    Watch(live::Watch),
    Top(live::Top),
    Selftest(selftest::Selftest),
}

fn run(command: Command) -> Outcome {
    match command {
        Command::Create(c) => c.run(),
        Command::Stat(c) => c.run(),
        Command::Get(c) => c.run(),
        Command::Set(c) => c.run(),
        Command::Update(c) => c.run(),
        Command::Dump(c) => c.run(),
        Command::Load(c) => c.run(),
        Command::Verify(c) => c.run(),
        Command::Gc(c) => c.run(),
        Command::Backup(c) => c.run(),
        Command::Compact(c) => c.run(),
        Command::Watch(c) => c.run(),
        Command::Top(c) => c.run(),
        Command::Selftest(c) => c.run(),
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough.
        Err(Failure::Pipe) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(text) = failure.text() {
                out::complain(&text);
            }
            ExitCode::from(failure.status())
        }
    }
}
