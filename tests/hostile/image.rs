//! A slab as bytes, and what an input does to it.

use eve::durable::superblock::PLACES;
use eve::slab::checksum::xxh64;
use eve::slab::layout::*;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

const PAGE: usize = 4096;

/// The bytes of a slab without its empty pages, and where its objects are.
#[derive(Clone)]
pub struct Image {
    len: u64,
    pages: Vec<(u64, Vec<u8>)>,
    objects: Vec<u64>,
}

impl Image {
    /// The slab at `path`.
    pub fn read(path: &Path) -> Image {
        let bytes = std::fs::read(path).unwrap();
        let pages = bytes
            .chunks(PAGE)
            .enumerate()
            .filter(|(_, page)| page.iter().any(|&b| b != 0));
        let mut image = Image {
            len: bytes.len() as u64,
            pages: pages.map(|(i, page)| ((i * PAGE) as u64, page.to_vec())).collect(),
            objects: Vec::new(),
        };
        image.find_objects();
        image
    }

    fn find_objects(&mut self) {
        for b in HEADER_SIZE / BLOCK_SIZE..self.len / BLOCK_SIZE {
            let d = self.word(descriptor(b));
            let class = (d >> 8) as u8 as usize;
            match d as u8 {
                BLOCK_OWNED | BLOCK_SHELVED => {
                    let cells =
                        (0..class_cells(class)).map(|i| b * BLOCK_SIZE + BITMAP_SIZE + (i * class_size(class)) as u64);
                    let taken: Vec<u64> = cells.filter(|&at| self.word(at) != 0).collect();
                    self.objects.extend(taken);
                }
                BLOCK_LARGE => self.objects.push(b * BLOCK_SIZE),
                _ => {}
            }
        }
    }

    fn place(&self, at: u64) -> Option<(usize, usize)> {
        let i = self
            .pages
            .binary_search_by_key(&(at / PAGE as u64 * PAGE as u64), |p| p.0)
            .ok()?;
        Some((i, at as usize % PAGE)).filter(|&(i, at)| at + 8 <= self.pages[i].1.len())
    }

    /// The word at `at`, a multiple of 8.
    pub fn word(&self, at: u64) -> u64 {
        let Some((i, at)) = self.place(at) else { return 0 };
        u64::from_le_bytes(self.pages[i].1[at..at + 8].try_into().unwrap())
    }

    /// Stores a word; nothing happens beyond the end.
    pub fn set(&mut self, at: u64, word: u64) {
        if self.place(at).is_none() && at + 8 <= self.len {
            let start = at / PAGE as u64 * PAGE as u64;
            let i = self.pages.partition_point(|p| p.0 < start);
            self.pages
                .insert(i, (start, vec![0; PAGE.min((self.len - start) as usize)]));
        }
        if let Some((i, at)) = self.place(at) {
            self.pages[i].1[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
    }

    fn object(&self, i: usize) -> u64 {
        match self.objects.len() {
            0 => HEADER_SIZE,
            n => self.objects[i % n],
        }
    }

    /// Cuts or extends it.
    pub fn set_len(&mut self, len: u64) {
        self.pages.retain(|p| p.0 < len);
        if let Some(last) = self.pages.last_mut().filter(|p| p.0 + p.1.len() as u64 > len) {
            last.1.truncate((len - last.0) as usize);
        }
        self.len = len;
    }

    /// Makes the checksums right again.
    pub fn seal(&mut self) {
        let bytes = |image: &Image, at: u64, n: u64| {
            (0..n / 8)
                .flat_map(|i| image.word(at + 8 * i).to_le_bytes())
                .collect::<Vec<u8>>()
        };
        let ident = xxh64(&bytes(self, IDENT, 72), 0);
        self.set(IDENT + 72, ident);
        for place in PLACES {
            let sum = xxh64(&bytes(self, place, SUPERBLOCK_SIZE - 8), place);
            self.set(place + SUPERBLOCK_SIZE - 8, sum);
        }
    }

    /// Writes it to `path`. `adopted`: as this system would have left it, had it had it open.
    pub fn write(&self, path: &Path, adopted: bool) {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .unwrap();
        file.set_len(self.len).unwrap();
        for (at, page) in &self.pages {
            file.write_all_at(page, *at).unwrap();
        }
        if adopted && self.len >= HEADER_SIZE {
            stamp(&file);
        }
    }
}

/// Writes into the control page which system and which file it is.
fn stamp(file: &File) {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: Vec<u8> = boot.bytes().filter(u8::is_ascii_hexdigit).collect();
    let boot: Vec<u8> = digits
        .chunks(2)
        .map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap())
        .collect();
    file.write_all_at(&boot, CONTROL_BOOT_ID).unwrap();
    let born = eve::sys::file_id(file).unwrap();
    for (i, word) in born.into_iter().enumerate() {
        file.write_all_at(&word.to_le_bytes(), CONTROL_BOOT_ID + 16 + 8 * i as u64)
            .unwrap();
    }
    debug_assert_eq!(born[1], file.metadata().unwrap().ino());
}

/// What an input says: which slab, how it is damaged, how it is used.
///
/// Byte 0: bits 0 to 2 the base, bit 3 [`Input::adopted`], bit 4 [`Input::unsealed`], bit 5 [`Input::read_only`],
/// bit 6 [`Input::copies`]. Then patches of 8 bytes:
/// what to do, a word in the object, the object (u16), an argument (u32).
pub struct Input<'a> {
    /// Number of the base.
    pub base: usize,
    /// The control page counts: the slab is taken over as it lies there, not recovered.
    pub adopted: bool,
    /// The checksums are left wrong.
    pub unsealed: bool,
    /// Opened read-only first, so that no recovery comes before.
    pub read_only: bool,
    /// Copies are made of it (backup, compact).
    pub copies: bool,
    patches: &'a [u8],
}

