#!/usr/bin/env bash
# Compares networks in every form of file with PyTorch and ONNX Runtime, and writes docs/formats.md:
#
#   tools/formats/run.sh [--assets DIR] [--nets A,B] [--forms pth,half,nested,safetensors,onnx17,onnx9,dynamo]
#                        [--write]
#
# Builds a release, and installs pinned packages into build/formats/venv (some 5 GB with torch;
# PENULT_FORMATS_VENV names another). Without --write the table is only printed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null

venv=${PENULT_FORMATS_VENV:-build/formats/venv}
if [[ ! -x $venv/bin/python ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    -r bench/peers/requirements.txt -r tools/formats/requirements.txt
fi
cmake --preset release >/dev/null
cmake --build --preset release --target penult_program >/dev/null
exec "$venv/bin/python" -B tools/make_formats_doc.py --penult build/release/tools/penult/penult "$@"
