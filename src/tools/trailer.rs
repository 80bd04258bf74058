//! The checksums behind the last byte of a backup: `docs/format.md`, section 1.7.

use super::findings::{FindingKind, Findings};
use super::Progress;
use crate::error::{Error, Result};
use crate::handle::Slab;
use crate::slab::checksum::xxh64;
use crate::slab::layout::*;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// The last bytes of a backup.
const MAGIC: [u8; 8] = [0x89, b'E', b'V', b'E', b'B', b'K', 0x0D, 0x0A];
/// Length of what is covered, checksum of the trailer before itself, magic.
const TAIL: usize = 24;
/// Bytes under one checksum.
pub(super) const PIECE: u64 = BLOCK_SIZE;

/// Checksum of piece `i`.
pub(super) fn piece_sum(i: usize, bytes: &[u8]) -> u64 {
    xxh64(bytes, i as u64)
}

/// The trailer of a file whose first `len` bytes have these checksums.
pub(super) fn encode(sums: &[u64], len: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = sums.iter().flat_map(|s| s.to_le_bytes()).collect();
    bytes.extend(len.to_le_bytes());
    bytes.extend(xxh64(&bytes, len).to_le_bytes());
    bytes.extend(MAGIC);
    bytes
}

/// The checksums, and the number of bytes that they cover. None: the file has no trailer. An error: it has a damaged one.
fn read(file: &File) -> io::Result<Option<std::result::Result<(Vec<u64>, u64), u64>>> {
    let size = file.metadata()?.len();
    let Some(tail_at) = size.checked_sub(TAIL as u64) else {
        return Ok(None);
    };
    let mut tail = [0; TAIL];
    file.read_exact_at(&mut tail, tail_at)?;
    if tail[16..] != MAGIC {
        return Ok(None);
    }
    let word = |at: usize| u64::from_le_bytes(tail[at..at + 8].try_into().expect("eight bytes"));
    let len = word(0);
    if len.checked_add(len.div_ceil(PIECE) * 8) != Some(tail_at) {
        return Ok(Some(Err(tail_at)));
    }
    let mut bytes = vec![0; (tail_at - len) as usize];
    file.read_exact_at(&mut bytes, len)?;
    bytes.extend(&tail[..8]);
    if xxh64(&bytes, len) != word(8) {
        return Ok(Some(Err(tail_at)));
    }
    bytes.truncate(bytes.len() - 8);
    let sums = bytes
        .chunks_exact(8)
        .map(|b| u64::from_le_bytes(b.try_into().expect("eight bytes")))
        .collect();
    Ok(Some(Ok((sums, len))))
}

fn open(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
}

/// Compares the file of a slab, which is open read-only, with its checksums. The number of them, None if it has none.
pub(super) fn check(slab: &Slab, findings: &mut Findings, progress: Progress) -> Result<Option<u64>> {
    let Some(path) = slab.path() else { return Ok(None) };
    let failed = |e: io::Error| Error::io("read", path, &e);
    let file = open(path).map_err(failed)?;
    let (sums, len) = match read(&file).map_err(failed)? {
        None => return Ok(None),
        Some(Err(at)) => {
            let what = "the checksums of the backup are damaged: nothing can be said of its bytes";
            findings.add(FindingKind::Checksum, what, at, String::new);
            return Ok(Some(0));
        }
        Some(Ok(found)) => found,
    };
    let mut bytes = vec![0; PIECE as usize];
    for (i, &sum) in sums.iter().enumerate() {
        let at = i as u64 * PIECE;
        let piece = &mut bytes[..PIECE.min(len - at) as usize];
        file.read_exact_at(piece, at).map_err(failed)?;
        if piece_sum(i, piece) != sum {
            let what = "64 KiB of the backup are not as they were written";
            findings.add(FindingKind::Checksum, what, at, String::new);
        }
        if i % 256 == 0 || i + 1 == sums.len() {
            progress("checksums", at + piece.len() as u64, len);
        }
    }
    Ok(Some(sums.len() as u64))
}

/// Is the file of the slab a backup that has not been written since? (It has checksums at its end.)
pub fn is_backup(slab: &Slab) -> Result<bool> {
    match slab.path() {
        None => Ok(false),
        Some(path) => {
            let failed = |e: io::Error| Error::io("read", path, &e);
            let file = open(path).map_err(failed)?;
            Ok(read(&file).map_err(failed)?.is_some())
        }
    }
}