/// Longest input that makes a difference.
pub const INPUT_MAX: usize = 1 + 8 * 48;

/// Parts of the header that a patch may hit.
const PARTS: [(u64, u64); 10] = [
    (IDENT, 80),
    (SUPERBLOCK_A, 96),
    (SUPERBLOCK_B, 96),
    (CONTROL, 0x3C8),
    (PARTICIPANTS, 64),
    (AGENTS, 256),
    (GROUPS, 128),
    (RECORDS, 1024),
    (DESCRIPTORS + HEADER_SIZE / BLOCK_SIZE * DESCRIPTOR_SIZE, 48 * 16),
    (DESCRIPTORS, 4096),
];

impl<'a> Input<'a> {
    /// Reads any bytes.
    pub fn of(bytes: &'a [u8]) -> Input<'a> {
        let bytes = &bytes[..bytes.len().min(INPUT_MAX)];
        let (head, patches) = bytes.split_first().unwrap_or((&0, &[]));
        Input {
            base: *head as usize & 7,
            adopted: head & 8 != 0,
            unsealed: head & 16 != 0,
            read_only: head & 32 != 0,
            copies: head & 64 != 0,
            patches,
        }
    }

    /// Damages `image`.
    pub fn apply(&self, image: &mut Image) {
        for p in self.patches.chunks_exact(8) {
            let (op, place) = (p[0], p[1]);
            let which = u16::from_le_bytes([p[2], p[3]]) as usize;
            let arg = u32::from_le_bytes([p[4], p[5], p[6], p[7]]);
            if op % 16 == 15 {
                // Cut off, or longer than it was.
                let len = image.len;
                image.set_len(if place % 2 == 0 {
                    len.saturating_sub(arg as u64 % len.max(1))
                } else {
                    len + arg as u64 % (1 << 20)
                });
                continue;
            }
            let at = if op & 16 == 0 {
                image.object(which) + 8 * (place as u64 % 64)
            } else {
                let (start, len) = PARTS[place as usize % PARTS.len()];
                start + which as u64 * 8 % len
            };
            let at = at & !7;
            let new = value(image, image.word(at), op % 16, arg);
            image.set(at, new);
        }
        if !self.unsealed {
            image.seal();
        }
    }
}

/// What a patch makes of a word.
fn value(image: &Image, was: u64, op: u8, arg: u32) -> u64 {
    let argument = arg as u64;
    let high = !0 << 32;
    match op {
        0 => was ^ 1 << (arg % 64),
        1 => image.object(arg as usize),
        2 => argument,
        3 => was & high | argument,
        4 => was & !high | argument << 32,
        5 => was & !0xFF | argument & 0xFF,
        6 => image.word(image.object(arg as usize >> 8) + 8 * (argument % 64)),
        7 => arg as i32 as i64 as u64,
        8 => was.wrapping_add(arg as i32 as i64 as u64),
        9 => argument.rotate_right(arg % 32) << 20,
        10 => was & !0xFF00 | (argument & 0xFF) << 8,
        11 => (was & 0xFFFF) | argument << 16,
        12 => image.len.wrapping_add(arg as i16 as i64 as u64),
        13 => image.object(arg as usize).wrapping_add((argument >> 16) & 0xFF),
        _ => [
            0,
            1,
            !0,
            1 << 63,
            1 << 47,
            (1 << 48) - 1,
            u32::MAX as u64,
            0x8000_0000,
            0x0004,
            0x0504,
            0x0604,
            0x0704,
            0x0804,
            0x24,
            0x0C,
        ][arg as usize % 15],
    }
}
