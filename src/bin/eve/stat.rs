//! stat: what a slab consists of and who uses it.

use crate::atoms::{all, atom_json};
use crate::out::{self, Outcome};
use clap::Args;
use eve::durable::superblock::{Superblock, PLACES};
use eve::epoch::Shared;
use eve::slab::layout::*;
use eve::tools::{self, Census};
use eve::{sys, Slab};
use serde_json::{json, Value};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::*;

/// First lock byte of the participants: docs/format.md, section 1.5.
const LOCK_PARTICIPANTS: u64 = (1 << 62) + 4096;

/// Shows versions, room by size class, who has it open, what is pinned, and the atoms
#[derive(Args)]
#[command(after_help = "Examples:\n  eve stat app.slab\n  eve stat app.slab --json | jq '.pins'")]
pub struct Stat {
    /// The slab
    file: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// A process that has the slab open.
#[derive(Clone, Debug)]
pub struct Holder {
    pub index: u64,
    pub pid: u32,
    /// Does the kernel say that it lives?
    pub alive: bool,
}

/// Versions that somebody keeps.
#[derive(Clone, Debug)]
pub struct Pin {
    pub holder: Option<Holder>,
    /// `snapshot`, `transaction`, `handles` or `disk`.
    pub kind: &'static str,
    pub from: u64,
    pub to: u64,
}

/// Those who have the slab open. None can be told of one that is open read-only.
pub fn holders(slab: &Slab, path: &Path) -> Outcome<Vec<Holder>> {
    if slab.read_only() {
        return Ok(Vec::new());
    }
    let (file, map) = (File::open(path)?, slab.map());
    let mut found = Vec::new();
    for index in 0..PARTICIPANTS_MAX {
        let entry = PARTICIPANTS + index * PARTICIPANT_SIZE;
        if map.atomic_u32(entry).load(Acquire) != 0 {
            found.push(Holder {
                index,
                pid: map.atomic_u32(entry + 8).load(Relaxed),
                alive: sys::is_locked(&file, LOCK_PARTICIPANTS + index, 1)?,
            });
        }
    }
    Ok(found)
}

/// What is pinned, but for our own snapshots.
pub fn pins(slab: &Slab, holders: &[Holder]) -> Vec<Pin> {
    let map = slab.map();
    let holder = |owner: u64| holders.iter().find(|h| h.index + 1 == owner & 0x7FFF_FFFF).cloned();
    let mut pins = Vec::new();
    let mut add = |owner: u64, kind, from, to| {
        let holder = holder(owner);
        let ours = holder.as_ref().is_some_and(|h| h.pid == std::process::id());
        if !ours && holder.is_some() {
            pins.push(Pin { holder, kind, from, to });
        }
    };
    for i in 0..map.agents() {
        let line = map.agent(i);
        let (owner, floor) = (line.owner.load(Acquire), line.floor.load(Acquire));
        for pin in &line.pins {
            let pin = pin.load(Acquire);
            if owner != 0 && pin & 3 == 2 {
                let kind = if floor != 0 { "transaction" } else { "snapshot" };
                add(owner, kind, pin >> 16, pin >> 16);
            }
        }
    }
    for i in 0..map.groups() {
        let group = map.group(i);
        let (owner, lo, hi) = (
            group.owner.load(Acquire),
            group.lo.load(Acquire),
            group.hi.load(Acquire),
        );
        if owner != 0 && lo != 0 {
            add(owner, "handles", lo - 1, hi.max(lo - 1));
        }
    }
    for version in PLACES
        .iter()
        .filter_map(|&p| Superblock::load(map, p))
        .map(|s| s.version)
    {
        if !pins.iter().any(|p| p.kind == "disk" && p.from == version) {
            pins.push(Pin {
                holder: None,
                kind: "disk",
                from: version,
                to: version,
            });
        }
    }
    pins
}

/// So many pins of a kind are listed for a process, those of the oldest versions.
const LISTED: usize = 3;

/// Everything about a slab.
struct Facts {
    slab: Slab,
    file: u64,
    on_disk: u64,
    census: Census,
    holders: Vec<Holder>,
    pins: Vec<Pin>,
}

impl Stat {
    pub fn run(self) -> Outcome {
        let slab = out::look(&self.file)?;
        let holders = holders(&slab, &self.file)?;
        let file = std::fs::metadata(&self.file)?;
        let facts = Facts {
            file: file.len(),
            on_disk: file.blocks() * 512,
            census: tools::census(slab.map()),
            pins: pins(&slab, &holders),
            holders,
            slab,
        };
        match self.json {
            true => facts.print_json(),
            false => facts.print(&self.file),
        }
    }
}

impl Facts {
    fn word(&self, at: u64) -> u64 {
        self.slab.map().atomic_u64(at).load(Acquire)
    }

