//! The command `eve`, run as users run it: output, exit statuses, wrong input.
#![cfg(all(unix, feature = "cli", not(eve_sanitize)))]

use eve::{Options, Slab};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eve"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Standard output of a run that must succeed.
    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let out = self.run(arguments);
        assert!(out.status.success(), "{arguments:?}: {}", text(&out.stderr));
        assert_eq!(text(&out.stderr), "", "{arguments:?}");
        text(&out.stdout)
    }

    /// A run that must end with `status` and say all of `words` on standard error.
    #[track_caller]
    fn fails(&self, status: i32, words: &[&str], arguments: &[&str]) {
        let out = self.run(arguments);
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(status), "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?}: {word:?} is not in {said:?}");
        }
        assert!(!said.contains("panicked"), "{said}");
    }

    /// A run with something on standard input.
    fn fed(&self, input: &str, arguments: &[&str]) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The command may end before it has read all.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let out = self.run(arguments);
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {}", text(&out.stdout)))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn values_are_set_got_and_updated_by_path() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    assert_eq!(f.ok(&["set", "s", ":counter", "[]", "41"]), "");
    assert_eq!(f.ok(&["update", "s", ":counter", "[]", "inc"]), "42\n");
    assert_eq!(f.ok(&["get", "s", ":counter"]), "42\n");
    f.ok(&["set", "s", ":a", "[]", "{:list [1 2 {\"k\" nil}]}"]);
    f.ok(&["set", "s", ":a", "[:list 2 \"k\"]", "#{:deep}"]);
    assert_eq!(f.ok(&["get", "s", ":a", "[:list 2]"]), "{\"k\" #{:deep}}\n");
    f.ok(&["set", "s", ":a", "[:new :maps]", "-5"]);
    assert_eq!(f.ok(&["get", "s", ":a", "[:new]", "--json"]), "{\"maps\":-5}\n");
    let set = f.json(&["set", "s", ":a", "[]", "7", "--json"]);
    assert_eq!(set["value"], 7);
    assert!(set["version"].as_u64().unwrap() > 5);
    assert_eq!(f.ok(&["get", "s", ":a"]), "7\n");
}

#[test]
fn every_function_of_update_does_what_clojure_does() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    for (old, call, new) in [
        ("1", "dec", "0"),
        ("1", "+ 2 3", "6"),
        ("10", "- 2 3", "5"),
        ("3", "* 2 -1", "-6"),
        ("1", "+ 0.5", "1.5"),
        ("9223372036854775806", "inc", "9223372036854775807"),
        ("3", "max 9 4", "9"),
        ("3", "min 9 1.5", "1.5"),
        ("[1]", "conj 2 3", "[1 2 3]"),
        ("(1)", "conj 2", "(2 1)"),
        ("nil", "conj 2", "(2)"),
        ("#{1 2}", "disj 2", "#{1}"),
        ("[1 2]", "pop", "[1]"),
        ("(1 2)", "pop", "(2)"),
        ("{:a 1}", "assoc :b 2", "{:a 1, :b 2}"),
        ("[1 2]", "assoc 0 :x 2 3", "[:x 2 3]"),
        ("nil", "assoc :b 2", "{:b 2}"),
        ("{:a 1, :b 2}", "dissoc :a", "{:b 2}"),
        ("{:a 1}", "merge {:a 2} nil {:c 3}", "{:a 2, :c 3}"),
        ("nil", "merge {:a 2}", "{:a 2}"),
        ("nil", "not", "true"),
        ("0", "not", "false"),
    ] {
        f.ok(&["set", "s", "x", "[]", old]);
        let words: Vec<&str> = match call.split_once(' ') {
            Some(("merge", rest)) => ["merge"].into_iter().chain(rest.split_inclusive(['}', 'l'])).collect(),
            _ => call.split(' ').collect(),
        };
        let arguments: Vec<&str> = ["update", "s", "x", "[]"].into_iter().chain(words).collect();
        assert_eq!(f.ok(&arguments), format!("{new}\n"), "{old} {call}");
    }
    for (old, call) in [
        ("\"text\"", "inc"),
        ("9223372036854775807", "inc"),
        ("5", "conj"),
        ("[]", "pop"),
        ("[1]", "merge"),
        ("[1]", "assoc"),
    ] {
        f.ok(&["set", "s", "x", "[]", old]);
        let mut arguments = vec!["update", "s", "x", "[]", call];
        let more: &[&str] = match call {
            "conj" => &["1"],
            "merge" => &["{}"],
            "assoc" => &["5", "1"],
            _ => &[],
        };
        arguments.extend(more);
        f.fails(1, &["eve: "], &arguments);
        assert_eq!(f.ok(&["get", "s", "x"]), format!("{old}\n"), "unchanged");
    }
}

