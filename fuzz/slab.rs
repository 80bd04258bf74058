//! libFuzzer's entry: see `scripts/fuzz.sh`.
#![no_main]

#[path = "../tests/hostile/mod.rs"]
mod hostile;

use hostile::image::Input;
use std::sync::OnceLock;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let path = hostile::make(bytes, FOLDER.get_or_init(hostile::folder).path());
    let input = Input::of(bytes);
    hostile::walk::use_slab(&path, input.read_only, input.copies);
    std::fs::remove_file(&path).unwrap();
});
