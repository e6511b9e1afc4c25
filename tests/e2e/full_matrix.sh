#!/usr/bin/env bash
# Every tap of every network with seeded weights, alone, with its neighbour and all at once, for the
# reference, each level of native, and onednn: the matrix of which ctest runs a sample. A quarter of
# an hour.
#
#   tests/e2e/full_matrix.sh [BUILD [MODULE...]]
#
# BUILD   default: build/ci (cmake --preset ci && cmake --build --preset ci)
# MODULE  further builds of penult_onednn.so besides BUILD's own; default: tests/run.sh's for oneDNN 3.2,
#         if it is there
#
# Prints the worst figures of each network and backend. Exit 1 if a tap is beyond the tolerance.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

build=${1:-build/ci}
shift $(($# > 0))
modules=("$@")
other=build/ci-onednn3/kernels/onednn/penult_onednn.so
if ((${#modules[@]} == 0)) && [[ -e $other ]]; then modules=("$PWD/$other"); fi
export PENULT_FULL_MATRIX=1 GOMP_SPINCOUNT=2000

run() {  # PROGRAM
  [[ -x $build/tests/e2e/$1 ]] || { echo "$build/tests/e2e/$1 is not built" >&2; exit 2; }
  "$build/tests/e2e/$1" | grep -vE "^\[ RUN|^\[       OK"
}

run seeded_nets_test
run onednn_taps_test
for module in "${modules[@]}"; do
  echo "module $module"
  PENULT_ONEDNN_MODULE=$module run onednn_taps_test
done
