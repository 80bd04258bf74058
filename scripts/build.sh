#!/bin/sh
# Builds what the runtimes load. Usage: scripts/build.sh [rust] [java] [node]    (default: all)
# Makes target/release/libeve.{so,a} and the command eve beside them, target/classes and the addon in node/build/Release.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

# With the command's feature, as all builds here: cargo would make the libraries again each time that it changes. Nothing of the command's
# crates gets into them.
build_rust() { cargo build --release --features cli --lib --bins; }

build_java() {
  stamp=target/classes/.compiled
  if ! any_newer "$stamp" java deps.edn; then
    echo "target/classes is up to date"
    return
  fi
  JAVA_HOME=$(bin/java-home)
  rm -rf target/classes # a class whose source is gone must go too
  mkdir -p target/classes
  find java -name '*.java' | sort > target/java-sources
  # Not the `restricted` lint: loading a library and reading memory by its address is what this code is for.
  "$JAVA_HOME/bin/javac" --release 22 -Xlint:all,-restricted -d target/classes -cp "$(bin/clojure -Spath)" @target/java-sources
  touch "$stamp"
}

# Sets `gyp` to the node-gyp to run: of the packages, of PATH, or the copy inside npm.
find_node_gyp() {
  for gyp in "$root/node/node_modules/.bin/node-gyp" "$root/js/node_modules/.bin/node-gyp" \
      "$(command -v node-gyp)" "$(npm root -g 2>/dev/null)/npm/node_modules/node-gyp/bin/node-gyp.js"; do
    if [ -n "$gyp" ] && [ -f "$gyp" ]; then return; fi
  done
  echo "build: node-gyp is not there: npm install -g node-gyp" >&2
  exit 1
}

build_node() {
  find_node_gyp
  # Headers beside the node in use, else node-gyp would download them.
  prefix=$(node -p 'require("path").dirname(require("path").dirname(require("fs").realpathSync(process.execPath)))')
  nodedir=
  [ ! -f "$prefix/include/node/node_api.h" ] || nodedir=--nodedir=$prefix
  command=rebuild
  if [ -f node/build/Makefile ] && [ ! node/binding.gyp -nt node/build/Makefile ]; then
    command=build
    # gyp does not know that the addon depends on the library: without the file it links again
    if any_newer node/build/Release/eve.node target/release/libeve.a; then
      find node/build/Release -name '*.node' -delete
    fi
  fi
  (cd node && node "$gyp" "$command" ${nodedir:+"$nodedir"} --loglevel=warn)
}

[ $# -gt 0 ] || set -- rust java node
for part; do
  case $part in
    rust | java | node) "build_$part" ;;
    *) echo "build: unknown part: $part" >&2; exit 2 ;;
  esac
done
