//! C and C++ programs: compiled with every warning an error, linked with libeve.so and libeve.a, run.
//! Not under sanitizers, whose runtimes those programs don't have.
#![cfg(not(eve_sanitize))]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// The folder of the libraries that this test was built with. (`target/<profile>` itself may hold older ones.)
fn libraries() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().into()
}

enum Link {
    Shared,
    Static,
}

fn compile(source: &str, standard: &str, link: Link, out: &Path) -> PathBuf {
    let cpp = source.ends_with(".cpp");
    let host = std::env::consts::ARCH.to_string() + "-unknown-linux-gnu";
    let compiler = cc::Build::new()
        .cpp(cpp)
        .target(&host)
        .host(&host)
        .opt_level(1)
        .out_dir(out)
        .cargo_metadata(false)
        .get_compiler();
    let name = Path::new(source).file_stem().unwrap().to_str().unwrap();
    let tag = if matches!(link, Link::Shared) {
        "shared"
    } else {
        "static"
    };
    let program = out.join(format!("{name}-{}-{tag}", standard.replace('+', "p")));
    let mut c = Command::new(compiler.path());
    c.arg(format!("-std={standard}"))
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O2", "-I"])
        .arg(root().join("include"));
    c.arg(root().join(source)).arg("-o").arg(&program);
    match link {
        Link::Shared => {
            // The linked name is the soname; the loader finds it in our folder by that name.
            let so = libraries().join("libeve.so");
            let soname = out.join("libeve.so.0");
            if !soname.exists() {
                std::os::unix::fs::symlink(&so, &soname).unwrap();
            }
            c.arg(&so).arg(format!("-Wl,-rpath,{}", out.display()));
        }
        Link::Static => {
            c.arg(libraries().join("libeve.a"));
        }
    }
    c.args(["-lpthread", "-ldl", "-lm"]);
    let o = c.output().unwrap();
    assert!(
        o.status.success(),
        "{source} doesn't compile as {standard}:\n{}",
        String::from_utf8_lossy(&o.stderr)
    );
    program
}

fn run(program: &Path, args: &[&str]) -> Output {
    let o = Command::new(program).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&o.stdout).into_owned() + &String::from_utf8_lossy(&o.stderr);
    assert!(
        o.status.success(),
        "{} {args:?}: {}\n{text}",
        program.display(),
        o.status
    );
    o
}

#[test]
fn headers_compile_in_every_standard() {
    let temp = tempfile::tempdir().unwrap();
    for standard in ["c99", "c11", "c17"] {
        compile("tests/c/headers.c", standard, Link::Shared, temp.path());
    }
    for standard in ["c++17", "c++20"] {
        compile("tests/c/headers.cpp", standard, Link::Shared, temp.path());
    }
}

#[test]
fn a_c_program_uses_every_call() {
    let temp = tempfile::tempdir().unwrap();
    for link in [Link::Shared, Link::Static] {
        let program = compile("tests/c/calls.c", "c11", link, temp.path());
        run(&program, &[temp.path().join("calls.slab").to_str().unwrap()]);
        std::fs::remove_file(temp.path().join("calls.slab")).unwrap();
    }
}

#[test]
fn a_c_program_uses_sorted_collections() {
    let temp = tempfile::tempdir().unwrap();
    let program = compile("tests/c/sorted.c", "c11", Link::Shared, temp.path());
    run(&program, &[temp.path().join("sorted.slab").to_str().unwrap()]);
}

#[test]
fn null_closed_and_made_up_arguments_are_errors() {
    let temp = tempfile::tempdir().unwrap();
    let program = compile("tests/c/bad_arguments.c", "c11", Link::Shared, temp.path());
    run(&program, &[temp.path().join("bad.slab").to_str().unwrap()]);
}

#[test]
fn a_cpp_program_uses_the_raii_header() {
    let temp = tempfile::tempdir().unwrap();
    let program = compile("tests/c/raii.cpp", "c++17", Link::Shared, temp.path());
    run(&program, &[temp.path().join("raii.slab").to_str().unwrap()]);
}

#[test]
fn the_raii_header_answers_misuse_with_exceptions() {
    let temp = tempfile::tempdir().unwrap();
    for standard in ["c++17", "c++20"] {
        let program = compile("tests/c/misuse.cpp", standard, Link::Shared, temp.path());
        run(&program, &[temp.path().join(standard).to_str().unwrap()]);
    }
}

#[test]
fn c_reads_the_conformance_vectors() {
    let temp = tempfile::tempdir().unwrap();
    let program = compile("tests/c/vectors.c", "c11", Link::Shared, temp.path());
    let folder = root().join("tests/data/vectors");
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "slab") {
            std::fs::copy(&path, temp.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let o = run(
        &program,
        &[
            folder.join("cases.tsv").to_str().unwrap(),
            temp.path().to_str().unwrap(),
        ],
    );
    let said = String::from_utf8_lossy(&o.stdout).into_owned();
    let n: usize = said.split(' ').next().unwrap().parse().unwrap();
    assert!(n > 150, "{said}");
}

#[test]
fn counters_in_four_processes_lose_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let program = compile("examples/counter.c", "c11", Link::Shared, temp.path());
    let slab = temp.path().join("counter.slab");
    let children: Vec<_> = (0..4)
        .map(|_| {
            Command::new(&program)
                .arg(&slab)
                .arg("2000")
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut c in children {
        assert!(c.wait().unwrap().success());
    }
    let o = run(&program, &[slab.to_str().unwrap(), "1"]);
    assert!(
        String::from_utf8_lossy(&o.stdout).contains(":app/hits is 8001"),
        "{o:?}"
    );
}

#[test]
fn the_phonebook_example_works() {
    let temp = tempfile::tempdir().unwrap();
    let program = compile("examples/phonebook.cpp", "c++17", Link::Static, temp.path());
    let slab = temp.path().join("phones.slab");
    let slab = slab.to_str().unwrap();
    run(&program, &[slab, "Ada Lovelace", "+44 20 1815"]);
    run(&program, &[slab, "Grace", "1"]);
    let o = run(&program, &[slab]);
    let text = String::from_utf8_lossy(&o.stdout);
    assert!(
        text.contains("2 entries") && text.contains("Ada Lovelace: +44 20 1815"),
        "{text}"
    );
}
