//! Makes the C header of the source as it is now (in OUT_DIR; a test compares the committed copy), and sets the soname.

use std::{env, path::PathBuf};

/// The sources whose items are the C ABI.
const SOURCES: [&str; 4] = [
    "src/capi/mod.rs",
    "src/capi/slab.rs",
    "src/capi/read.rs",
    "src/capi/txn.rs",
];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    println!("cargo::rerun-if-changed=cbindgen.toml");
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        builder = builder.with_src(root.join(source));
    }
    builder
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
