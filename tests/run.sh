#!/usr/bin/env bash
# Everything that must be green, set-up included: packages, assets, checks, builds, tests.
#
#   tests/run.sh
#
# Prints a table of steps and, as its last line, "N passed, N failed, N skipped": each ctest case and
# each other step counts as one. Exit 0 only if nothing failed; 3 if packages are missing and may not
# be installed. Logs lie in build/logs/. What could not run is reported as skipped, never as passed.
#
# PENULT_ASSETS=DIR  weights and photos (default build/assets; missing ones are fetched)
# PENULT_REQUIRE_ONEDNN is set: the backend onednn must be there, in both versions that it knows.
# PENULT_TIDY=1      also clang-tidy on the files that differ from PENULT_TIDY_BASE (origin/main)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tools/show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

export CI=true
export PENULT_ASSETS=${PENULT_ASSETS:-$PWD/build/assets}
export PENULT_REQUIRE_ASSETS=1
export PENULT_REQUIRE_ONEDNN=1
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$(nproc)}
logs=$PWD/build/logs
mkdir -p "$logs"
# ccache's own default directory is shared by all clones, and so are its entries: paths below this
# folder count as relative ones. Without a home it needs another directory.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
if [[ ! -w ${HOME:-/nonexistent} ]]; then export CCACHE_DIR=${CCACHE_DIR:-$PWD/build/ccache}; fi

passed=0 failed=0 skipped=0
declare -a table=()
declare -A result_of=()
readonly kSkip=77  # exit code of a step that could not run; its last line says why

record() {  # NAME RESULT SECONDS [DETAIL]
  result_of[$1]=$2
  table+=("$(printf '%-22s %-8s %7s  %s' "$1" "$2" "$3" "${4:-}")")
}

# Runs a command with its output in a log: step NAME COMMAND...
step() {
  local name=$1 log=$logs/${1//[, ]/-}.log start=$SECONDS code=0
  shift
  echo "== $name"
  set +e
  (set -e; "$@") >"$log" 2>&1
  code=$?
  set -e
  case $code in
    0) passed=$((passed + 1)); record "$name" passed $((SECONDS - start)) ;;
    "$kSkip") skipped=$((skipped + 1))
       record "$name" skipped $((SECONDS - start)) "$(tail -n 1 "$log")" ;;
    *) failed=$((failed + 1)); record "$name" FAILED $((SECONDS - start)) "exit $code, see $log"
       tail -n 60 "$log" ;;
  esac
}

attribute() {  # FILE NAME: a number from the first <testsuite> tag of a JUnit file
  grep -o -m 1 " *$2=\"[0-9]*\"" "$1" | head -n 1 | tr -dc 0-9
}