#[test]
fn wrong_input_is_an_error_that_says_what_to_do() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    f.ok(&["set", "s", ":a", "[]", "[1]"]);
    f.fails(2, &["unrecognized subcommand"], &["nonsense"]);
    f.fails(2, &["Usage"], &["get", "s"]);
    f.fails(2, &["EDN", "line 1"], &["set", "s", ":a", "[]", "{:a"]);
    f.fails(2, &["a path is a vector"], &["get", "s", ":a", "5"]);
    f.fails(2, &["a second value"], &["get", "s", ":a :b"]);
    f.fails(2, &["possible values"], &["update", "s", ":a", "[]", "nonsense"]);
    f.fails(2, &["takes no further"], &["update", "s", ":a", "[]", "inc", "1"]);
    f.fails(2, &["keys and values"], &["update", "s", ":a", "[]", "assoc", "1"]);
    f.fails(2, &["octal"], &["create", "t", "--mode", "777"]);
    f.fails(1, &["no atom :b", "eve stat"], &["get", "s", ":b"]);
    f.fails(1, &["nothing under"], &["get", "s", ":a", "[7]"]);
    f.fails(1, &["eve set"], &["update", "s", ":b", "[]", "inc"]);
    f.fails(1, &["indices"], &["set", "s", ":a", "[:no-index]", "1"]);
    f.fails(1, &["indices"], &["set", "s", ":a", "[7]", "1"]);
    f.fails(3, &["does not exist"], &["get", "missing", ":a"]);
    f.fails(3, &["exists"], &["create", "s"]);
    fs::write(
        f.path("text"),
        "this is no slab, but it is longer than the eighty bytes that a slab's first page has at the least",
    )
    .unwrap();
    for command in ["stat", "verify", "dump"] {
        f.fails(3, &["is not a slab"], &[command, "text"]);
    }
    f.fails(3, &["is not a slab", "not a regular file"], &["stat", "."]);
    f.fails(3, &["is not a slab", "folder"], &["set", ".", ":a", "[]", "1"]);
    f.fails(3, &["exists already"], &["backup", "s", "text"]);
    f.fails(3, &["exists already"], &["compact", "s", "text"]);
    f.fails(3, &["can't be made"], &["dump", "s", "--output", "text"]);
    f.fails(3, &["can't be opened"], &["load", "s", "no-such-file"]);
    assert_eq!(f.ok(&["get", "s", ":a"]), "[1]\n", "nothing has changed");
}

