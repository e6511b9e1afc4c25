// Times runs that end at each block of a network against the same steps of the whole network, in
// turn and in one process. Prints one JSON object for each tap and round; bench/truncation_cost.py,
// which see, starts it and judges.
//
//   truncation_cost MODEL ROUNDS THREADS MILLISECONDS [TAP...]      without taps: those of `blocks`

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "bench/images.h"
#include "engine/base/check.h"
#include "engine/base/text.h"
#include "penult/extractor.h"

namespace penult {
namespace {

using Clock = std::chrono::steady_clock;

struct Job {
  std::shared_ptr<const Model> model;
  std::vector<std::string> taps;
  std::string last;  // tap of the whole network
  int rounds = 0, threads = 0;
  double milliseconds = 0;  // for one measurement, three runs at least
};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median_of(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// An extractor of one tap, one image at a time, and what it needs to run.
class Runner {
 public:
  static Result<Runner> create(const Job& job, const std::string& tap) {
    ExtractorOptions options;
    options.taps = {tap};
    options.max_batch = 1;
    options.threads = job.threads;
    Runner runner;
    PENULT_ASSIGN_OR_RETURN(runner.extractor_, Extractor::create(job.model, options));
    const Extractor& extractor = *runner.extractor_;
    runner.image_ = bench::images_to_time(extractor);
    runner.feature_.resize(static_cast<size_t>(extractor.outputs()[0].elems));
    runner.steps_ = extractor.steps();
    runner.step_ms_.resize(runner.steps_.size());
    return runner;
  }

  // Median time of a run.
  Result<double> run(double milliseconds) {
    return measure(milliseconds, [this]() -> Result<double> {
      const std::span<float> features[] = {feature_};
      const auto start = Clock::now();
      PENULT_RETURN_IF_ERROR(extractor_->run(image_, 1, features));
      return milliseconds_since(start);
    });
  }

  // Median time of the steps up to and including the one that computes `tap`.
  Result<double> run_up_to(const std::string& tap, double milliseconds) {
    const auto holds = [&](const StepInfo& step) {
      return std::find(step.taps.begin(), step.taps.end(), tap) != step.taps.end();
    };
    const auto step = std::find_if(steps_.begin(), steps_.end(), holds);
    if (step == steps_.end()) {
      return Status(StatusCode::kInvalidArgument,
                    concat("the last tap does not need the tap ", quote(tap)));
    }
    const auto count = static_cast<size_t>(step - steps_.begin()) + 1;
    return measure(milliseconds, [this, count]() -> Result<double> {
      const std::span<float> features[] = {feature_};
      PENULT_RETURN_IF_ERROR(extractor_->profile(image_, 1, features, step_ms_));
      double sum = 0;
      for (size_t s = 0; s < count; ++s) sum += step_ms_[s];
      return sum;
    });
  }

 private:
  // After two runs that do not count.
  static Result<double> measure(double milliseconds, const std::function<Result<double>()>& once) {
    for (int i = 0; i < 2; ++i) {
      if (const auto time = once(); !time.ok()) return time.status();
    }
    std::vector<double> times;
    const auto start = Clock::now();
    while (times.size() < 3 || milliseconds_since(start) < milliseconds) {
      PENULT_ASSIGN_OR_RETURN(const double time, once());
      times.push_back(time);
    }
    return median_of(std::move(times));
  }

  std::unique_ptr<Extractor> extractor_;
  std::vector<float> image_, feature_;
  std::vector<StepInfo> steps_;
  std::vector<double> step_ms_;
};

// Truncated extractors come and go, so that a deep network's need not be in memory all at once; the
// whole one is made anew each round, so that it does not keep a lucky place in memory either.
Status run_round(const Job& job, int round) {
  PENULT_ASSIGN_OR_RETURN(Runner whole, Runner::create(job, job.last));
  for (size_t i = 0; i < job.taps.size(); ++i) {
    const bool forth = round % 2 == 0;
    const std::string& tap = job.taps[forth ? i : job.taps.size() - 1 - i];
    PENULT_ASSIGN_OR_RETURN(Runner truncated, Runner::create(job, tap));
    double steps = 0;
    if (forth) {
      PENULT_ASSIGN_OR_RETURN(steps, whole.run_up_to(tap, job.milliseconds));
    }
    PENULT_ASSIGN_OR_RETURN(const double ms, truncated.run(job.milliseconds));
    if (!forth) {
      PENULT_ASSIGN_OR_RETURN(steps, whole.run_up_to(tap, job.milliseconds));
    }
    std::printf("{\"tap\": %zu, \"round\": %d, \"truncated_ms\": %.6f, \"steps_ms\": %.6f}\n",
                forth ? i : job.taps.size() - 1 - i, round, ms, steps);
    std::fflush(stdout);
  }
  return {};
}

// A tap stands for its main name, which steps know it by.
Status resolve_taps(const std::vector<std::string>& names, Job& job) {
  for (const std::string& name : names) {
    PENULT_ASSIGN_OR_RETURN(const std::vector<std::string> taps, job.model->resolve(name));
    job.taps.insert(job.taps.end(), taps.begin(), taps.end());
  }
  PENULT_ASSIGN_OR_RETURN(const std::vector<TapInfo> all, job.model->taps());
  job.last = all.back().name;
  return {};
}

Status run(const std::vector<std::string>& arguments) {
  Job job;
  PENULT_ASSIGN_OR_RETURN(job.model, Model::load(arguments[0]));
  job.rounds = std::atoi(arguments[1].c_str());
  job.threads = std::atoi(arguments[2].c_str());
  job.milliseconds = std::atof(arguments[3].c_str());
  std::vector<std::string> names(arguments.begin() + 4, arguments.end());
  if (names.empty()) names = {"blocks"};
  PENULT_RETURN_IF_ERROR(resolve_taps(names, job));
  std::printf("{\"architecture\": \"%s\", \"taps\": [", job.model->architecture().c_str());
  for (size_t i = 0; i < job.taps.size(); ++i) {
    std::printf("%s\"%s\"", i == 0 ? "" : ", ", job.taps[i].c_str());
  }
  std::printf("]}\n");
  for (int round = 0; round < job.rounds; ++round) PENULT_RETURN_IF_ERROR(run_round(job, round));
  return {};
}

}  // namespace
}  // namespace penult

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: truncation_cost MODEL ROUNDS THREADS MILLISECONDS [TAP...]\n");
    return 2;
  }
  const penult::Status status = penult::run({argv + 1, argv + argc});
  if (!status.ok()) std::fprintf(stderr, "truncation_cost: %s\n", status.to_string().c_str());
  return status.ok() ? 0 : 2;
}
