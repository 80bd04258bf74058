//! Rules that compilers and linters don't know: who may use whom, lengths, characters, links. docs/architecture.md says why.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What a module of `src/` may use of the crate, besides itself.
const USES: [(&str, &[&str]); 15] = [
    ("sync", &[]),
    ("sys", &[]),
    // The layout's constants are below everything.
    ("error", &["slab::layout"]),
    ("slab", &["sync", "error"]),
    ("epoch", &["sync", "error", "slab"]),
    ("trace", &["error", "slab", "epoch"]),
    ("durable", &["sync", "sys", "error", "slab", "epoch"]),
    ("open", &["sync", "sys", "error", "slab", "epoch", "durable"]),
    // Values contain collections, and collections have values as keys: two halves of one layer.
    ("value", &["sys", "error", "slab", "epoch", "coll"]),
    ("coll", &["error", "slab", "value"]),
    ("handle", &["sys", "error", "slab", "epoch", "durable", "open", "value"]),
    ("collect", &["error", "slab", "handle", "trace"]),
    (
        "txn",
        &["sys", "error", "slab", "epoch", "value", "coll", "handle", "collect"],
    ),
    (
        "tools",
        &[
            "sys", "error", "slab", "epoch", "durable", "open", "value", "coll", "handle", "txn",
        ],
    ),
    (
        "capi",
        &[
            "error", "slab", "open", "value", "coll", "handle", "txn", "tools", "trace",
        ],
    ),
];

/// Files that loom runs: they use nothing but `sync` and each other.
const MODELLED: [&str; 6] = [
    "src/epoch/group.rs",
    "src/epoch/hold.rs",
    "src/epoch/pin.rs",
    "src/epoch/record.rs",
    "src/epoch/wait.rs",
    "src/slab/cell.rs",
];

/// Modules that are compiled on Unix only. All others also run on a page's main thread, which must not block, and without files.
const UNIX_ONLY: [&str; 14] = [
    "src/sys/unix.rs",
    "src/epoch/held.rs",
    "src/open/create.rs",
    "src/open/file.rs",
    "src/open/found.rs",
    "src/open/grow.rs",
    "src/open/join.rs",
    "src/open/liveness.rs",
    "src/open/space.rs",
    "src/open/syncer.rs",
    "src/durable/recover.rs",
    "src/tools/backup.rs",
    "src/tools/compact.rs",
    "src/tools/trailer.rs",
];
const BLOCKING: [&str; 12] = [
    "Mutex",
    "RwLock",
    "Condvar",
    "Barrier",
    "OnceLock",
    "LazyLock",
    "mpsc",
    "thread::sleep",
    "thread::park",
    "std::fs",
    "std::os::",
    "libc::",
];

const FILE_LINES: usize = 1000;
const FUNCTION_LINES: usize = 90;
const LINE_CHARACTERS: usize = 160;
/// Files that a program writes.
const GENERATED: [&str; 5] = [
    "include/eve.h",
    "include/eve_layout.h",
    "java/eve/Layout.java",
    "js/layout.js",
    "Cargo.lock",
];
/// Folders of things that are built, downloaded or data.
const SKIPPED: [&str; 7] = [
    "target",
    "node_modules",
    "build",
    "prebuilds",
    "data",
    ".git",
    ".cpcache",
];
const EXTENSIONS: [&str; 23] = [
    "rs", "toml", "java", "clj", "edn", "js", "mjs", "ts", "cc", "cpp", "c", "h", "hpp", "gyp", "sh", "awk", "md",
    "json", "yml", "xml", "html", "css", "",
];

/// What stands for the bytes of a file that is not a text.
const NOT_TEXT: &str = "\0";

