#!/usr/bin/env bash
# Installs the Debian packages that a job needs and the machine lacks.
#
#   tools/setup_debian.sh build   what tools/quickstart.sh needs
#   tools/setup_debian.sh test    also what tests/run.sh needs
#   tools/setup_debian.sh fuzz    also what tests/fuzz/run.sh and tests/fuzz/coverage.sh need
#
# As root it calls apt-get, else sudo where that asks for no password. Where neither is possible it
# prints the line to run and exits 3. Exit 0: everything is there.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/show_help.sh"

build_packages=(
  g++ cmake ninja-build ccache pkg-config   # the build; ccache makes the second one quick
  flatbuffers-compiler libflatbuffers-dev   # the model file
  libjpeg62-turbo-dev libspng-dev libwebp-dev  # photos
  libzip-dev nlohmann-json3-dev             # weight files and features.npz
  protobuf-compiler libprotobuf-dev         # ONNX files
  libcurl4-openssl-dev                      # headers of what downloads weight files
  libcli11-dev libfmt-dev                   # the program
  python3 python3-pip ca-certificates       # fetches the pinned weights and photos
)
test_packages=(
  git                                       # which files changed
  libgtest-dev libgmock-dev
  libdnnl-dev                               # the backend onednn
  libbenchmark-dev                          # the benchmarks, which are tested, too
  clang-format-14
  clang-14                                  # compiles GPU kernels for their checker
  binutils                                  # nm, for the object-code check
)

fuzz_packages=(
  libclang-rt-14-dev                        # libFuzzer and its sanitizers
  llvm-14                                   # llvm-cov, llvm-profdata
)

case "${1:-}" in
  build) packages=("${build_packages[@]}") ;;
  test) packages=("${build_packages[@]}" "${test_packages[@]}") ;;
  fuzz) packages=("${build_packages[@]}" "${test_packages[@]}" "${fuzz_packages[@]}") ;;
  *) echo "usage: tools/setup_debian.sh build|test|fuzz" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: this is not Debian; install the equivalents of: ${packages[*]}" >&2
  exit 3
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then exit 0; fi

if ((EUID == 0)); then
  as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  echo "setup: packages are missing and this user may not install them; run:" >&2
  echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 3
fi

echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -q)
"${apt[@]}" update </dev/null
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null