# Runs the tests of a preset and counts each case: [launcher=COMMAND] cases NAME PRESET CTEST-ARGUMENTS...
cases() {
  local name=$1 preset=$2 junit=$logs/${1// /-}.xml start=$SECONDS code=0
  shift 2
  echo "== $name"
  rm -f "$junit"
  ${launcher:-} ctest --preset "$preset" --timeout 600 --output-junit "$junit" "$@" 2>&1 \
    | tee "$logs/${name// /-}.log" || code=$?
  if [[ ! -s $junit ]]; then
    failed=$((failed + 1)); record "$name" FAILED $((SECONDS - start)) "no tests ran"
    return
  fi
  local all bad idle
  all=$(attribute "$junit" tests) bad=$(attribute "$junit" failures)
  idle=$(($(attribute "$junit" skipped) + $(attribute "$junit" disabled)))
  ((code == 0 || bad > 0)) || bad=1 # ctest itself failed
  passed=$((passed + all - bad - idle)) failed=$((failed + bad)) skipped=$((skipped + idle))
  record "$name" "$([[ $bad == 0 ]] && echo passed || echo FAILED)" $((SECONDS - start)) \
    "$((all - bad - idle)) passed, $bad failed, $idle skipped"
}

build() { cmake --preset "$1" && cmake --build --preset "$1"; }

check_format() {
  find . \( -path ./build -o -path ./.git \) -prune -o \( -name "*.h" -o -name "*.cpp" -o -name "*.cu*" \) -print \
    | xargs clang-format-14 --dry-run -Werror
}

check_scripts() {
  find tools tests .ci -name "*.sh" -o -path .ci/run | while read -r script; do
    bash -n "$script"
    [[ -x $script ]] || { echo "$script is not executable"; return 1; }
  done
}

# Unoptimised code keeps inline functions that Release inlines away: the objects of each ISA must be
# free of shared symbols there, too.
check_isa_objects_debug() {
  cmake --preset bare -B build/isa-debug -DCMAKE_BUILD_TYPE=Debug
  cmake --build build/isa-debug --target \
    penult_kernels_{scalar,portable16,avx2,avx512}
  find build/isa-debug -path "*penult_kernels_*.dir*" -name "*.o" -print0 \
    | xargs -0 python3 -B tools/check_isa_objects.py nm
}

# The other oneDNN: the module alone, for the tests that are there already.
readonly onednn3=$PWD/build/onednn-3.2
build_onednn3() {
  tools/fetch_onednn.sh "$onednn3"
  cmake --preset ci -B build/ci-onednn3 -DPENULT_ONEDNN_ROOT="$onednn3"
  cmake --build build/ci-onednn3 --target penult_onednn
  PENULT_ONEDNN_MODULE=$onednn3_module build/ci/tools/penult/penult doctor | grep "oneDNN 3.2.0"
}
readonly onednn3_module=$PWD/build/ci-onednn3/kernels/onednn/penult_onednn.so

# ThreadSanitizer knows neither OpenMP nor addresses as random as some kernels make them; where this
# process may not ask for others (in some containers), it has to take them as they are.
steady_addresses() {
  if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}
build_tsan() {
  cmake --preset tsan
  steady_addresses cmake --build --preset tsan --target penult_thread_tests
}

check_tidy() {
  [[ ${PENULT_TIDY:-} == 1 ]] || { echo "set PENULT_TIDY=1 to run it"; return "$kSkip"; }
  command -v clang-tidy >/dev/null || { echo "clang-tidy is not installed"; return "$kSkip"; }
  local files
  files=$(git diff --name-only --diff-filter=d "${PENULT_TIDY_BASE:-origin/main}" -- "*.cpp")
  [[ -n $files ]] || { echo "no file differs"; return "$kSkip"; }
  xargs -n 1 -P "$(nproc)" clang-tidy -p build/ci --quiet --warnings-as-errors="*" <<<"$files"
}

echo "== setup"
begin=$SECONDS
tools/setup_debian.sh test || { code=$?; echo "0 passed, 1 failed, 0 skipped"; exit "$code"; }
record setup done $((SECONDS - begin))

step "assets" tools/fetch_assets.sh "$PENULT_ASSETS"
step "layers" tools/check_layers.py
step "line budget" tools/line_budget.py
step "format" check_format
step "scripts" check_scripts

step "build ci" build ci
if [[ ${result_of[build ci]} == passed ]]; then cases "tests ci" ci; fi
step "build onednn 3.2" build_onednn3
if [[ ${result_of[build onednn 3.2]} == passed ]]; then
  PENULT_ONEDNN_MODULE=$onednn3_module cases "tests onednn 3.2" ci --label-regex onednn
fi
step "build asan-ubsan" build asan-ubsan
# "heavy" are end-to-end matrices: minutes of arithmetic under sanitizers, and no further code path.
# So are the layers of the networks; the tails hold every border that a kernel has.
if [[ ${result_of[build asan-ubsan]} == passed ]]; then
  cases "tests asan-ubsan" asan-ubsan --label-exclude heavy \
    --exclude-regex "_on_(mobilenet|efficientnet|resnet|bagnet|others)"
fi
step "build tsan" build_tsan
if [[ ${result_of[build tsan]} == passed ]]; then
  launcher=steady_addresses cases "tests tsan" tsan --label-regex threads
fi
step "build bare" build bare
step "isa objects, debug" check_isa_objects_debug
step "clang-tidy" check_tidy

printf '\n%-22s %-8s %7s\n' step result seconds
printf '%s\n' "${table[@]}"
echo "all: $SECONDS s"
echo
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
