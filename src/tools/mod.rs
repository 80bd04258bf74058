//! Tools over a whole slab: is it sound ([`verify`]), a consistent copy of it ([`backup`]), a smaller one ([`compact`]).
//!
//! All three work on slabs in use: they pin the version that they read. None trusts what it reads: a damaged or crafted slab gives findings or an
//! error, never a crash, and no walk recurses or goes on without end.

mod backup;
mod blocks;
mod compact;
mod findings;
mod object;
mod symbols;
mod trailer;
mod verify;
mod walk;

pub use backup::{backup, BackupReport};
pub use blocks::{census, Census, ClassCensus};
pub use compact::{compact, CompactReport};
pub use findings::{Finding, FindingKind, Findings, FINDINGS_MAX};
pub use trailer::is_backup;
pub use verify::{verify, Report, VersionReport};

/// Is told how far a tool has come: the step, how much of it is done and how much there is, in bytes.
pub type Progress<'p> = &'p mut dyn FnMut(&'static str, u64, u64);

/// For those who don't want to know.
pub fn quiet(_step: &'static str, _done: u64, _all: u64) {}
