# shellcheck shell=sh
# Sourced by the scripts, from the project's root. POSIX sh.
# Java and Node look for the library in target/release of this folder, so a target folder from outside is not used.
root=$PWD
CARGO_TARGET_DIR=$root/target
export CARGO_TARGET_DIR
logs=$root/target/logs
skipped=77 # exit status of what cannot run on this machine for want of a tool

# Says why the stage cannot run here and ends the script; `stage` shows it in the summary.
skip() {
  echo "skip: $*"
  exit "$skipped"
}

# needs PART...: sets the parts up (scripts/setup.sh); skips the stage if this machine cannot have a tool.
needs() {
  status=0
  said=$(scripts/setup.sh "$@" 2>&1) || status=$?
  [ -z "$said" ] || printf '%s\n' "$said"
  [ "$status" -ne "$skipped" ] || skip "no $(printf '%s\n' "$said" | sed -n 's/^setup: missing: //p' | head -n 1)"
  [ "$status" -eq 0 ] || exit "$status"
}

# The host triple of the Rust compiler $1.
host_triple() { "$1" -vV | sed -n 's/^host: //p'; }

# any_newer STAMP FOLDER...: true if a file in the folders is newer than STAMP, or STAMP is missing.
any_newer() {
  stamp=$1
  shift
  [ ! -e "$stamp" ] || [ -n "$(find "$@" -type f -newer "$stamp" 2>/dev/null | head -n 1)" ]
}

# Counts of tests in a log, of cargo test, clojure.test and node --test. Empty if there are none.
count_tests() {
  awk '/^test result:/ { rust += $4; seen = 1 }
       /^Ran [0-9]+ tests containing/ { clojure += $2; checks += $5; seen = 1 }
       /^[^A-Za-z0-9]+ pass [0-9]+/ { node += $3; seen = 1 }
       END { if (!seen) exit
             printf "%d tests", rust + clojure + node
             if (checks) printf ", %d assertions", checks }' "$1"
}

# stage NAME COMMAND...: runs the command with its output in target/logs/NAME.log (on the terminal too with V=1).
# The command runs in a subshell, which `skip` and `needs` may end. Prints a heading and the result; a failure also prints the end of the log. Remembers the result for `summary`.
results=
failed=0
stage() {
  stage_name=$1
  shift
  log=$logs/$stage_name.log
  mkdir -p "$logs"
  printf '== %s\n' "$stage_name"
  started=$(date +%s)
  if [ -n "${V:-}" ]; then
    { ("$@") 2>&1; echo $? > "$log.status"; } | tee "$log"
    status=$(cat "$log.status")
    rm -f "$log.status"
  else
    ("$@") > "$log" 2>&1
    status=$?
  fi
  seconds=$(($(date +%s) - started))
  note=$(count_tests "$log")
  case $status in
    0) result=ok ;;
    "$skipped") result=skipped note=$(sed -n 's/^skip: //p' "$log" | tail -n 1) ;;
    *) result=FAILED note="exit status $status, log: ${log#"$root"/}" failed=$((failed + 1)) ;;
  esac
  if [ "$result" = FAILED ]; then
    printf -- '-- last lines of %s\n' "${log#"$root"/}"
    tail -n 40 "$log" | sed 's/^/   | /'
  fi
  printf '   %s, %s s%s\n' "$result" "$seconds" "${note:+ ($note)}"
  results="$results$stage_name|$result|$seconds|$note
"
}

# The table of all stages so far; its status is 1 if one failed.
summary() {
  printf '\n%-12s %-8s %7s  %s\n' stage result seconds ''
  printf '%s' "$results" | awk -F '|' '{ printf "%-12s %-8s %7d  %s\n", $1, $2, $3, $4; total += $3 }
    END { printf "%-12s %-8s %7d\n", "all", "", total }'
  [ "$failed" -eq 0 ] || { printf '\n%d of the stages failed\n' "$failed"; return 1; }
}