/// A text file of the repository; `path` is relative, with `/`.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn extension(&self) -> &str {
        Path::new(&self.path).extension().and_then(|e| e.to_str()).unwrap_or("")
    }

    fn is_rust(&self) -> bool {
        self.extension() == "rs"
    }

    /// Code of the library itself, not of its tests. (The command uses it from outside: the compiler sees to that.)
    fn is_core(&self) -> bool {
        self.is_rust()
            && self.path.starts_with("src/")
            && !self.path.starts_with("src/bin/")
            && !self.path.contains("test")
            && self.path != "src/durable/memory.rs"
    }

    /// The code of a core file before its tests.
    fn core_code(&self) -> String {
        let end = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        code_of(&self.text[..end])
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .file_name()
                .unwrap()
                .to_str()
                .expect("file names are ASCII")
                .to_owned();
            // In a work tree it is a file with a path.
            if name == ".git" {
                continue;
            }
            if path.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    folders.push(path);
                }
                continue;
            }
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
            let generated = name == "package-lock.json" || GENERATED.iter().any(|g| path == root().join(g));
            if !EXTENSIONS.contains(&extension) || generated {
                continue;
            }
            let relative = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            found.push(Source {
                path: relative,
                text: String::from_utf8(fs::read(&path).unwrap()).unwrap_or(NOT_TEXT.into()),
            });
        }
    }
    assert!(found.len() > 100, "found only {} files", found.len());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Fails with all `faults`, if there are any.
fn report(rule: &str, faults: Vec<String>) {
    assert!(faults.is_empty(), "{rule}:\n  {}\n", faults.join("\n  "));
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_'
}

/// Places of `word` in `text` where it stands alone. (A word that ends in a sign only has to begin alone.)
fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = text.as_bytes();
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let end = at + word.len();
        (at == 0 || !is_word(bytes[at - 1])) && (end == bytes.len() || !is_word(bytes[end]) || !is_word(bytes[end - 1]))
    })
}

/// Rust code with its comments, strings and characters blanked out; lines stay where they are.
fn code_of(text: &str) -> String {
    let b = text.as_bytes();
    let mut out = b.to_vec();
    let mut i = 0;
    while i < b.len() {
        let end = match b[i] {
            b'/' if b[i..].starts_with(b"//") => text[i..].find('\n').map_or(b.len(), |n| i + n),
            b'/' if b[i..].starts_with(b"/*") => block_comment_end(b, i),
            b'"' => string_end(b, i),
            b'r' if i == 0 || !is_word(b[i - 1]) || b[i - 1] == b'b' => raw_string_end(text, i).unwrap_or(i),
            b'\'' => char_end(b, i),
            _ => i,
        };
        for c in &mut out[i..end] {
            if *c != b'\n' {
                *c = b' ';
            }
        }
        i = end.max(i + 1);
    }
    String::from_utf8(out).expect("whole characters were replaced")
}

