//! Files that are generated from the source are committed; here they are compared. `make gen` writes them (EVE_GEN=1).

use eve::slab::layout::{LARGE_CLASSES, TABLE};
use std::fmt::Write;
use std::{env, fs, path::Path};

const NOTE: &str = "Generated from src/slab/layout.rs; do not edit (make gen).";

fn check(path: &str, content: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("EVE_GEN").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == content,
        "{path} is not what the source says: run `make gen`"
    );
}

fn classes() -> String {
    LARGE_CLASSES.map(|c| c.to_string()).join(", ")
}

#[test]
fn c_layout_header_is_current() {
    let mut s = format!(
        "/* {NOTE} docs/format.md says what the constants mean. */\n#ifndef EVE_LAYOUT_H\n#define EVE_LAYOUT_H\n\n"
    );
    for (name, value, doc) in TABLE {
        let doc = doc.trim();
        writeln!(s, "/* {doc} */\n#define EVE_L_{name} UINT64_C({value:#x})").unwrap();
    }
    s.push_str("\n#endif\n");
    check("include/eve_layout.h", &s);
}

#[test]
fn java_layout_is_current() {
    let mut s = format!("package eve;\n\n/** Offsets, sizes and tags of the slab format: docs/format.md. {NOTE} */\n");
    s.push_str("public final class Layout {\n    private Layout() {}\n\n");
    for (name, value, doc) in TABLE {
        let doc = doc.trim();
        let (ty, literal) = if *value > i32::MAX as u64 {
            ("long", format!("{value:#x}L"))
        } else {
            ("int", format!("{value:#x}"))
        };
        writeln!(s, "    /** {doc} */\n    public static final {ty} {name} = {literal};").unwrap();
    }
    writeln!(
        s,
        "    /** Sizes of the cell classes beyond 34 (class c up to 34 is 16 * c). */"
    )
    .unwrap();
    writeln!(s, "    static final int[] LARGE_CLASSES = {{{}}};\n}}", classes()).unwrap();
    check("java/eve/Layout.java", &s);
}

#[test]
fn js_layout_is_current() {
    let mut s = format!("// {NOTE} docs/format.md says what the constants mean.\n\n");
    for (name, value, doc) in TABLE {
        writeln!(s, "/** {} */\nexport const {name} = {value:#x};", doc.trim()).unwrap();
    }
    check("js/layout.js", &s);
}

#[test]
fn c_header_is_current() {
    let header = fs::read_to_string(env!("EVE_HEADER")).unwrap();
    check("include/eve.h", &header);
}
