//! [`backup`]: a consistent copy of a slab that others go on writing.
//!
//! The copy is the image of a machine crash whose last durable version is the one pinned. Its objects don't change while it is pinned, and their
//! cells and blocks stay taken; whatever else is torn, recovery puts right when the copy is first opened for writing (`durable::recover`).

use super::blocks::is_block;
use super::{trailer, Progress};
use crate::durable::superblock::{Superblock, PLACES};
use crate::error::{Error, Result};
use crate::handle::Slab;
use crate::open::make_whole;
use crate::slab::ident::Ident;
use crate::slab::layout::*;
use crate::slab::mapping::{Mapping, Reader};
use crate::sys;
use crate::value::symbol::chunk_len;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::Ordering::*;

/// What [`backup`] made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// The version that the copy holds.
    pub version: u64,
    /// Length of the copy in bytes; free blocks are holes in it.
    pub bytes: u64,
    /// Uuid of the copy.
    pub uuid: [u8; 16],
}

/// Copies the current version of `slab`, which may be in use, to a new file at `path`, durably. The file appears whole or not at all; one that is
/// there already is never touched. The copy is a slab of its own, with another uuid, and has a checksum for every 64 KiB, which `verify` compares
/// while it is open read-only; the first opening for writing drops them.
///
/// # Errors
/// `Arg` if there is a file at `path`, else what the file system says.
pub fn backup(slab: &Slab, path: &Path, progress: Progress) -> Result<BackupReport> {
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    let snapshot = slab.snapshot()?;
    let (view, map) = (snapshot.view(), slab.map());
    // Read after the pin, so that they cover what the version reaches; the high-water mark last, so that it lies behind all of them.
    let table = SymbolTable::of(map, snapshot.reader())?;
    let high_water = map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire);
    let random = sys::random().map_err(|e| Error::io("getrandom", path, &e))?;
    let ident = Ident::new(random, sys::now_ms());
    let superblock = Superblock {
        sequence: 0,
        version: view.version,
        state: view.state,
        symbols: table.directory,
        symbol_count: table.count,
        time: view.time_ms,
        backed: high_water * BLOCK_SIZE,
        high_water,
        incarnation: map.atomic_u32(CONTROL_INCARNATION).load(Relaxed),
        clean: false,
        uuid: ident.uuid,
    };
    let mut bytes = 0;
    let made = make_whole(path, &mut |file| {
        bytes = write(file, path, slab, &ident, superblock, &table, progress)?;
        Ok(())
    })?;
    if !made {
        return Err(exists(path));
    }
    Ok(BackupReport {
        version: view.version,
        bytes,
        uuid: ident.uuid,
    })
}

/// The lists of the symbol table, as they are before anything is copied: what they lead to is complete then. Later a symbol could get into a list
/// that is copied after the block of the symbol itself.
struct SymbolTable {
    directory: u64,
    count: u64,
    /// Offsets and words of the slots of the directory and its chunks.
    lists: Vec<(u64, Vec<u64>)>,
}

impl SymbolTable {
    fn of(map: &Mapping, r: Reader) -> Result<SymbolTable> {
        let count = map.atomic_u32(CONTROL_SYMBOL_NEXT).load(Acquire).min(SYMBOLS_MAX) as u64;
        let directory = map.atomic_u64(CONTROL_SYMBOLS).load(Acquire);
        let mut table = SymbolTable {
            directory,
            count,
            lists: Vec::new(),
        };
        if directory == 0 {
            return Ok(table);
        }
        let words = |at: u64, n: u64| {
            (0..n)
                .map(|i| map.atomic_u64(at + 8 * i).load(Acquire))
                .collect::<Vec<_>>()
        };
        let slots = r.node_of(directory, SYMBOL_DIR)?.offset() + 16;
        let mut chunks = words(slots, SYMBOL_CHUNKS as u64);
        for (k, chunk) in chunks.iter_mut().enumerate() {
            let first = 64 * ((1u64 << k) - 1);
            if *chunk == 0 || first >= count {
                *chunk = 0;
                continue;
            }
            let node = r.node_of(*chunk, SYMBOL_CHUNK)?;
            r.bytes(node, 16, 8 * chunk_len(k) as usize)?;
            let mut entries = words(*chunk + 16, chunk_len(k));
            entries.iter_mut().skip((count - first) as usize).for_each(|e| *e = 0);
            table.lists.push((*chunk + 16, entries));
        }
        table.lists.push((slots, chunks));
        Ok(table)
    }