    fn half(&self, at: u64) -> u32 {
        self.slab.map().atomic_u32(at).load(Acquire)
    }

    fn free_cells(&self) -> u64 {
        self.census.classes.iter().map(|c| c.free * c.cell_bytes).sum()
    }

    fn maps(&self) -> &'static str {
        match self.half(CONTROL_MAPS) {
            MAPS_EXACT => "exact",
            _ => "superset",
        }
    }

    fn sync_error(&self) -> Option<String> {
        let errno = self.half(CONTROL_SYNC_ERROR);
        (errno != 0).then(|| std::io::Error::from_raw_os_error(errno as i32).to_string())
    }

    fn uuid(&self) -> String {
        let hex = |range: std::ops::Range<usize>| -> String {
            self.slab.ident().uuid[range]
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect()
        };
        [0..4, 4..6, 6..8, 8..10, 10..16].map(hex).join("-")
    }

    fn print_json(&self) -> Outcome {
        let snapshot = self.slab.snapshot()?;
        let view = snapshot.view();
        let holder = |h: &Holder| json!({"participant": h.index, "pid": h.pid, "alive": h.alive});
        let pin = |p: &Pin| {
            let pid = p.holder.as_ref().map(|h| h.pid);
            json!({"kind": p.kind, "pid": pid, "from": p.from, "to": p.to})
        };
        let class = |c: &tools::ClassCensus| json!({"cell_bytes": c.cell_bytes, "blocks": c.blocks, "live": c.live, "free": c.free});
        let atoms = all(&snapshot)?
            .into_iter()
            .map(|(name, word)| atom_json(&snapshot, name, word))
            .collect::<eve::Result<Vec<Value>>>()?;
        out::print_json(&json!({
            "uuid": self.uuid(),
            "created_ms": self.slab.ident().created,
            "read_only": self.slab.read_only(),
            "version": view.version,
            "time_ms": view.time_ms,
            "durable_version": self.word(CONTROL_DURABLE),
            "sync_error": self.sync_error(),
            "maps": self.maps(),
            "symbols": self.half(CONTROL_SYMBOL_NEXT),
            "retired_bytes": view.retired,
            "bytes": {
                "file": self.file,
                "on_disk": self.on_disk,
                "backed": self.word(CONTROL_BACKED),
                "objects": self.census.bytes,
                "free_cells": self.free_cells(),
                "free_blocks": self.census.free_blocks * BLOCK_SIZE,
                "unbacked_blocks": self.census.unbacked_blocks * BLOCK_SIZE,
            },
            "objects": self.census.objects,
            "blocks": self.census.blocks,
            "classes": self.census.classes.iter().map(class).collect::<Vec<_>>(),
            "large": {"objects": self.census.large_objects, "blocks": self.census.large_blocks},
            "participants": self.holders.iter().map(holder).collect::<Vec<_>>(),
            "pins": self.pins.iter().map(pin).collect::<Vec<_>>(),
            "atoms": atoms,
        }))
    }

