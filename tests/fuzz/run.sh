#!/usr/bin/env bash
# Searches for inputs that break a reader:
#
#   tests/fuzz/run.sh [-t SECONDS] [-p PARALLEL] [TARGET...]
#
# Builds preset fuzz (clang 14), runs each target (default: all) for SECONDS (1800), PARALLEL (1) at a time,
# and prints a table. What was found stays in build/fuzz/findings/TARGET, the corpus, which the next
# run starts from, in build/fuzz/corpus/TARGET, logs in build/fuzz/logs. Exit 1 if anything was found.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null

seconds=1800 parallel=1
while getopts "t:p:" option; do
  case $option in
    t) seconds=$OPTARG ;;
    p) parallel=$OPTARG ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
targets=("$@")
((${#targets[@]})) || targets=(penult_file pytorch onnx safetensors bmp pnm png jpeg webp npz)

export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
mkdir -p build/fuzz/logs
{ cmake --preset fuzz && cmake --build --preset fuzz; } >build/fuzz/logs/build.log 2>&1 ||
  { tail -n 30 build/fuzz/logs/build.log; exit 1; }

# The kernel's scalar code: less of it is instrumented, and readers are what is tested.
export PENULT_ISA_MAX=scalar
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1

fuzz() {  # TARGET
  local target=$1 dictionary=() corpus=build/fuzz/corpus/$1 findings=build/fuzz/findings/$1 values
  local folders=("$corpus" "build/fuzz/tests/fuzz/seeds/$target")
  mkdir -p "$corpus" "$findings"
  if [[ -d tests/fuzz/regressions/$target ]]; then folders+=("tests/fuzz/regressions/$target"); fi
  if [[ -f tests/fuzz/dict/$target.dict ]]; then dictionary=(-dict="tests/fuzz/dict/$target.dict"); fi
  # Values lead to the numbers that these readers compare with others. Decoders compare for each
  # pixel: that would make them four times slower, and find less.
  case $target in penult_file | pytorch | onnx | safetensors | npz) values=1 ;; *) values=0 ;; esac
  "build/fuzz/tests/fuzz/fuzz_$target" "${dictionary[@]}" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=1024 -malloc_limit_mb=600 -max_len=65536 -len_control=100 -use_value_profile=$values \
    -print_final_stats=1 \
    -artifact_prefix="$findings/" "${folders[@]}" >"build/fuzz/logs/$target.log" 2>&1 || true
}

running=0
for target in "${targets[@]}"; do
  fuzz "$target" &
  if ((++running >= parallel)); then wait -n; running=$((running - 1)); fi
done
wait

last() { grep -o "$2" "build/fuzz/logs/$1.log" | tail -n 1 | grep -o "[0-9]*" | tail -n 1; }
found=0
printf '%-12s %8s %12s %8s %8s %8s %8s %9s\n' target seconds executions "a second" edges corpus "RSS MiB" findings
for target in "${targets[@]}"; do
  count=$(find "build/fuzz/findings/$target" -type f | wc -l)
  found=$((found + count))
  took=$(grep -o "^Done [0-9]* runs in [0-9]*" "build/fuzz/logs/$target.log" | grep -o "[0-9]*$") ||
    { took=stopped; found=$((found + 1)); }
  printf '%-12s %8s %12s %8s %8s %8s %8s %9s\n' "$target" "$took" \
    "$(last "$target" "number_of_executed_units: *[0-9]*")" \
    "$(last "$target" "average_exec_per_sec: *[0-9]*")" "$(last "$target" "cov: [0-9]*")" \
    "$(find "build/fuzz/corpus/$target" -type f | wc -l)" \
    "$(last "$target" "peak_rss_mb: *[0-9]*")" "$count"
done
((found == 0))
