//! Hostile slabs: an input damages one of some sound slabs, and all that can be done with a slab is done with the result. Shared by the fuzzer (`fuzz/`), which
//! makes inputs, and the test that replays those that are kept (`tests/fuzz.rs`).

pub mod bases;
pub mod image;
pub mod walk;

use bases::BASES;
use image::{Image, Input};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A folder for slabs, in memory if there is one.
pub fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.unwrap()
}

/// The base slab of that number.
pub fn base(number: usize) -> &'static Image {
    static MADE: [OnceLock<Image>; BASES.len()] = [const { OnceLock::new() }; BASES.len()];
    MADE[number].get_or_init(|| bases::base(number, folder().path()))
}

/// Writes the slab that `bytes` describe to `folder`; gives its path.
pub fn make(bytes: &[u8], folder: &Path) -> PathBuf {
    let input = Input::of(bytes);
    let mut image = base(input.base).clone();
    input.apply(&mut image);
    let path = folder.join("slab");
    image.write(&path, input.adopted);
    path
}

/// The inputs that are kept, with their names.
#[allow(dead_code, reason = "the fuzzer reads them itself")]
pub fn kept() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hostile");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect();
    all.sort();
    assert!(all.len() > 10, "the kept inputs are gone");
    all
}
