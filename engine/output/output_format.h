#pragma once

// THE table of output formats: writers, checks and the program's help all ask it.

#include <memory>
#include <span>
#include <string>

#include "engine/output/feature_writer.h"

namespace penult {

struct OutputFormat {
  const char* ending;  // of the file's name: ".npz"
  const char* holds;   // for help, one line
  bool several_taps;
  bool f16;                 // holds ElementType::kF16 too
  const char* also_ending;  // of a second file, named alike; null: none
  Result<std::unique_ptr<FeatureWriter>> (*create)(const OutputSpec& spec);
};
std::span<const OutputFormat> output_formats();

// InvalidArgument, naming the endings that there are.
Result<const OutputFormat*> output_format(const std::string& path);

// Whether a file of this name can hold so many taps of this type: InvalidArgument.
Status check_output_spec(const std::string& path, size_t taps, ElementType element_type);

// The files that a writer for `path` puts in place: `path` itself first.
Result<std::vector<std::string>> output_files(const std::string& path);

// The writers, each in a file of its own.
Result<std::unique_ptr<FeatureWriter>> create_npz_writer(const OutputSpec& spec);
Result<std::unique_ptr<FeatureWriter>> create_npy_writer(const OutputSpec& spec);
Result<std::unique_ptr<FeatureWriter>> create_csv_writer(const OutputSpec& spec);

}  // namespace penult
