#!/usr/bin/env bash
# Times penult and its peers in turn on this machine:
#
#   bench/peers/run.sh [--nets A,B] [--batches 1,8,32] [--threads 1,2] [--engines ort,openvino,mnn,ncnn,torch]
#                      [--rounds N] [--resume] [--write]
#
# Builds a release, installs the pinned peers into build/peers/venv (some 5 GB with torch), exports the
# networks with seeded weights once, measures, and prints a table; --write puts it into
# docs/benchmarks.md and the numbers into bench/results/. Run it while nothing else runs. All rows take an
# hour; --resume leaves out those that an earlier run with the same program and settings measured today.
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
# oneDNN through our own backend, in the versions that can be had: another peer.
modules=()
if [[ $script == compare.py ]]; then
  if cmake --build --preset release --target penult_onednn >/dev/null 2>&1; then
    modules+=(--module "$PWD/build/release/kernels/onednn/penult_onednn.so")
  else
    echo "no installed oneDNN to build the backend with (Debian: libdnnl-dev): a column less" >&2
  fi
  if tools/fetch_onednn.sh "$PWD/build/onednn-3.2" >/dev/null; then
    cmake --preset release -B build/release-onednn3 -DPENULT_ONEDNN_ROOT="$PWD/build/onednn-3.2" >/dev/null
    cmake --build build/release-onednn3 --target penult_onednn >/dev/null
    modules+=(--module "$PWD/build/release-onednn3/kernels/onednn/penult_onednn.so")
  else
    echo "oneDNN 3.2 could not be fetched: a column less" >&2
  fi
fi
# Set on some machines for old OpenBLAS builds; it slows NumPy, and only here is that of interest.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
exec "$venv/bin/python" -B "bench/peers/$script" --penult build/release/tools/penult/penult \
  "${modules[@]}" "$@"
