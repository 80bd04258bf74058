//! [`verify`]: is everything in a slab as the format says?

use super::blocks::{self, check_descriptors, high_water};
use super::findings::{FindingKind, Findings};
use super::symbols::Symbols;
use super::trailer;
use super::walk::Walk;
use super::Progress;
use crate::durable::superblock::{valid, Superblock, PLACES};
use crate::epoch::hold::Root;
use crate::error::Result;
use crate::handle::{Slab, Snapshot};
use crate::slab::layout::*;
use std::sync::atomic::Ordering::*;

/// A version that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionReport {
    /// Its number.
    pub version: u64,
    /// Where it was found: `current`, `superblock A` or `superblock B`.
    pub place: &'static str,
    /// False: it was given up before it could be checked, so that nothing can be said of it.
    pub checked: bool,
}

/// What [`verify`] found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is wrong.
    pub findings: Findings,
    /// The versions that were walked.
    pub versions: Vec<VersionReport>,
    /// Objects that these versions and the symbol table reach, and the bytes of their cells.
    pub reachable_objects: u64,
    /// See `reachable_objects`.
    pub reachable_bytes: u64,
    /// All objects, and the bytes of their cells.
    pub allocated_objects: u64,
    /// See `allocated_objects`.
    pub allocated_bytes: u64,
    /// Committed objects that no version reaches which was checked: leaked, or held by a pin or a transaction's end that is still to come.
    pub unreachable_objects: u64,
    /// See `unreachable_objects`.
    pub unreachable_bytes: u64,
    /// Keywords and symbols.
    pub symbols: u64,
    /// Comparisons of keys that would have taken too long.
    pub unchecked: u64,
    /// Checksums of a backup that were compared; None if it isn't one, or is open for writing.
    pub checksums: Option<u64>,
}

/// Checks everything that is reachable from the current version and from both superblocks, the symbol table, and the allocation maps. Of a slab that
/// is open read-only also the checksums that a backup has.
///
/// Others may go on writing: the current version is pinned meanwhile, and so are the superblocks'. One that is replaced before its version is pinned is
/// not judged.
/// The descriptors of blocks without a reachable object, which change at any time, are only checked in a slab that is open read-only.
pub fn verify(slab: &Slab, progress: Progress) -> Result<Report> {
    let mut report = Report::default();
    let mut findings = Findings::default();
    if slab.read_only() {
        report.checksums = trailer::check(slab, &mut findings, progress)?;
    }
    let snapshot = slab.snapshot()?;
    let (view, map) = (snapshot.view(), slab.map());
    // After the pin: everything that the version reaches lies below it.
    let high_water = high_water(map);
    let mut walk = Walk::new(snapshot.reader(), high_water, progress);
    walk.version(view.state, view.version);
    findings.append(std::mem::take(&mut walk.findings));
    report.versions.push(VersionReport {
        version: view.version,
        place: "current",
        checked: true,
    });
    superblocks(&snapshot, &mut walk, &mut findings, &mut report.versions)?;
    let closed = valid(map, &slab.ident().uuid).first().is_some_and(|(_, s)| s.clean);
    let clean = closed || !slab.read_only() || report.checksums.is_some();
    let used = std::mem::take(&mut walk.symbols);
    let mut symbols = Symbols {
        used: (!clean).then_some(&used),
        r: snapshot.reader(),
        reached: &mut walk.reached,
        findings: &mut findings,
        objects: 0,
        bytes: 0,
        entries: 0,
    };
    symbols.check();
    (report.symbols, report.reachable_objects, report.reachable_bytes) =
        (symbols.entries, symbols.objects, symbols.bytes);
    report.reachable_objects += walk.objects;
    report.reachable_bytes += walk.bytes;
    report.unchecked = walk.unchecked;
    if slab.read_only() {
        check_descriptors(map, high_water, &mut findings);
    }
    blocks::objects(map, blocks::high_water(map), |at, header, bytes| {
        report.allocated_objects += 1;
        report.allocated_bytes += bytes;
        // What was committed since the pin is not ours to judge.
        if !header_fresh(header) && header_birth(header) <= view.version && !walk.reached.has(at) {
            report.unreachable_objects += 1;
            report.unreachable_bytes += bytes;
        }
    });
    if map.atomic_u32(CONTROL_STATE).load(Acquire) != STATE_READY {
        let what = "the control page says that the slab is not ready";
        findings.add(FindingKind::Superblock, what, CONTROL_STATE, String::new);
    }
    report.findings = findings;
    Ok(report)
}

/// Walks the versions of the superblocks, each pinned, but for the one that `snapshot` holds and `walk` has seen.
fn superblocks(
    snapshot: &Snapshot,
    walk: &mut Walk,
    findings: &mut Findings,
    versions: &mut Vec<VersionReport>,
) -> Result<()> {
    let (slab, map, view) = (snapshot.slab(), snapshot.slab().map(), snapshot.view());
    let load = || PLACES.map(|place| Superblock::load(map, place));
    let root = |s: &Superblock| Root::durable(s.version, s.state);
    let found = load();
    let held = snapshot.hold(&|| load().iter().flatten().map(root).collect());
    if slab.path().is_some() && found.iter().all(Option::is_none) {
        findings.add(
            FindingKind::Superblock,
            "both superblocks are invalid: after a crash of the machine nothing could be found",
            SUPERBLOCK_A,
            String::new,
        );
    }
    for (i, s) in found.iter().enumerate() {
        let Some(s) = s else { continue };
        if s.version > view.version {
            // A sync of a later commit, or damage: the version is looked at again.
            if s.version > slab.version()? {
                let what = "a superblock has a later version than the slab";
                findings.add(FindingKind::Superblock, what, PLACES[i], String::new);
            }
            continue;
        }
        if s.version == view.version && s.state == view.state {
            continue;
        }
        let checked = held.has(&root(s));
        if checked {
            walk.version(s.state, s.version);
            findings.append(std::mem::take(&mut walk.findings));
        }
        versions.push(VersionReport {
            version: s.version,
            place: ["superblock A", "superblock B"][i],
            checked,
        });
    }
    Ok(())
}