/// Atoms with everything that EDN has.
const EVERYTHING: &str = r##"{:numbers [0 -1 9223372036854775807 1.5 -0.0 1.0E300 ##Inf 5N 92233720368547758070N 1/3 1.50M]
 :texts ["" "short" "a longer text with \"quotes\", \\ and \n" "\u00e4\ud83d\ude00" "\ud800" \a \newline \space]
 :names [:a :b/c d e/f]
 "a text as a name" nil
 [:a "vector"] {:nested {:maps [{} [] #{} ()]}}
 :tagged [#uuid "00112233-4455-6677-8899-aabbccddeeff" #inst "2026-11-23T12:06:00.500-00:00"
          #eve/bytes "00ff" #eve/instant "2026-11-23T12:06:00.500Z"]
 :bool [true false nil]
 :list (1 2 3)
 :set #{1}}"##;

#[test]
fn a_dump_loads_as_what_it_was() {
    let f = Folder::new();
    fs::write(f.path("all.edn"), EVERYTHING).unwrap();
    assert_eq!(f.ok(&["load", "s", "all.edn", "--create"]), "9 atoms loaded\n");
    let dump = f.ok(&["dump", "s"]);
    let out = f.fed(&dump, &["load", "t", "--create"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(f.ok(&["dump", "t"]), dump);
    for part in [
        "##Inf 5N 92233720368547758070N 1/3 1.50M]",
        "\"\\ud800\" \\a \\newline",
        "#eve/bytes \"00ff\"",
        "\"a text as a name\" nil",
    ] {
        assert!(dump.contains(part), "{part} in {dump}");
    }
    f.ok(&["verify", "t"]);
    f.ok(&["dump", "s", "--output", "again.edn"]);
    assert_eq!(fs::read_to_string(f.path("again.edn")).unwrap(), dump);
    assert_eq!(f.ok(&["dump", "s", ":list", ":set"]), "{:list (1 2 3)\n :set #{1}}\n");
    f.fails(1, &["no atom :none"], &["dump", "s", ":none"]);
}

#[test]
fn large_dumps_go_through_in_many_transactions() {
    let f = Folder::new();
    let mut edn = String::from("{");
    for i in 0..2000 {
        edn += &format!(
            ":atom{i} {{:id {i} :text \"{}\" :tags #{{:t{} :u}}}}\n",
            "x".repeat(i % 500),
            i % 7
        );
    }
    edn += "}";
    fs::write(f.path("in.edn"), &edn).unwrap();
    assert_eq!(f.ok(&["load", "s", "in.edn", "--create"]), "2000 atoms loaded\n");
    assert_eq!(f.ok(&["get", "s", ":atom1999", "[:id]"]), "1999\n");
    fs::write(f.path("out.edn"), f.ok(&["dump", "s"])).unwrap();
    assert_eq!(f.ok(&["load", "t", "out.edn", "--create"]), "2000 atoms loaded\n");
    assert_eq!(f.ok(&["get", "t", ":atom77"]), f.ok(&["get", "s", ":atom77"]));
    f.ok(&["verify", "t"]);
}

#[test]
fn json_goes_both_ways_and_never_loses_an_entry_silently() {
    let f = Folder::new();
    let json = r#"{"users": {"ada": {"age": 36, "tags": ["x", null, true]}}, "pi": 3.25, "big": 123456789012345678901234567890, "a/b": "\u00e4"}"#;
    fs::write(f.path("in.json"), json).unwrap();
    assert_eq!(
        f.ok(&["load", "s", "in.json", "--format", "json", "--create"]),
        "4 atoms loaded\n"
    );
    assert_eq!(f.ok(&["get", "s", ":users", "[\"ada\" \"age\"]"]), "36\n");
    assert_eq!(f.ok(&["get", "s", ":big"]), "123456789012345678901234567890N\n");
    assert_eq!(f.ok(&["get", "s", ":a/b"]), "\"\u{e4}\"\n");
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(parsed(&f.ok(&["dump", "s", "--format", "json"])), parsed(json));
    f.ok(&["load", "k", "in.json", "--format", "json", "--create", "--keywords"]);
    assert_eq!(f.ok(&["get", "k", ":users", "[:ada :age]"]), "36\n");
    f.ok(&[
        "set",
        "s",
        ":odd",
        "[]",
        "[:k sym \\c 1/3 1.5M ##NaN #{1} (2) #uuid \"00112233-4455-6677-8899-aabbccddeeff\"]",
    ]);
    assert_eq!(
        f.ok(&["get", "s", ":odd", "--json"]),
        "[\"k\",\"sym\",\"c\",\"1/3\",1.5,\"NaN\",[1],[2],\"00112233-4455-6677-8899-aabbccddeeff\"]\n"
    );
    f.ok(&["set", "s", ":twice", "[]", "{:a 1, \"a\" 2}"]);
    f.fails(
        1,
        &["two different keys", "\"a\"", "EDN"],
        &["get", "s", ":twice", "--json"],
    );
    for (wrong, words) in [
        ("[1]", "object of atoms"),
        ("{\"a\": 1", "EOF"),
        ("{\"a\": 1} 2", "trailing"),
        ("{\"a\": nope}", "line 1"),
    ] {
        let out = f.fed(wrong, &["load", "s", "--format", "json"]);
        assert_eq!(out.status.code(), Some(2), "{wrong}");
        assert!(text(&out.stderr).contains(words), "{wrong}: {}", text(&out.stderr));
    }
}

#[test]
fn what_comes_before_an_error_of_a_load_is_kept_and_the_place_is_told() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    for (wrong, words) in [
        ("{:a 1\n :b [}", "line 2"),
        ("{:a 1 :b}", "no value"),
        ("[:a 1]", "map of atoms"),
        ("{:a 1} :b", "follows"),
        ("{:a 1", "ends before }"),
    ] {
        let out = f.fed(wrong, &["load", "s"]);
        assert_eq!(out.status.code(), Some(2), "{wrong}");
        assert!(text(&out.stderr).contains(words), "{wrong}: {}", text(&out.stderr));
    }
    assert_eq!(f.ok(&["get", "s", ":a"]), "1\n");
}

fn flip(path: &Path, at: u64, bits: u8) {
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ bits], at).unwrap();
}

/// Offset of a text in a file.
fn place_of(path: &Path, text: &str) -> u64 {
    let bytes = fs::read(path).unwrap();
    bytes.windows(text.len()).position(|w| w == text.as_bytes()).unwrap() as u64
}

#[test]
fn verify_finds_damage_and_says_where() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    f.ok(&["set", "s", ":a", "[]", "{:x [1 \"a text of some length\"]}"]);
    assert!(f.ok(&["verify", "s"]).contains("s is sound"));
    let report = f.json(&["verify", "s", "--json"]);
    assert_eq!(
        (&report["sound"], &report["total"]),
        (&Value::Bool(true), &Value::from(0))
    );
    flip(&f.path("s"), place_of(&f.path("s"), "a text of some length") + 3, 0x01);
    let out = f.run(&["verify", "s"]);
    assert_eq!(out.status.code(), Some(1));
    let said = text(&out.stdout);
    assert!(
        said.contains("hash") && said.contains(":a [:x 1]") && said.contains("1 findings"),
        "{said}"
    );
    assert!(!said.contains('\x1b'), "no colours where there is no terminal");
    let report = f.json(&["verify", "s", "--json"]);
    assert_eq!(report["findings"][0]["path"], ":a [:x 1]");
    assert_eq!(report["counts"]["hash"], 1);
    // So damaged that it can't be opened.
    for place in [0x4000 + 100, 0x8000 + 100] {
        flip(&f.path("s"), place, 0xFF);
    }
    let out = f.run(&["verify", "s"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("superblocks"), "{}", text(&out.stderr));
    assert_eq!(f.json(&["verify", "s", "--json"])["findings"][0]["kind"], "refused");
}

#[test]
fn a_backup_is_a_slab_and_commands_that_only_read_leave_its_checksums() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    f.ok(&["set", "s", ":a", "[]", "\"a text of some length\""]);
    let report = f.json(&["backup", "s", "b", "--json"]);
    assert!(report["bytes"].as_u64().unwrap() > 3 << 20);
    f.ok(&["get", "b", ":a"]);
    f.ok(&["stat", "b"]);
    f.ok(&["dump", "b"]);
    assert!(f.json(&["verify", "b", "--json"])["checksums"].as_u64().unwrap() > 50);
    flip(
        &f.path("b"),
        place_of(&f.path("b"), "a text of some length") + 0x3000,
        1,
    );
    let report = f.json(&["verify", "b", "--json"]);
    assert_eq!(report["counts"]["checksum"], 1, "{report}");
    f.ok(&["set", "b", ":b", "[]", "1"]);
    assert_eq!(f.json(&["verify", "b", "--json"])["checksums"], Value::Null);
    assert!(f.ok(&["compact", "b", "c"]).contains("2 atoms"));
    assert_eq!(f.ok(&["get", "c", ":a"]), f.ok(&["get", "s", ":a"]));
}

#[test]
fn stat_tells_versions_room_processes_pins_and_atoms() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    f.ok(&["set", "s", ":map", "[]", "{:a 1, :b 2}"]);
    f.ok(&["set", "s", "name", "[]", "\"x\""]);
    let said = f.ok(&["stat", "s"]);
    for part in [
        "version ",
        "cell bytes",
        ":map  map of 2",
        "name  string",
        "nobody has it open",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let slab = Slab::open(&f.path("s"), &Options::default()).unwrap();
    let snapshot = slab.snapshot().unwrap();
    let group = slab.open_group().unwrap();
    slab.group_view(group).unwrap();
    let stat = f.json(&["stat", "s", "--json"]);
    let me = std::process::id();
    assert_eq!(stat["version"], snapshot.view().version);
    let mine = |kind: &str| {
        let pins = stat["pins"].as_array().unwrap();
        pins.iter().filter(|p| p["pid"] == me && p["kind"] == kind).count()
    };
    assert_eq!((mine("snapshot"), mine("handles")), (1, 1), "{stat}");
    let alive: Vec<_> = stat["participants"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| p["pid"] == me)
        .collect();
    assert_eq!(alive[0]["alive"], true);
    assert_eq!(stat["atoms"].as_array().unwrap().len(), 2);
    let (objects, classes) = (stat["objects"].as_u64().unwrap(), stat["classes"].as_array().unwrap());
    assert_eq!(
        objects,
        classes.iter().map(|c| c["live"].as_u64().unwrap()).sum::<u64>()
    );
}

#[test]
fn watch_prints_each_change_and_ends_cleanly_when_it_is_interrupted() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    f.ok(&["set", "s", ":a", "[]", "[0]"]);
    let mut watch = f
        .command(&["watch", "s", ":a", "[0]"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "0");
    for i in 1..5 {
        // A change elsewhere is none.
        f.ok(&["set", "s", ":other", "[]", &i.to_string()]);
        f.ok(&["update", "s", ":a", "[0]", "inc"]);
        assert_eq!(lines.next().unwrap().unwrap(), i.to_string());
    }
    let pid = watch.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(watch.wait().unwrap().code(), Some(130));
    assert!(lines.next().is_none());
    f.ok(&["verify", "s"]);
    assert_eq!(f.ok(&["watch", "s", ":a", "--count", "1"]), "[4]\n");
    assert_eq!(f.ok(&["watch", "s", ":none", "--count", "1", "--json"]), "null\n");
}

#[test]
fn top_prints_lines_where_there_is_no_terminal() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    let said = f.ok(&["top", "s", "--interval", "0.05", "--count", "3"]);
    assert_eq!(said.lines().count(), 3);
    assert!(
        said.lines()
            .all(|l| l.starts_with("version 1 ") && l.contains("processes 1")),
        "{said}"
    );
    f.fails(2, &["0.05"], &["top", "s", "--interval", "0"]);
}

#[test]
fn the_self_test_passes_here_and_leaves_nothing_behind() {
    let f = Folder::new();
    let report = f.json(&["selftest", ".", "--json"]);
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["tests"].as_array().unwrap().len(), 8);
    assert_eq!(fs::read_dir(f.0.path()).unwrap().count(), 0);
    f.fails(3, &["can't be used"], &["selftest", "no-such-folder"]);
}

