#!/usr/bin/env bash
# Compares networks in every form of file with PyTorch and ONNX Runtime, and writes docs/formats.md:
#
#   tools/formats/run.sh [--nets A,B] [--forms pth,half,nested,safetensors,onnx17,onnx9,dynamo] [--write]
#
# Without --write the table is only printed. Exit 1 if a file that PyTorch wrote was not converted, or a
# cosine is below 1 - 1e-6; 3 if a package cannot be installed.
#
# PENULT_PROGRAM=FILE     the program (default: a release is built)
# PENULT_FORMATS_VENV=DIR where the pinned packages are, or are installed to (default build/formats/venv;
#                         some 5 GB with torch)
# PENULT_ASSETS=DIR       weights and photos (default build/assets; missing ones are fetched)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null

venv=${PENULT_FORMATS_VENV:-build/formats/venv} assets=${PENULT_ASSETS:-build/assets}
if [[ ! -e $venv/ready ]]; then
  { python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
      -r bench/peers/requirements.txt -r tools/formats/requirements.txt && touch "$venv/ready"; } >&2 || {
    echo "run.sh: cannot install the packages into $venv" >&2
    exit 3
  }
fi
tools/fetch_assets.sh "$assets"
tools/fetch_assets.sh "$assets" tools/formats/assets.txt
program=${PENULT_PROGRAM:-}
if [[ -z $program ]]; then
  cmake --preset release >/dev/null
  cmake --build --preset release --target penult_program >/dev/null
  program=build/release/tools/penult/penult
fi
exec "$venv/bin/python" -B -W ignore tools/make_formats_doc.py --penult "$program" --assets "$assets" "$@"
