//! Makes the C header of the source as it is now (in OUT_DIR; a test compares the committed copy), and sets the soname.

use std::{env, path::PathBuf};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    println!("cargo::rerun-if-changed=cbindgen.toml");
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    println!("cargo::rerun-if-changed=src/capi");
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(root.join("src/capi/mod.rs")) // and the files of its modules
        .generate()
        .expect("the C ABI's sources parse")
        .write_to_file(out.join("eve.h"));
    println!("cargo::rustc-env=EVE_HEADER={}", out.join("eve.h").display());
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!(
            "cargo::rustc-cdylib-link-arg=-Wl,-soname,libeve.so.{}",
            env::var("CARGO_PKG_VERSION_MAJOR").expect("set by cargo")
        );
    }
}