#[test]
fn output_that_nobody_reads_ends_the_command_quietly() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    let long = format!("[{}]", "\"a text of some length\" ".repeat(4000));
    f.fed(&format!("{{:a {long} :b {long} :c {long} :d {long}}}"), &["load", "s"]);
    let mut dump = f
        .command(&["dump", "s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 100];
    dump.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let out = dump.wait_with_output().unwrap();
    assert_eq!((out.status.code(), text(&out.stderr).as_str()), (Some(0), ""));
}

#[test]
fn a_slab_that_can_only_be_read_is_read_and_not_written() {
    let f = Folder::new();
    f.ok(&["create", "s", "--mode", "640"]);
    f.ok(&["set", "s", ":a", "[]", "1"]);
    assert_eq!(fs::metadata(f.path("s")).unwrap().permissions().mode() & 0o777, 0o640);
    fs::set_permissions(f.path("s"), fs::Permissions::from_mode(0o440)).unwrap();
    assert_eq!(f.ok(&["get", "s", ":a"]), "1\n");
    assert!(f.ok(&["verify", "s"]).contains("sound"));
    // Root may write all the same.
    if fs::OpenOptions::new().write(true).open(f.path("s")).is_err() {
        f.fails(3, &["read-only"], &["set", "s", ":a", "[]", "2"]);
    }
}

#[test]
fn a_writer_that_was_killed_loses_nothing_for_commands_that_read() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    f.ok(&["set", "s", ":a", "[]", "0"]);
    // A process that commits without syncing and dies.
    let mut child = f.command(&["watch", "s", ":a"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    f.ok(&["set", "s", ":a", "[]", "1"]);
    assert_eq!(lines.next().unwrap().unwrap(), "1");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(f.ok(&["get", "s", ":a"]), "1\n");
    f.ok(&["verify", "s", "--write"]);
}

#[test]
fn gc_frees_what_two_atoms_shared() {
    let f = Folder::new();
    f.ok(&["create", "s"]);
    {
        let s = eve::Slab::open(&f.path("s"), &eve::Options::default()).unwrap();
        let name = |i: i64| eve::value::word::from_int(i).unwrap();
        eve::transact(&s, |t| {
            let text = t.write(|w| eve::value::text::make(w, "a text in two atoms".as_bytes()))?;
            t.set(name(1), text)?;
            t.set(name(2), text)
        })
        .unwrap();
        for i in 1..3 {
            eve::transact(&s, |t| t.remove(name(i))).unwrap();
        }
        s.close().unwrap();
    }
    // The next version goes to disk, and then the one after it: the old ones hold nothing any more.
    for i in ["1", "2"] {
        f.ok(&["set", "s", ":a", "[]", i]);
    }
    let report = f.json(&["gc", "s", "--json"]);
    assert!(report["freed"]["objects"].as_u64().unwrap() > 0, "{report}");
    let again = f.ok(&["gc", "s"]);
    assert!(
        again.contains("freed  0 objects") && again.contains("held   0 objects"),
        "{again}"
    );
    f.ok(&["verify", "s"]);
    f.fails(3, &["none"], &["gc", "none"]);
}

#[test]
fn help_has_examples_and_exit_statuses() {
    let f = Folder::new();
    let help = f.ok(&["--help"]);
    assert!(help.contains("Exit status") && help.contains("selftest"));
    for command in [
        "create", "stat", "get", "set", "update", "dump", "load", "verify", "gc", "backup", "compact", "watch", "top",
        "selftest",
    ] {
        assert!(help.contains(command));
        let help = f.ok(&[command, "--help"]);
        assert!(help.contains("Example") && help.contains("Usage"), "{command}");
        assert!(help.lines().all(|l| l.chars().count() <= 160), "{command}");
    }
    assert!(f.ok(&["--version"]).starts_with("eve 0."));
}
