#!/usr/bin/env bash
# Runs the ONNX project's own backend tests through penult's importer and reference executor.
#
#   tools/onnx_backend_tests.sh [--list] [RUN_ONNX]
#
# RUN_ONNX  the test program (default build/ci/tests/converters/run_onnx)
# --list    prints the cases that pass, and nothing else
# PENULT_ONNX_VENV=DIR  where the pinned onnx is, or is installed to (default build/onnx/venv; 134 MB)
#
# Exit 1 if a case fails, 3 if onnx cannot be installed. tools/onnx_backend_tests.py says what counts.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=${PENULT_ONNX_VENV:-build/onnx/venv}
list=()
if [[ ${1:-} == --list ]]; then list=(--list); shift; fi
program=${1:-build/ci/tests/converters/run_onnx}
if [[ ! -e $venv/ready ]]; then
  { python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
      -r tools/onnx_backend_requirements.txt && touch "$venv/ready"; } >&2 || {
    echo "onnx_backend_tests.sh: cannot install onnx into $venv" >&2
    exit 3
  }
fi
exec "$venv/bin/python" -B -W ignore tools/onnx_backend_tests.py "${list[@]}" "$program"
