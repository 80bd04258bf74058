//! [`compact`]: what a version reaches, copied close together into a new slab.

use super::blocks::high_water;
use super::Progress;
use crate::coll::count;
use crate::coll::iter::Iter;
use crate::error::{Error, Result};
use crate::handle::{Slab, Snapshot};
use crate::open::{give_name, temporary_name, Options};
use crate::slab::layout::*;
use crate::txn::{Outcome, Txn};
use crate::value::copy::{import_more, Known};
use std::path::Path;

/// Atoms of one transaction.
const BATCH: usize = 256;

/// What [`compact`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactReport {
    /// The version that was copied.
    pub version: u64,
    /// Atoms in it.
    pub atoms: u64,
    /// Length in bytes of the old slab up to its last block, and of the new one.
    pub before: u64,
    /// See `before`.
    pub after: u64,
}

/// Copies all atoms of the current version of `slab`, which may be in use, into a new slab at `path`: no garbage, no free cells, parts that were
/// shared are shared. Addresses, versions and the numbers of symbols are new, and so is the uuid. The file appears whole or not at all; one that is
/// there already is never touched.
///
/// # Errors
/// `Arg` if there is a file at `path`, `Corrupt` if the values are damaged, else what the file system says.
pub fn compact(slab: &Slab, path: &Path, progress: Progress) -> Result<CompactReport> {
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    let snapshot = slab.snapshot()?;
    let temporary = temporary_name(path)?;
    let options = Options {
        must_be_new: true,
        ..Options::default()
    };
    let result = Slab::open(&temporary, &options).and_then(|new| {
        let copied = copy(&snapshot, &new, progress);
        let after = high_water(new.map()) * BLOCK_SIZE;
        // Closed, it is on disk.
        let closed = new.close();
        copied?;
        closed.map(|()| after)
    });
    let after = match result {
        Ok(after) => after,
        Err(e) => {
            // It may never have been made.
            let _ = std::fs::remove_file(&temporary);
            return Err(e);
        }
    };
    if !give_name(&temporary, path)? {
        return Err(exists(path));
    }
    Ok(CompactReport {
        version: snapshot.view().version,
        atoms: count(snapshot.reader(), snapshot.view().state)? as u64,
        before: high_water(slab.map()) * BLOCK_SIZE,
        after,
    })
}

#[cold]
fn exists(path: &Path) -> Error {
    Error::arg(format!(
        "{} exists already and is left as it is: choose another name",
        path.display()
    ))
}

/// Copies the atoms, some in each transaction. What earlier ones have copied is linked, not copied again.
fn copy(snapshot: &Snapshot, new: &Slab, progress: Progress) -> Result<()> {
    let (r, state) = (snapshot.reader(), snapshot.view().state);
    let all = count(r, state)? as u64;
    let mut known = Known::new();
    let mut atoms = Iter::new(r, state)?.peekable();
    let mut done = 0;
    while atoms.peek().is_some() {
        let mut txn = Txn::begin(new, None)?;
        for atom in atoms.by_ref().take(BATCH) {
            let (name, value) = atom?;
            let (name, value) = txn.write(|w| {
                let name = import_more(w, r, name, &mut known)?;
                import_more(w, r, value, &mut known).map(|value| (name, value))
            })?;
            txn.set(name, value)?;
            done += 1;
            progress("atoms", done, all);
        }
        if let Outcome::Conflict = txn.commit(false)? {
            return Err(Error::locked(
                new.path().unwrap_or(Path::new("")),
                "somebody else writes into the new slab",
            ));
        }
    }
    Ok(())
}
