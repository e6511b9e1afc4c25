#!/usr/bin/env bash
# Every tap of every network with seeded weights, alone, with its neighbour and all at once, for the
# reference and each level of native: the matrix of which ctest runs a sample. A quarter of an hour.
#
#   tests/e2e/full_matrix.sh [BUILD]        default: build/ci (cmake --preset ci && cmake --build --preset ci)
#
# Prints the worst figures of each network and backend. Exit 1 if a tap is beyond the tolerance.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

program=${1:-build/ci}/tests/e2e/seeded_nets_test
[[ -x $program ]] || { echo "$program is not built" >&2; exit 2; }
PENULT_FULL_MATRIX=1 "$program" | grep -vE "^\[ RUN|^\[       OK"
