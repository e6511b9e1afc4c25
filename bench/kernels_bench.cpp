// Every kernel of every table, those of modules included, over the layers of the corpora: what is
// there is found by walking the registry and the folder. bench/README.md says how to run it.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <stdexcept>
#include <string>

#include "bench/harness.h"
#include "bench/kernel_run.h"
#include "engine/base/text.h"

namespace penult::bench {
namespace {

using kernels::Backend;
using kernels::BackendModule;
using kernels::Kernel;
using kernels::Table;
using shapes::ProblemSpec;

struct Corpus {
  std::string name;
  std::vector<ProblemSpec> specs;
};

struct Options {
  std::deque<Corpus> corpora;  // rows point into it
  std::vector<int> batches, threads;
  bool reference = false;
  bool cold = false;
};

Options read_options(Arguments& arguments) {
  Options options;
  const std::string folder = arguments.take_text("--shapes").value_or(shapes::corpora_folder());
  std::vector<std::string> names = shapes::corpora_in(folder);
  std::erase(names, shapes::kTails);  // for tests: too small to be timed
  for (const std::string& name : arguments.take_list("--corpora", names))
    options.corpora.push_back({name, shapes::read_corpus_file(concat(folder, "/", name, ".txt"))});
  options.batches = arguments.take_counts("--batches", {1});
  options.threads = arguments.take_counts("--threads", default_threads());
  options.reference = arguments.take_switch("--reference");
  options.cold = arguments.take_switch("--cold");
  return options;
}

// Without its first word where the table says that already; spaces would be hard to filter by.
std::string problem_name(const Table& table, const ProblemSpec& spec) {
  std::string text = spec.to_string();
  if (spec.op == table.op) text.erase(0, spec.op.size() + 1);
  std::replace(text.begin(), text.end(), ' ', '_');
  return text;
}

std::string kernel_name(const Table& table, const Kernel& kernel) {
  return concat(table.op, "/", std::string(kernel.name).substr(std::string(table.op).size() + 1));
}

double bytes_of(const ProblemSpec& spec) {
  int64_t elems = spec.dst().elems() * (spec.epilogue.residual ? 2 : 1);
  for (const Shape& shape : spec.inputs()) elems += shape.elems();
  return static_cast<double>(elems) * sizeof(float);
}

Isa isa_of(const Kernel& kernel) {
  return kernel.backend == Backend::kNative ? kernel.isa : detected_isa();
}

void report_speed(benchmark::State& state, const KernelSetting& setting, double seconds,
                  double peak) {
  const double images = static_cast<double>(state.iterations()) * setting.n;
  const double rate = 1e-9 * images / seconds;
  if (const int64_t macs = setting.spec->macs(); macs > 0) {
    const double gflops = 2 * static_cast<double>(macs) * rate;
    state.counters["GFLOP/s"] = gflops;
    state.counters["of_peak"] = gflops / (1e-9 * peak);
  } else {
    state.counters["GB/s"] = bytes_of(*setting.spec) * rate;
  }
}

double time_warm(benchmark::State& state, KernelRun& run, Status& status) {
  for (int i = 0; i < 2 && status.ok(); ++i) status = run.run();
  const Stopwatch watch;
  for (auto _ : state) {
    if (status.ok()) status = run.run();
  }
  return watch.seconds();
}

double time_cold(benchmark::State& state, KernelRun& run, Status& status) {
  double seconds = 0;
  for (auto _ : state) {
    if (status.ok()) status = run.evict_caches();
    const Stopwatch watch;
    if (status.ok()) status = run.run();
    state.SetIterationTime(watch.seconds());
    seconds += watch.seconds();
  }
  return seconds;
}

// The row that is being timed: Google Benchmark calls it several times in a row, and drawing
// numbers and packing weights can take longer than what is timed.
struct Current {
  const KernelSetting* setting = nullptr;
  std::unique_ptr<KernelRun> run;
  double peak = 0;
};

void run_row(benchmark::State& state, const KernelSetting& setting, bool cold, Current& current) {
  if (current.setting != &setting) {
    current = {};
    auto run = KernelRun::create(setting);
    if (!run.ok()) return state.SkipWithError(run.status().message().c_str());
    const double peak = fma_peak(isa_of(*setting.kernel), setting.threads);
    current = {&setting, std::move(run).value(), peak};
  }
  Status status;
  const double seconds =
      cold ? time_cold(state, *current.run, status) : time_warm(state, *current.run, status);
  if (!status.ok()) return state.SkipWithError(status.message().c_str());
  state.SetLabel(current.run->implementation());
  report_speed(state, setting, seconds, current.peak);
}

class Rows {
 public:
  void add_tables(const Options& options, std::span<const Table> tables,
                  const BackendModule* module) {
    for (const Table& table : tables) {
      for (const Kernel& kernel : table.kernels) {
        if (kernel.backend == Backend::kReference && !options.reference) continue;
        if (is_supported(kernel.isa)) add_kernel(options, table, kernel, module);
      }
    }
  }

 private:
  void add_kernel(const Options& options, const Table& table, const Kernel& kernel,
                  const BackendModule* module) {
    for (const Corpus& corpus : options.corpora) {
      for (const ProblemSpec& spec : corpus.specs) {
        if (!shapes::accepts(table, kernel, spec)) continue;
        const std::string name =
            concat(kernel_name(table, kernel), "/", corpus.name, "/", problem_name(table, spec));
        for (const int n : options.batches) {
          for (const int threads : options.threads) {
            settings_.push_back({&kernel, module, &spec, n, threads});
            add_row(concat(name, "/batch:", n, "/threads:", threads), options.cold);
          }
        }
      }
    }
  }

  void add_row(const std::string& name, bool cold) {
    const KernelSetting* setting = &settings_.back();
    auto* row = benchmark::RegisterBenchmark(name.c_str(), [=, this](benchmark::State& state) {
      run_row(state, *setting, cold, current_);
    });
    row->Unit(benchmark::kMicrosecond);
    // Evicting takes milliseconds each time, so their number is what limits a cold row.
    if (cold) {
      row->UseManualTime()->Iterations(50);
    } else {
      row->UseRealTime();
    }
  }

  std::deque<KernelSetting> settings_;
  Current current_;
};

void print_help() {
  std::puts(
      "kernels_bench [OPTION]... [--benchmark_filter=REGEX] [--benchmark_...]\n"
      "  --shapes=DIR      folder of the corpora [bench/shapes of the source tree]\n"
      "  --corpora=A,B     files of it, without .txt [all but tails]\n"
      "  --batches=1,8     images in one run [1]\n"
      "  --threads=1,2     [1,2]\n"
      "  --reference       the reference kernels, too\n"
      "  --cold            evict the caches before each run\n"
      "Names: OPERATOR/KERNEL/CORPUS/PROBLEM/batch:N/threads:N\n"
      "Options of Google Benchmark:");
  benchmark::PrintDefaultHelp();
}

}  // namespace
}  // namespace penult::bench

int main(int argc, char** argv) {
  using namespace penult;
  bench::Options options;
  bench::Rows rows;
  return bench::run_program(argc, argv, bench::print_help, [&](bench::Arguments& arguments) {
    options = bench::read_options(arguments);
    rows.add_tables(options, kernels::all_tables(), nullptr);
    for (const auto& loaded : bench::loaded_modules())
      rows.add_tables(options, loaded.module->tables, loaded.module);
  });
}