    /// Puts what lies there of the lists into the piece of the copy at `at`.
    fn put(&self, at: u64, piece: &mut [u8]) {
        for (start, words) in &self.lists {
            let end = start + 8 * words.len() as u64;
            let (from, to) = ((*start).max(at), end.min(at + piece.len() as u64));
            for place in (from..to).step_by(8) {
                let word = words[((place - start) / 8) as usize];
                piece[(place - at) as usize..][..8].copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

#[cold]
fn exists(path: &Path) -> Error {
    Error::arg(format!(
        "{} exists already and is left as it is: choose another name",
        path.display()
    ))
}

/// Writes the copy to an empty file; gives its length.
fn write(
    file: &File,
    path: &Path,
    slab: &Slab,
    ident: &Ident,
    superblock: Superblock,
    table: &SymbolTable,
    progress: Progress,
) -> Result<u64> {
    let failed = |e: io::Error| Error::io("write", path, &e);
    let len = superblock.backed + SLACK;
    let pieces = len.div_ceil(trailer::PIECE);
    let whole = len + pieces * 8 + 64;
    if sys::file_size_max() < whole {
        return Err(Error::full(
            "the largest file of this process (ulimit -f)",
            sys::file_size_max(),
        ));
    }
    let mut sums = Vec::with_capacity(pieces as usize);
    let mut piece = vec![0; trailer::PIECE as usize];
    for b in 0..pieces {
        let at = b * BLOCK_SIZE;
        let piece = &mut piece[..BLOCK_SIZE.min(len - at) as usize];
        fill(slab, &superblock, b, piece)?;
        table.put(at, piece);
        if b == 0 {
            put_header(piece, ident, superblock);
        }
        sums.push(trailer::piece_sum(b as usize, piece));
        if piece.iter().any(|&x| x != 0) {
            file.write_all_at(piece, at).map_err(failed)?;
        }
        if b % 64 == 0 || b + 1 == pieces {
            progress("copy", at + piece.len() as u64, len);
        }
    }
    let tail = trailer::encode(&sums, len);
    file.write_all_at(&tail, len).map_err(failed)?;
    file.sync_data().map_err(failed)?;
    Ok(len + tail.len() as u64)
}

/// The bytes of block `b` of the copy: descriptors and blocks that are not free; all else is zero.
fn fill(slab: &Slab, superblock: &Superblock, b: u64, piece: &mut [u8]) -> Result<()> {
    let map = slab.map();
    piece.fill(0);
    let at = b * BLOCK_SIZE;
    let descriptors_end = DESCRIPTORS + superblock.high_water.min(SEGMENT_BLOCKS) * DESCRIPTOR_SIZE;
    let copied = if at < HEADER_SIZE {
        at >= DESCRIPTORS && at < descriptors_end
    } else if b >= superblock.high_water {
        false
    } else {
        // What a free block holds is nothing to the version; it stays so, or is taken for later ones.
        let state = || map.atomic_u64(descriptor(b)).load(Acquire) as u8;
        !is_block(b) || !matches!(state(), BLOCK_FREE | BLOCK_UNBACKED | BLOCK_RECLAIM)
    };
    if !copied {
        return Ok(());
    }
    let end = if at < HEADER_SIZE {
        (descriptors_end - at).min(BLOCK_SIZE) as usize
    } else {
        piece.len()
    };
    slab.copy_bytes(at, &mut piece[..end])
}

/// Puts ident and superblocks into the first block.
fn put_header(first: &mut [u8], ident: &Ident, superblock: Superblock) {
    let ident = ident.encode();
    first[..ident.len()].copy_from_slice(&ident);
    for (i, place) in PLACES.into_iter().enumerate() {
        let s = Superblock {
            sequence: i as u64 + 1,
            ..superblock
        };
        first[place as usize..][..SUPERBLOCK_SIZE as usize].copy_from_slice(&s.bytes(place));
    }
}
