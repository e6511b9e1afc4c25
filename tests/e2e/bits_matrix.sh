#!/usr/bin/env bash
# The promise of bits, whole: what docs/numerics.md says of batches, threads and taps at 64 pixels, for
# all networks and every ISA class that this machine has, and of files cut behind a tap. ctest runs a
# sample. Three quarters of an hour on two cores.
#
#   tests/e2e/bits_matrix.sh [BUILD [FILTER]]
#
# BUILD   default: build/ci (cmake --preset ci && cmake --build --preset ci)
# FILTER  of GoogleTest, e.g. "*resnet18*"; default: all
# PENULT_ASSETS=DIR  weights and photos (default build/assets); without them it fails
#
# One process a core. Prints a line for each network and ISA class, what was skipped, and at the end
# the comparisons (of one tap of one picture) and the mismatches. Exit 1 if there is any, or if a test
# fails; 2 if nothing could be run.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

build=${1:-build/ci}
filter=${2:-*}
export PENULT_FULL_MATRIX=1 PENULT_REQUIRE_ASSETS=1 PENULT_ASSETS=${PENULT_ASSETS:-$PWD/build/assets}

list() {  # PROGRAM: "PROGRAM TEST" for each of its tests
  [[ -x $build/tests/e2e/$1 ]] || { echo "$build/tests/e2e/$1 is not built" >&2; exit 2; }
  "$build/tests/e2e/$1" --gtest_list_tests --gtest_filter="$filter" \
    | awk -v program="$build/tests/e2e/$1" '/^[^ ].*\.$/ {suite = $1} /^ / {print program, suite $1}'
}

run_one() {  # PROGRAM TEST
  set -o pipefail
  local code=0 start=$SECONDS out=$log/${2//\//_}
  "$1" --gtest_filter="$2" 2>&1 | tee "$out" \
    | sed -nuE '/sets of taps|comparisons|[Ff]ailure|lacks|of the file|image [0-9]+ of|^\[  FAILED/p' || code=$?
  echo "$(date +%T) $2: $([[ $code == 0 ]] && echo done || echo "FAILED, exit $code") in $((SECONDS - start)) s"
  return "$code"
}
export -f run_one

log=$(mktemp -d)
export log
trap 'rm -rf "$log"' EXIT
tests=$(list bits_matrix_test; list truncated_files_test)
[[ -n $tests ]] || { echo "no test is called $filter" >&2; exit 2; }

# The longest are the last in the list.
code=0
tac <<<"$tests" | xargs -P "$(nproc)" -L 1 bash -c 'run_one "$@"' run_one || code=1
cat "$log"/* | awk '
  /^(bits|cut) .* comparisons, / {
    for (i = 1; i < NF; ++i) {
      if ($(i + 1) == "comparisons,") comparisons += $i
      if ($(i + 1) == "mismatches") mismatches += $i
    }
  }
  END {printf "%d comparisons, %d mismatches\n", comparisons, mismatches; exit mismatches > 0}
' || code=1
echo "$(wc -l <<<"$tests") tests in $SECONDS s: $([[ $code == 0 ]] && echo passed || echo FAILED)"
exit "$code"