fn block_comment_end(b: &[u8], start: usize) -> usize {
    let (mut i, mut depth) = (start, 0);
    while i < b.len() {
        if b[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if b[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    b.len()
}

fn string_end(b: &[u8], start: usize) -> usize {
    let mut i = start + 1;
    while i < b.len() && b[i] != b'"' {
        i += if b[i] == b'\\' { 2 } else { 1 };
    }
    (i + 1).min(b.len())
}

fn raw_string_end(text: &str, start: usize) -> Option<usize> {
    let body = &text[start + 1..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    if !body[hashes..].starts_with('"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let from = start + 2 + hashes;
    Some(text[from..].find(&close).map_or(text.len(), |n| from + n + close.len()))
}

/// End of the character literal at `start`; `start` if a lifetime is there.
fn char_end(b: &[u8], start: usize) -> usize {
    if b.get(start + 1) == Some(&b'\\') {
        return b[start + 3..]
            .iter()
            .position(|&c| c == b'\'')
            .map_or(b.len(), |n| start + 3 + n + 1);
    }
    // One character of up to four bytes.
    (start + 2..start + 6)
        .find(|&i| b.get(i) == Some(&b'\'') && (i == start + 2 || b[start + 1] >= 0x80))
        .map_or(start, |i| i + 1)
}

#[test]
fn the_scanner_tells_code_from_text() {
    let code =
        code_of("a(\"// \\\" b\"); // c\n/* d /* e */ f */ g('h', '\\'', 'i: \u{e4}); r#\"j \" k\"# l b'\"' m<'n>()");
    for gone in ["b\"", "c", "d", "e", "f", "'h'", "j", "k"] {
        assert!(!code.contains(gone), "{gone} is left in {code}");
    }
    for kept in ["a(", "g(", "l", "m<'n>", "\n"] {
        assert!(code.contains(kept), "{kept} is missing in {code}");
    }
    assert_eq!(
        words("Mutex MutexGuard aMutex Mutex", "Mutex").collect::<Vec<_>>(),
        [0, 24]
    );
    assert_eq!(words("libc::open xlibc::open", "libc::").collect::<Vec<_>>(), [0]);
    assert_eq!(
        functions("fn a<T>(x: [u8; 2]) {\n{}\n}\ntrait T { fn b(); }"),
        [("a".into(), 1, 3)]
    );
    assert_eq!(anchor("2.1 Doubles, `and` more"), "21-doubles-and-more");
}

/// The paths that follow `crate::` in the code, with their places: module, or module::submodule.
fn crate_paths(code: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for at in words(code, "crate::") {
        let rest = &code[at + "crate::".len()..];
        let names = match rest.strip_prefix('{') {
            Some(group) => group[..group.find('}').expect("a closed group")]
                .split(',')
                .map(str::trim)
                .collect(),
            None => vec![rest],
        };
        for name in names.into_iter().filter(|n| !n.is_empty()) {
            let end = name
                .bytes()
                .position(|c| !is_word(c) && c != b':')
                .unwrap_or(name.len());
            found.push((name[..end].split("::").take(2).collect::<Vec<_>>().join("::"), at));
        }
    }
    found
}

/// The module of a name that `lib.rs` exports.
fn exports() -> HashMap<String, String> {
    let lib = code_of(&fs::read_to_string(root().join("src/lib.rs")).unwrap());
    let mut names = HashMap::new();
    for line in lib.lines().filter_map(|l| l.trim().strip_prefix("pub use ")) {
        let (module, rest) = line.trim_end_matches(';').split_once("::").expect("a path");
        for name in rest.trim_matches(|c| c == '{' || c == '}').split(',') {
            names.insert(name.trim().to_owned(), module.to_owned());
        }
    }
    assert_eq!(names["Slab"], "handle");
    names
}

#[test]
fn modules_use_only_what_stands_below_them() {
    let exports = exports();
    let allowed: HashMap<&str, &[&str]> = USES.into_iter().collect();
    let mut faults = Vec::new();
    for s in sources().iter().filter(|s| s.is_core() && s.path != "src/lib.rs") {
        let module = s.path["src/".len()..].split(['/', '.']).next().unwrap();
        let Some(uses) = allowed.get(module) else {
            faults.push(format!("{}: the module {module} is not in the table", s.path));
            continue;
        };
        let code = s.core_code();
        for (path, at) in crate_paths(&code) {
            let first = path.split("::").next().unwrap();
            let used = exports.get(first).map_or(first, String::as_str);
            let fine = used == module || uses.iter().any(|u| *u == used || *u == path);
            let pure = !MODELLED.contains(&s.path.as_str()) || used == "sync";
            let leaf = s.path != "src/slab/layout.rs";
            if !(fine && pure && leaf) {
                faults.push(format!("{}:{} uses {path}", s.path, line_of(&code, at)));
            }
        }
    }
    report("a module uses one that doesn't stand below it", faults);
}

#[test]
fn what_also_runs_in_browsers_neither_blocks_nor_uses_files() {
    let mut faults = Vec::new();
    for path in UNIX_ONLY.iter().chain(&MODELLED) {
        assert!(root().join(path).is_file(), "{path} is gone: correct the table");
    }
    for s in sources()
        .iter()
        .filter(|s| s.is_core() && !UNIX_ONLY.contains(&s.path.as_str()))
    {
        let code = s.core_code();
        for word in BLOCKING {
            faults.extend(words(&code, word).map(|at| format!("{}:{} uses {word}", s.path, line_of(&code, at))));
        }
    }
    report("these need an operating system", faults);
}

#[test]
fn sequential_consistency_is_for_fences_only() {
    let mut faults = Vec::new();
    for s in sources().iter().filter(|s| s.is_core()) {
        let code = s.core_code();
        for at in words(&code, "SeqCst") {
            let before = code[..at]
                .trim_end_matches("Ordering::")
                .trim_end_matches("atomic::")
                .trim_end();
            if !before.ends_with("fence(") {
                faults.push(format!("{}:{}", s.path, line_of(&code, at)));
            }
        }
    }
    report(
        "an ordering of SeqCst that is not a fence's (say what pairs with what, or use sync::full_fence)",
        faults,
    );
}

#[test]
fn nothing_is_left_unfinished() {
    let mut faults = Vec::new();
    for s in sources().iter().filter(|s| s.is_rust()) {
        let code = code_of(&s.text);
        for word in ["todo!", "unimplemented!", "dbg!"] {
            faults.extend(words(&code, word).map(|at| format!("{}:{} has {word}", s.path, line_of(&code, at))));
        }
    }
    report("unfinished", faults);
}

/// Name, line and number of lines of every function with a body.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for at in words(code, "fn") {
        let rest = code[at + 2..].trim_start();
        let name = &rest[..rest.bytes().position(|c| !is_word(c)).unwrap_or(rest.len())];
        if name.is_empty() {
            continue; // a function type
        }
        let (mut depth, mut nested) = (0, 0);
        for (i, c) in code[at..].bytes().enumerate() {
            match c {
                b'(' | b'[' => nested += 1,
                b')' | b']' => nested -= 1,
                b';' if depth == 0 && nested == 0 => break,
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => continue,
            }
            if c == b'}' && depth == 0 {
                found.push((
                    name.to_owned(),
                    line_of(code, at),
                    code[at..=at + i].matches('\n').count() + 1,
                ));
                break;
            }
        }
    }
    found
}

#[test]
fn files_functions_and_lines_are_short() {
    let mut faults = Vec::new();
    for s in sources() {
        let lines = s.text.lines().count();
        if lines > FILE_LINES {
            faults.push(format!("{}: {lines} lines, more than {FILE_LINES}", s.path));
        }
        if !s.is_rust() {
            continue;
        }
        for (i, line) in s
            .text
            .lines()
            .enumerate()
            .filter(|(_, l)| l.chars().count() > LINE_CHARACTERS)
        {
            faults.push(format!(
                "{}:{}: {} characters, more than {LINE_CHARACTERS}",
                s.path,
                i + 1,
                line.chars().count()
            ));
        }
        for (name, line, lines) in functions(&code_of(&s.text))
            .into_iter()
            .filter(|f| f.2 > FUNCTION_LINES)
        {
            faults.push(format!(
                "{}:{line}: fn {name} has {lines} lines, more than {FUNCTION_LINES}",
                s.path
            ));
        }
    }
    report("too long", faults);
}

#[test]
fn sources_are_plain() {
    // Written so that this file doesn't hold them.
    let machine = [["/ho", "me/"], ["/ro", "ot/"], ["/tm", "p/"], ["/wo", "rk/"]].map(|p| p.concat());
    let mut faults = Vec::new();
    for s in sources() {
        for (i, line) in s.text.lines().enumerate() {
            let mut fault = |what: &str| faults.push(format!("{}:{}: {what}", s.path, i + 1));
            if line == NOT_TEXT {
                fault("not a text");
            }
            if line.contains('\t') && s.path != "Makefile" {
                fault("a tab");
            }
            if line.ends_with(' ') || line.ends_with('\r') {
                fault("white space at the end of the line");
            }
            if s.extension() != "md" && !line.is_ascii() {
                fault("a character that is not ASCII; write its escape");
            }
            // "./work/" and the like are no paths of a machine.
            let begins = |at: usize| at == 0 || !is_word(line.as_bytes()[at - 1]) && !line[..at].ends_with('.');
            if machine
                .iter()
                .any(|p| line.match_indices(p.as_str()).any(|(at, _)| begins(at)))
            {
                fault("a path of somebody's machine");
            }
        }
    }
    report("not plain", faults);
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_lead_somewhere() {
    let mut faults = Vec::new();
    for s in sources().iter().filter(|s| s.extension() == "md") {
        for (at, _) in s.text.match_indices("](") {
            let rest = &s.text[at + 2..];
            let target = rest[..rest.find(')').unwrap_or(0)]
                .split_whitespace()
                .next()
                .unwrap_or("");
            if target.starts_with("http://") || target.starts_with("https://") {
                continue;
            }
            let (file, part) = target.split_once('#').unwrap_or((target, ""));
            let here = root().join(&s.path);
            let path = if file.is_empty() {
                here
            } else {
                here.parent().unwrap().join(file)
            };
            let fine = match fs::read_to_string(&path) {
                _ if target.is_empty() => false,
                _ if part.is_empty() => path.exists(),
                Ok(text) => text
                    .lines()
                    .any(|l| l.starts_with('#') && anchor(l.trim_start_matches('#')) == part),
                Err(_) => false,
            };
            if !fine {
                faults.push(format!("{}:{}: {target}", s.path, line_of(&s.text, at)));
            }
        }
    }
    report("links that lead nowhere", faults);
}