    fn print(&self, path: &Path) -> Outcome {
        let snapshot = self.slab.snapshot()?;
        let view = snapshot.view();
        let mut out = out::stdout();
        writeln!(out, "{}  {}", path.display(), self.uuid())?;
        writeln!(
            out,
            "version      {} ({} durable)",
            view.version,
            self.word(CONTROL_DURABLE)
        )?;
        if let Some(error) = self.sync_error() {
            writeln!(
                out,
                "{}",
                out::bad(&format!(
                    "sync failed: {error}. Copy the slab to another disk: eve backup"
                ))
            )?;
        }
        writeln!(
            out,
            "file         {}, {} on disk",
            out::bytes(self.file),
            out::bytes(self.on_disk)
        )?;
        let (cells, blocks) = (self.free_cells(), self.census.free_blocks * BLOCK_SIZE);
        writeln!(
            out,
            "objects      {} in {}",
            self.census.objects,
            out::bytes(self.census.bytes)
        )?;
        writeln!(
            out,
            "free         {} in cells, {} in blocks",
            out::bytes(cells),
            out::bytes(blocks)
        )?;
        let retired = out::bytes(view.retired);
        writeln!(
            out,
            "retired      {retired} by all commits; allocation maps are {}",
            self.maps()
        )?;
        writeln!(out, "\n   cell bytes     blocks       live       free")?;
        for c in &self.census.classes {
            writeln!(
                out,
                "{:>13} {:>10} {:>10} {:>10}",
                c.cell_bytes, c.blocks, c.live, c.free
            )?;
        }
        if self.census.large_blocks > 0 {
            writeln!(
                out,
                "{:>13} {:>10} {:>10}",
                "runs", self.census.large_blocks, self.census.large_objects
            )?;
        }
        if self.slab.read_only() {
            writeln!(out, "\nnobody has it open for writing")?;
        }
        write_holders(&mut out, &self.holders, &self.pins)?;
        writeln!(out, "\natoms")?;
        for (name, word) in all(&snapshot)? {
            let a = atom_json(&snapshot, name, word)?;
            let (name, kind) = (a["name"].as_str().unwrap_or(""), a["type"].as_str().unwrap_or(""));
            match a["count"].as_u64() {
                Some(n) => writeln!(out, "  {name}  {kind} of {n}")?,
                None => writeln!(out, "  {name}  {kind}")?,
            }
        }
        Ok(out.flush()?)
    }
}

/// Processes, each with what it keeps.
pub fn write_holders(out: &mut impl Write, holders: &[Holder], pins: &[Pin]) -> Outcome {
    for h in holders {
        let who = match (h.alive, h.pid == std::process::id()) {
            (_, true) => " (this command)",
            (true, _) => "",
            (false, _) => " (dead: the next one that opens the slab clears up)",
        };
        writeln!(out, "\nprocess {}{who}", h.pid)?;
        for kind in ["transaction", "snapshot", "handles"] {
            let of_holder = |p: &&Pin| p.kind == kind && p.holder.as_ref().is_some_and(|x| x.index == h.index);
            let mut pins: Vec<&Pin> = pins.iter().filter(of_holder).collect();
            pins.sort_by_key(|p| p.from);
            for p in pins.iter().take(LISTED) {
                match p.from == p.to {
                    true => writeln!(out, "  {kind} of version {}", p.from)?,
                    false => writeln!(out, "  {kind} of versions {} to {}", p.from, p.to)?,
                }
            }
            if let Some(last) = pins[LISTED.min(pins.len())..].iter().map(|p| p.to).max() {
                writeln!(
                    out,
                    "  {kind} in {} more places, up to version {last}",
                    pins.len() - LISTED
                )?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_pins_of_a_process_the_oldest_are_listed_and_the_others_counted() {
        let me = Holder {
            index: 3,
            pid: 77,
            alive: true,
        };
        let pin = |kind, from, to| Pin {
            holder: Some(me.clone()),
            kind,
            from,
            to,
        };
        let mut pins: Vec<Pin> = [9, 7, 5, 3, 1].map(|v| pin("handles", v, v + 1)).into();
        pins.push(pin("snapshot", 4, 4));
        let mut text = Vec::new();
        write_holders(&mut text, std::slice::from_ref(&me), &pins).unwrap();
        let listed = "  snapshot of version 4\n  handles of versions 1 to 2\n  handles of versions 3 to 4\n  handles of versions 5 to 6\n";
        let more = "  handles in 2 more places, up to version 10\n";
        assert_eq!(
            String::from_utf8(text).unwrap(),
            format!("\nprocess 77\n{listed}{more}")
        );
    }
}
