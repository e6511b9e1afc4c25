#include "engine/output/output_format.h"

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult {
namespace {

constexpr OutputFormat kFormats[] = {
    {.ending = ".npz",
     .holds = "an array for each tap, paths, labels, provenance",
     .several_taps = true,
     .f16 = true,
     .also_ending = nullptr,
     .create = create_npz_writer},
    {.ending = ".npy",
     .holds = "the array of one tap; the rest goes to X.json beside it",
     .several_taps = false,
     .f16 = true,
     .also_ending = ".json",
     .create = create_npy_writer},
    {.ending = ".csv",
     .holds = "path, label and the numbers of each tap, a row an image",
     .several_taps = true,
     .f16 = false,
     .also_ending = nullptr,
     .create = create_csv_writer},
};

// ".npz, .npy or .csv": the endings of the formats that `fit`.
template <class Fits>
std::string endings(const Fits& fits) {
  std::vector<std::string> names;
  for (const OutputFormat& format : kFormats) {
    if (fits(format)) names.emplace_back(format.ending);
  }
  std::string text = names.front();
  for (size_t i = 1; i < names.size(); ++i) {
    text += (i + 1 == names.size() ? " or " : ", ") + names[i];
  }
  return text;
}

}  // namespace

std::span<const OutputFormat> output_formats() { return kFormats; }

Result<const OutputFormat*> output_format(const std::string& path) {
  for (const OutputFormat& format : kFormats) {
    if (path.ends_with(format.ending)) return &format;
  }
  return Status(StatusCode::kInvalidArgument,
                concat("cannot tell the format of ", quote(path), ", expected a name in ",
                       endings([](const OutputFormat&) { return true; })));
}

Status check_output_spec(const std::string& path, size_t taps, ElementType element_type) {
  PENULT_ASSIGN_OR_RETURN(const OutputFormat* format, output_format(path));
  if (taps != 1 && !format->several_taps) {
    return {StatusCode::kInvalidArgument,
            concat("an ", format->ending, " file holds one tap, asked for are ", taps, "; use ",
                   endings([](const OutputFormat& f) { return f.several_taps; }), " for several")};
  }
  if (element_type == ElementType::kF16 && !format->f16) {
    return {StatusCode::kInvalidArgument,
            concat("a ", format->ending, " file holds f32, asked for is f16; use ",
                   endings([](const OutputFormat& f) { return f.f16; }))};
  }
  return {};
}

Result<std::vector<std::string>> output_files(const std::string& path) {
  PENULT_ASSIGN_OR_RETURN(const OutputFormat* format, output_format(path));
  std::vector<std::string> files = {path};
  if (format->also_ending != nullptr) {
    files.push_back(path.substr(0, path.size() - std::string(format->ending).size()) +
                    format->also_ending);
  }
  return files;
}

}  // namespace penult
