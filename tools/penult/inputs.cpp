#include "tools/penult/inputs.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::program {
namespace {

namespace fs = std::filesystem;

bool has_image_name(const std::string& name) {
  static constexpr std::array<const char*, 6> kEndings = {".jpg", ".jpeg", ".png",
                                                          ".bmp", ".webp", ".ppm"};
  std::string lower = name;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](const char* ending) { return lower.ends_with(ending); });
}

struct Found {
  std::vector<std::string> images;     // relative paths
  std::vector<std::string> not_taken;  // "relative path: reason"
};

void search(const fs::path& root, const std::string& below, Found& found) {
  std::error_code error;
  fs::directory_iterator entries(root / below, error);
  // A folder that cannot be read is an input that fails, not one that vanishes.
  if (error) {
    found.images.push_back(below);
    return;
  }
  for (; entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    const std::string relative = below.empty() ? name : below + "/" + name;
    std::error_code ignored;
    const fs::file_status own = entries->symlink_status(ignored);
    if (fs::is_directory(own)) {
      search(root, relative, found);
    } else if (fs::is_symlink(own) && fs::is_directory(entries->status(ignored))) {
      found.not_taken.push_back(relative + ": a link to a folder");
    } else if (!has_image_name(name)) {
      found.not_taken.push_back(relative + ": not named as an image");
    } else {
      found.images.push_back(relative);
    }
  }
  if (error) found.images.push_back(below);
}

void add_folder(const std::string& argument, Inputs& inputs) {
  Found found;
  search(argument, "", found);
  std::sort(found.images.begin(), found.images.end());
  std::sort(found.not_taken.begin(), found.not_taken.end());
  const std::string prefix = argument.ends_with('/') ? argument : argument + "/";
  for (const std::string& relative : found.images) {
    const size_t slash = relative.find('/');
    inputs.taken.push_back({.path = relative.empty() ? argument : prefix + relative,
                            .label = slash == std::string::npos ? "" : relative.substr(0, slash)});
  }
  for (const std::string& line : found.not_taken) inputs.not_taken.push_back(prefix + line);
}

// Longer than any path may be; so is a file without lines, such as /dev/zero.
constexpr size_t kMaxLine = size_t{1} << 16;

// As std::getline, but stops at kMaxLine + 1 bytes.
bool next_line(std::istream& lines, std::string& line) {
  line.clear();
  for (int c; line.size() <= kMaxLine && (c = lines.get()) != std::char_traits<char>::eof();) {
    if (c == '\n') return true;
    line.push_back(static_cast<char>(c));
  }
  return !line.empty();
}

Status add_lines(std::istream& lines, const std::string& name, Inputs& inputs) {
  bool is_first = true;
  for (std::string line; next_line(lines, line);) {
    if (std::exchange(is_first, false) && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (line.size() > kMaxLine) {
      return {StatusCode::kInvalidArgument, concat("a line of ", name, " is longer than ", kMaxLine,
                                                   " bytes: expected a list of paths, one a line")};
    }
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) inputs.taken.push_back({.path = line, .label = ""});
  }
  // Over stdio, std::cin takes a failed read for the end.
  if (!lines.bad() && (&lines != &std::cin || std::ferror(stdin) == 0)) return {};
  return {StatusCode::kIo, concat("cannot read the list of inputs from ", name)};
}

Status add_list(const std::string& path, Inputs& inputs) {
  std::ifstream list(path);
  if (!list || fs::is_directory(path)) {
    return {StatusCode::kIo, concat("cannot read the list of inputs from ", quote(path))};
  }
  return add_lines(list, quote(path), inputs);
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

// The names that a pattern matches; none if it is no pattern.
std::vector<std::string> matches(const std::string& pattern) {
  std::vector<std::string> names;
  if (pattern.find_first_of("*?[") == std::string::npos || exists(pattern)) return names;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    names.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  std::sort(names.begin(), names.end());
  return names;
}

void add_file_or_folder(const std::string& path, Inputs& inputs) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return add_folder(path, inputs);
  inputs.taken.push_back({.path = path, .label = ""});
  if (!exists(path)) inputs.missing.push_back(path);
}

}  // namespace

Result<Inputs> collect_inputs(const std::vector<std::string>& arguments) {
  Inputs inputs;
  for (const std::string& argument : arguments) {
    if (argument == "-") {
      PENULT_RETURN_IF_ERROR(add_lines(std::cin, "standard input", inputs));
    } else if (argument.starts_with('@')) {
      PENULT_RETURN_IF_ERROR(add_list(argument.substr(1), inputs));
    } else if (const std::vector<std::string> names = matches(argument); !names.empty()) {
      for (const std::string& name : names) add_file_or_folder(name, inputs);
    } else {
      add_file_or_folder(argument, inputs);
    }
  }
  return inputs;
}

}  // namespace penult::program
