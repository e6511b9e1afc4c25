#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/text.h"
#include "penult/extractor.h"

namespace penult::program {

// Widths of the first two columns of a table of steps, headed "step" and "kernel".
struct StepColumns {
  size_t name = std::string("step").size(), kernel = std::string("kernel").size();

  explicit StepColumns(const std::vector<StepInfo>& steps) {
    for (const StepInfo& step : steps) {
      name = std::max(name, escape_name(step.name).size());
      kernel = std::max(kernel, step.kernel.size());
    }
  }
};

}  // namespace penult::program
