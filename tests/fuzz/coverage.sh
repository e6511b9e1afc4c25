#!/usr/bin/env bash
# What fuzzing reaches of the readers: replays seeds, regressions and the corpus in a build with
# clang's coverage, and prints how many lines and branches of each file were reached.
#
#   tests/fuzz/coverage.sh [CORPUS...]     # folders with a folder for each target; default: build/fuzz/corpus
#
# The build lies in build/fuzz-coverage; its file lines.txt shows the readers line by line.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/show_help.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null

corpora=("$@")
((${#corpora[@]})) || corpora=(build/fuzz/corpus)
readonly out=build/fuzz-coverage targets=(penult_file pytorch onnx safetensors bmp pnm png jpeg webp npz)
files=(converters/{dtype,tensor_names}.cpp converters/{onnx,pytorch,safetensors}/*.cpp
       engine/image/{bmp,decode,exif,jpeg,pnm,png,preprocess,webp}.cpp
       engine/model/{loader,model_data,read_graph_part,weight_file}.cpp
       engine/graph/{infer_shapes,validate}.cpp engine/ops/*.cpp engine/output/npz_reader.cpp)

# Without sanitizers and assertions, whose branches nobody means. The paths inside are those of this
# folder, so a cache must not hand out objects of another.
unset CCACHE_BASEDIR CCACHE_NOHASHDIR
mkdir -p "$out"
{
  cmake --preset fuzz -B "$out" -DPENULT_SANITIZE= -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1 -DNDEBUG" \
    -DCMAKE_CXX_FLAGS="-fprofile-instr-generate -fcoverage-mapping"
  cmake --build "$out" --target penult_fuzzers
} >"$out/build.log" 2>&1 || { tail -n 30 "$out/build.log"; exit 1; }

export PENULT_ISA_MAX=scalar
objects=()
for target in "${targets[@]}"; do
  program=$out/tests/fuzz/fuzz_$target
  folders=("$out/tests/fuzz/seeds/$target")
  for folder in tests/fuzz/regressions "${corpora[@]}"; do
    if [[ -d $folder/$target ]]; then folders+=("$folder/$target"); fi
  done
  LLVM_PROFILE_FILE=$out/$target.profraw "$program" -runs=0 "${folders[@]}" \
    >"$out/$target.log" 2>&1 || { tail -n 30 "$out/$target.log"; exit 1; }
  objects+=(-object "$program")
done
llvm-profdata-14 merge -sparse "$out"/*.profraw -o "$out/all.profdata"
# Functions that differ between targets under one name cannot be told apart: the targets themselves.
shown() { llvm-cov-14 "$@" "${objects[@]:1}" -instr-profile="$out/all.profdata" 2>/dev/null; }
shown show -show-branches=count -ignore-filename-regex="/(tests|kernels)/|^/usr/" >"$out/lines.txt"
shown report | awk -v files=" ${files[*]} " '
  function row(file, lines, lines_missed, branches, missed) {
    printf "%-36s %7d %7.1f%% %9d %8.1f%%\n", file, lines, 100 - 100 * lines_missed / lines,
           branches, branches ? 100 - 100 * missed / branches : 100
  }
  BEGIN { printf "%-36s %7s %8s %9s %9s\n", "file", "lines", "reached", "branches", "reached" }
  index(files, " " $1 " ") {
    row($1, $8, $9, $11, $12)
    lines += $8; lines_missed += $9; branches += $11; missed += $12
  }
  END { row("all of them", lines, lines_missed, branches, missed) }'
