#!/usr/bin/env bash
# Times penult and its peers in turn on this machine:
#
#   bench/peers/run.sh [--nets A,B] [--batches 1,8,32] [--threads 1,2] [--engines ort,openvino,mnn,ncnn,torch]
#                      [--rounds N] [--write]
#
# Builds a release, installs the pinned peers into build/peers/venv (some 5 GB with torch), exports the
# networks with seeded weights once, measures, and prints a table; --write puts it into
# docs/benchmarks.md and the numbers into bench/results/. Run it while nothing else runs.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null

venv=${PENULT_PEERS_VENV:-build/peers/venv}
if [[ ! -x $venv/bin/python ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r bench/peers/requirements.txt
fi
script=compare.py  # bench/peers/folder.sh has another
if [[ ${1:-} == --script ]]; then script=$2; shift 2; fi
cmake --preset release >/dev/null
cmake --build --preset release --target penult_program >/dev/null
# Set on some machines for old OpenBLAS builds; it slows NumPy, and only here is that of interest.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
exec "$venv/bin/python" -B "bench/peers/$script" --penult build/release/tools/penult/penult "$@"
