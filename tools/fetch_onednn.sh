#!/usr/bin/env bash
# Fetches oneDNN 3.2.0 from two pinned wheels into DEST, as a prefix for PENULT_ONEDNN_ROOT:
#
#   tools/fetch_onednn.sh DEST
#
# Debian 12 has 2.6.3, whose interface is another one; tests/run.sh tries both. These wheels are
# built for GNU OpenMP, as Debian's is (the one called plainly `onednn` wants SYCL). Exit 3: a hash
# differs, or pip is missing; 4: the download or a write failed. Nothing wrong is left behind.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/show_help.sh"

readonly wheels=(
  "onednn-cpu-gomp==2023.2.0 2f22a54d6a890ed14bfa185d42a4be65d8b5b1df85dc1f0f3a9abe31620416fb"
  "onednn-devel-cpu-gomp==2023.2.0 9763c69e8c907e119056bd52ad918ca84ac9ba939d130a99dfa95ccca3e5e284"
)

fail() { printf 'fetch_onednn: error: %s\n' "$2" >&2; exit "$1"; }
[[ $# -eq 1 && -n $1 ]] || fail 2 "usage: tools/fetch_onednn.sh DEST"
readonly dest=$1
# Written last, so what is there is complete.
readonly mark=$dest/wheels.txt
if [[ -f $mark && $(<"$mark") == "${wheels[*]}" ]]; then exit 0; fi

python3 -m pip --version >/dev/null 2>&1 || fail 3 "pip is missing: apt-get install python3-pip"
mkdir -p "$(dirname "$dest")" || fail 4 "cannot create $(dirname "$dest")"
scratch=$(mktemp -d "$dest.XXXXXX") || fail 4 "cannot write beside $dest"
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/prefix"

for wheel in "${wheels[@]}"; do
  read -r package hash <<<"$wheel"
  rm -rf "$scratch/wheel"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir \
    --only-binary=:all: --platform manylinux1_x86_64 --python-version 3.11 \
    --dest "$scratch/wheel" "$package" >"$scratch/pip.log" 2>&1 ||
    fail 4 "cannot download $package: $(grep -v '^$' "$scratch/pip.log" | tail -n 1)"
  file=("$scratch/wheel"/*.whl)
  got=$(sha256sum <"${file[0]}" | cut -c1-64)
  [[ $got == "$hash" ]] || fail 3 "$package: SHA-256 of the wheel is $got, expected $hash"
  python3 -m zipfile -e "${file[0]}" "$scratch/unpacked" || fail 4 "cannot unpack $package"
  cp -r "$scratch"/unpacked/*.data/data/. "$scratch/prefix" || fail 4 "cannot write to $scratch"
  rm -rf "$scratch/unpacked"
done

# Wheels have no links, so the library is there three times.
rm "$scratch"/prefix/lib/libdnnl.so.3.*
ln -sf libdnnl.so.3 "$scratch/prefix/lib/libdnnl.so" || fail 4 "cannot write to $scratch"
printf '%s' "${wheels[*]}" >"$scratch/prefix/wheels.txt"
rm -rf "$dest"
mv "$scratch/prefix" "$dest" || fail 4 "cannot write $dest"
echo "fetched $dest (oneDNN 3.2.0)"
