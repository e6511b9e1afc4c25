#pragma once

#include <string>

#include "converters/importer.h"
#include "tools/penult/outcome.h"

namespace penult::program {

struct Conversion {
  std::string source, out;
  converters::ImportOptions import;
  bool force = false;
};

// Weight file -> proven .penult file, and what was done on stdout. `out` was checked before.
Outcome convert_file(const Conversion& options);

}  // namespace penult::program
