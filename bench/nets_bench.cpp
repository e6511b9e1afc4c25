// Whole networks through the public interface: a run, and making an extractor. bench/README.md says
// how to run it.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include "bench/harness.h"
#include "bench/images.h"
#include "converters/importer.h"
#include "engine/base/check.h"
#include "engine/base/text.h"
#include "penult/extractor.h"
#include "penult/model.h"

namespace penult::bench {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> files, taps, backends;
  std::vector<int> batches, threads;
};

bool is_network(const fs::path& file) {
  constexpr std::string_view kEndings[] = {".penult", ".pt", ".pth"};
  return std::find(std::begin(kEndings), std::end(kEndings), file.extension()) !=
         std::end(kEndings);
}

// Models, and weights that can be converted in memory.
std::vector<std::string> files_in_assets() {
  std::vector<std::string> files;
  const char* folder = std::getenv("PENULT_ASSETS");
  if (folder == nullptr || *folder == '\0')
    throw std::invalid_argument("no networks: name files, or a folder of them in PENULT_ASSETS");
  for (const auto& entry : fs::directory_iterator(folder))
    if (is_network(entry.path())) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.empty())
    throw std::invalid_argument(concat("no .penult, .pt or .pth file in ", quote(folder)));
  return files;
}

Options read_options(Arguments& arguments) {
  Options options;
  options.taps = arguments.take_list("--taps", {});
  options.backends = arguments.take_list("--backends", {});
  options.batches = arguments.take_counts("--batches", {1, 8, 32});
  options.threads = arguments.take_counts("--threads", default_threads());
  options.files = arguments.take_files();
  arguments.expect_none();
  if (options.files.empty()) options.files = files_in_assets();
  if (options.backends.empty()) {
    options.backends = {"native"};
    for (const LoadedModule& loaded : loaded_modules()) options.backends.push_back(loaded.backend);
  }
  return options;
}

Result<std::shared_ptr<const Model>> load(const std::string& file) {
  if (fs::path(file).extension() == ".penult") return Model::load(file);
  PENULT_ASSIGN_OR_RETURN(ModelData data, converters::import_file(file, {}));
  return Model::from_data(std::move(data));
}

// A network up to a tap.
struct Net {
  std::shared_ptr<const Model> model;
  std::string tap;
  double macs = 0;
};

template <class T>
T value_or_throw(const std::string& file, Result<T> result) {
  if (!result.ok()) throw std::invalid_argument(concat(file, ": ", result.status().message()));
  return std::move(result).value();
}

// The last one, and the block in the middle if the network has any.
std::vector<std::string> default_taps(const Model& model) {
  std::vector<std::string> taps = {"penultimate"};
  const auto blocks = model.resolve("blocks");
  if (blocks.ok() && !blocks->empty()) taps.push_back((*blocks)[blocks->size() / 2]);
  return taps;
}

Net net_of(const std::string& file, const std::shared_ptr<const Model>& model,
           const std::string& tap) {
  const auto names = value_or_throw(file, model->resolve(tap));
  if (names.size() != 1)
    throw std::invalid_argument(concat("tap ", quote(tap), " stands for several taps; name one"));
  Net net{model, tap};
  for (const TapInfo& info : value_or_throw(file, model->taps()))
    if (info.name == names[0]) net.macs = static_cast<double>(info.macs);
  return net;
}

struct Row {
  const Net* net = nullptr;
  ExtractorOptions options;
};

Isa isa_of(const Extractor& extractor) {
  for (const Isa isa : all_isas())
    if (std::string_view(isa_name(isa)) == extractor.isa()) return isa;
  return detected_isa();
}

void time_runs(benchmark::State& state, const Row& row) {
  const auto extractor = Extractor::create(row.net->model, row.options);
  if (!extractor.ok()) return state.SkipWithError(extractor.status().message().c_str());
  const int64_t n = row.options.max_batch;
  const std::vector<float> input = images_to_time(**extractor);
  std::vector<float> output(static_cast<size_t>(n * (*extractor)->outputs()[0].elems));
  const std::span<float> features[] = {output};
  const double peak = fma_peak(isa_of(**extractor), row.options.threads);
  Status status = (*extractor)->run(input, n, features);
  const Stopwatch watch;
  for (auto _ : state) {
    if (status.ok()) status = (*extractor)->run(input, n, features);
  }
  const double seconds = watch.seconds();
  if (!status.ok()) return state.SkipWithError(status.message().c_str());
  const double rate = static_cast<double>(state.iterations() * n) / seconds;
  state.counters["images/s"] = rate;
  state.counters["GFLOP/s"] = 2e-9 * row.net->macs * rate;
  state.counters["of_peak"] = 2 * row.net->macs * rate / peak;
}

// Weights come from the page cache, or from memory if they were converted here.
void time_creation(benchmark::State& state, const Row& row) {
  uint64_t bytes = 0;
  for (auto _ : state) {
    const auto extractor = Extractor::create(row.net->model, row.options);
    if (!extractor.ok()) return state.SkipWithError(extractor.status().message().c_str());
    bytes = (*extractor)->memory_bytes();
  }
  state.counters["MB"] = 1e-6 * static_cast<double>(bytes);
}

class Rows {
 public:
  void add_file(const Options& options, const std::string& file) {
    const auto model = value_or_throw(file, load(file));
    const std::string net = fs::path(file).stem();
    for (const std::string& tap : options.taps.empty() ? default_taps(*model) : options.taps) {
      nets_.push_back(net_of(file, model, tap));
      for (const std::string& backend : options.backends) {
        const std::string name = concat(net, "/", tap, "/", backend);
        add(concat("create/", name), {backend, 1, 1}, time_creation);
        for (const int batch : options.batches)
          for (const int threads : options.threads) {
            add(concat("run/", name, "/batch:", batch, "/threads:", threads),
                {backend, batch, threads}, time_runs);
          }
      }
    }
  }

 private:
  struct Setting {
    std::string backend;
    int batch, threads;
  };

  void add(const std::string& name, const Setting& setting,
           void (*time)(benchmark::State&, const Row&)) {
    Row& row = rows_.emplace_back();
    row.net = &nets_.back();
    row.options.taps = {row.net->tap};
    row.options.backend = setting.backend;
    row.options.max_batch = setting.batch;
    row.options.threads = setting.threads;
    benchmark::RegisterBenchmark(name.c_str(),
                                 [&row, time](benchmark::State& state) { time(state, row); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }

  std::deque<Net> nets_;
  std::deque<Row> rows_;
};

void print_help() {
  std::puts(
      "nets_bench [OPTION]... [FILE]... [--benchmark_filter=REGEX] [--benchmark_...]\n"
      "  FILE              .penult, or weights that penult converts [all in $PENULT_ASSETS]\n"
      "  --taps=A,B        [penultimate, and the block in the middle]\n"
      "  --backends=A,B    native, onednn, reference [all but reference]\n"
      "  --batches=1,8,32  images in one run [1,8,32]\n"
      "  --threads=1,2     [1,2]\n"
      "Names: run/FILE/TAP/BACKEND/batch:N/threads:N, create/FILE/TAP/BACKEND\n"
      "Options of Google Benchmark:");
  benchmark::PrintDefaultHelp();
}

}  // namespace
}  // namespace penult::bench

int main(int argc, char** argv) {
  using namespace penult;
  bench::Rows rows;
  return bench::run_program(argc, argv, bench::print_help, [&](bench::Arguments& arguments) {
    const bench::Options options = bench::read_options(arguments);
    for (const std::string& file : options.files) rows.add_file(options, file);
  });
}
