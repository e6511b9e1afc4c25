// What it takes to come to the first feature: prints one JSON object with the time from a moment
// that the caller names to the first feature, the time of a warm run, and the memory resident at
// most. bench/cold_start.py, which see, starts it and reports.
//
//   cold_start MODEL TAP THREADS NUMERICS SINCE      SINCE: seconds of CLOCK_MONOTONIC

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "bench/images.h"
#include "engine/base/check.h"
#include "penult/extractor.h"

namespace penult {
namespace {

// The clock of Python's time.monotonic() on Linux.
double now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

int64_t peak_resident_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

Status run(char** arguments) {
  ExtractorOptions options;
  options.taps = {arguments[1]};
  options.max_batch = 1;
  options.threads = std::atoi(arguments[2]);
  options.numerics = arguments[3];
  const double since = std::atof(arguments[4]), begin = now();
  PENULT_ASSIGN_OR_RETURN(const auto model, Model::load(arguments[0]));
  const double loaded = now();
  PENULT_ASSIGN_OR_RETURN(const std::unique_ptr<Extractor> extractor,
                          Extractor::create(model, options));
  const double created = now();
  const std::vector<float> image = bench::images_to_time(*extractor);
  std::vector<float> feature(static_cast<size_t>(extractor->outputs()[0].elems));
  const std::span<float> features[] = {feature};
  PENULT_RETURN_IF_ERROR(extractor->run(image, 1, features));
  const double first = now();
  const int64_t resident = peak_resident_kib();
  double warm = 0;
  for (int i = 0; i < 5; ++i) {
    const double start = now();
    PENULT_RETURN_IF_ERROR(extractor->run(image, 1, features));
    warm = i == 0 ? now() - start : std::min(warm, now() - start);
  }
  std::printf(
      "{\"main\": %.6f, \"load\": %.6f, \"create\": %.6f, \"first_run\": %.6f, "
      "\"to_feature\": %.6f, \"warm_run\": %.6f, \"resident_kib\": %lld}\n",
      begin - since, loaded - begin, created - loaded, first - created, first - since, warm,
      static_cast<long long>(resident));
  return {};
}

}  // namespace
}  // namespace penult

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: cold_start MODEL TAP THREADS NUMERICS SINCE\n");
    return 2;
  }
  const penult::Status status = penult::run(argv + 1);
  if (!status.ok()) std::fprintf(stderr, "cold_start: %s\n", status.to_string().c_str());
  return status.ok() ? 0 : 2;
}
