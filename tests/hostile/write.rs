//! hostile FOLDER: writes the slabs of the kept inputs to FOLDER, which it makes anew, for the tests of other runtimes.

#[path = "mod.rs"]
#[allow(dead_code, reason = "the fuzzer and its replay use the rest")]
mod hostile;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let folder = std::path::Path::new(&folder);
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).expect("a folder");
    for (name, bytes) in hostile::kept() {
        // In its place: a slab that counts as taken over must not be moved to another file.
        let input = hostile::image::Input::of(&bytes);
        let mut image = hostile::base(input.base).clone();
        input.apply(&mut image);
        image.write(&folder.join(name), input.adopted);
    }
}
