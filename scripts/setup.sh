#!/bin/sh
# Sees to what a part of the project needs: checks, installs what is missing, says what it cannot install.
# Usage: scripts/setup.sh PART...    parts: rust cxx jdk maven node wasm asan tsan disks all
# Installs Debian packages (as root or with passwordless sudo), npm packages in js/ and node/, cargo crates and Maven
# artifacts; nothing else of the machine is changed. Quick when everything is there.
# Exit status: 0 all there, 77 a tool is missing that it cannot install, 1 a download failed.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/lib.sh

status=0

# cannot WHAT REMEDY...: a tool that is not there and cannot be installed from here.
cannot() {
  [ "$status" -ne 0 ] || status=$skipped
  echo "setup: missing: $1" >&2
  shift
  for remedy; do echo "  by hand: $remedy" >&2; done
  return 1
}

# broken WHAT COMMAND: something that ought to work on every machine did not.
broken() {
  status=1
  echo "setup: failed: $1; try: $2" >&2
  return 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# True when version $1 is at least $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
can_apt() { have apt-get && { [ "$(id -u)" -eq 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }; }

# apt PACKAGE...: installs them; fails if one is not known here.
apt_updated=
apt() {
  can_apt || return 1
  if [ -z "$apt_updated" ]; then
    echo "setup: apt-get update"
    as_root apt-get update -qq || return 1
    apt_updated=1
  fi
  for package; do
    apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
  done
  echo "setup: apt-get install $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

rust_min() { sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml; }
rust_is_new_enough() {
  have cargo && have rustc && at_least "$(rustc --version 2>/dev/null | cut -d ' ' -f 2)" "$(rust_min)"
}

setup_cxx() {
  { have gcc || have cc; } && { have g++ || have c++; } && have pkg-config && have make && return 0
  apt gcc g++ make pkg-config libc6-dev ||
    cannot "C and C++ compiler, make, pkg-config" "apt-get install gcc g++ make pkg-config"
}

setup_rust() {
  setup_cxx
  if ! rust_is_new_enough; then
    if have rustup; then
      echo "setup: rustup toolchain install stable"
      rustup toolchain install stable --profile minimal --component clippy,rustfmt
    elif apt rustup; then
      rustup default stable
    else
      apt rustc-web cargo-web || true # newer than rustc in the stable releases of Debian
    fi
  fi
  if ! rust_is_new_enough; then
    cannot "Rust $(rust_min) or later" "see https://rustup.rs, then: rustup toolchain install stable"
    return 1
  fi
  cargo fetch --quiet || broken "the crates of Cargo.toml" "cargo fetch"
}

setup_maven() {
  have mvn && return 0
  { have clojure && clojure -Sdescribe </dev/null 2>/dev/null | grep -q ':config-files'; } && return 0
  apt maven || cannot "Maven, which fetches Clojure" "apt-get install maven" \
    "or the Clojure CLI: https://clojure.org/guides/install_clojure"
}

setup_jdk() {
  if ! bin/java-home >/dev/null 2>&1; then
    for version in 25 24 23 22; do
      if apt "openjdk-$version-jdk-headless"; then break; fi
    done
  fi
  if ! bin/java-home >/dev/null 2>&1; then
    bin/java-home
    cannot "JDK of version 22 or later" "as java-home says above"
    return 1
  fi
  setup_maven || return 1
  for aliases in -M -M:test; do
    bin/clojure -P "$aliases" || broken "the Maven artifacts of deps.edn" "bin/clojure -P $aliases"
  done
}

# npm_install FOLDER: as its lock file says, if it has one; not at all when nothing changed since.
npm_install() {
  [ -f "$1/package.json" ] || return 0
  stamp=$1/node_modules/.eve-installed
  [ -f "$stamp" ] && [ ! "$1/package.json" -nt "$stamp" ] && [ ! "$1/package-lock.json" -nt "$stamp" ] && return 0
  command=install
  [ ! -f "$1/package-lock.json" ] || command=ci
  echo "setup: npm $command in $1/"
  # The addon is built by scripts/build.sh, not by an install script.
  if (cd "$1" && npm "$command" --ignore-scripts --no-audit --no-fund --loglevel=error); then
    mkdir -p "$1/node_modules" && touch "$stamp"
  else
    broken "the npm packages of $1/" "cd $1 && npm $command --ignore-scripts"
  fi
}

node_is_new_enough() { have node && have npm && at_least "$(node --version | tr -d v)" 20; }

setup_node() {
  setup_cxx
  node_is_new_enough || apt nodejs npm || true
  if ! node_is_new_enough; then
    cannot "Node 20 or later with npm" "see https://nodejs.org/en/download, or a version manager such as nvm"
    return 1
  fi
  have python3 || apt python3 || cannot "python3 (node-gyp needs it)" "apt-get install python3"
  npm_install js
  npm_install node
}

# Shared memory in wasm and ThreadSanitizer need a standard library built for them, so the sources of the compiler's own.
# A rustup toolchain gets them as a component; Debian has them as rust-web-src, for its rustc-web.
rustup_has_src() { have rustup && [ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; }
debian_has_src() { [ -x /usr/bin/rustc ] && [ -f /usr/lib/rustlib/src/rust/library/Cargo.lock ] && [ -x /usr/bin/cargo ]; }
newest_llvm() { # FOLDER-LIKE PREFIX: the newest /usr/bin/PREFIX-N
  find /usr/bin -name "$1-[0-9]*" 2>/dev/null | sort -V | tail -n 1
}
setup_rust_src() {
  if rustup_has_src || debian_has_src; then return 0; fi
  apt rustc-web cargo-web rust-web-src rust-web-llvm && return 0
  have rustup && rustup component add rust-src
}

setup_wasm() {
  setup_node
  setup_rust_src || { cannot "sources of Rust's standard library" "rustup component add rust-src"; return 1; }
  if ! rustup_has_src && [ -z "$(newest_llvm lld)" ]; then
    apt lld-22 || cannot "linker lld" "apt-get install lld-22"
  fi
}

setup_asan() {
  setup_rust
  runtime=$(rustc --print sysroot)/lib/rustlib/$(host_triple rustc)/lib
  ls "$runtime"/librustc-*_rt.asan.a >/dev/null 2>&1 ||
    cannot "AddressSanitizer runtime of rustc" "use a rustup toolchain: rustup toolchain install stable"
}

setup_tsan() {
  setup_rust
  setup_rust_src || { cannot "sources of Rust's standard library" "rustup component add rust-src"; return 1; }
  if ! rustup_has_src && ! find /usr/lib/llvm-*/lib/clang -name 'libclang_rt.tsan*.a' 2>/dev/null | grep -q .; then
    apt clang-22 libclang-rt-22-dev || cannot "clang with its ThreadSanitizer runtime" "apt-get install clang-22 libclang-rt-22-dev"
  fi
}

# File systems for power cuts of real ones: without mkfs.xfs that part says that it is skipped.
setup_disks() {
  have mkfs.xfs || apt xfsprogs || true
}

[ $# -gt 0 ] || { sed -n '2,6s/^# //p' "$0"; exit 2; }
[ "$*" != all ] || set -- rust jdk node wasm asan tsan
for part; do
  case $part in
    rust | cxx | jdk | maven | node | wasm | asan | tsan | disks) "setup_$part" ;;
    *) echo "setup: unknown part: $part" >&2; exit 2 ;;
  esac
done
exit "$status"
