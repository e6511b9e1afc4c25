#pragma once

// What `penult extract` is asked for.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/output/feature_writer.h"
#include "penult/status.h"

namespace penult::program {

struct ExtractCliOptions {
  std::vector<std::string> inputs, taps = {"penultimate"};
  std::string model, out, pool = "avg";
  std::string dtype = "f32";  // of stored values
  std::string backend = "auto", device = "cpu", numerics = "throughput", precision = "f32";
  std::string on_error = "skip", exif = "apply";
  int64_t batch = 8;
  int threads = 0;  // 0: all that the process may use
  double max_failure_rate = 0;
  bool taps_given = false;
  bool l2_normalize = false, force = false, quiet = false, json_progress = false;

  ElementType element_type() const {
    return dtype == element_type_name(ElementType::kF16) ? ElementType::kF16 : ElementType::kF32;
  }
};

void declare_options(CLI::App& app, ExtractCliOptions& options);

// What can be said against them without the model: InvalidArgument, Io (OUT's folder), Device.
Status check_options(const ExtractCliOptions& options);

// OUT.errors.csv
std::string errors_beside(const std::string& out);

}  // namespace penult::program
