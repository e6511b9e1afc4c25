#include "bench/arguments.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "engine/base/text.h"

namespace penult::bench {
namespace {

constexpr int kLargestCount = 1024;  // of threads, of images

int count_of(std::string_view name, const std::string& text) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || value < 1 || value > kLargestCount) {
    throw std::invalid_argument(
        concat(name, ": expected numbers from 1 to ", kLargestCount, ", got ", quote(text)));
  }
  return value;
}

bool is_option(const std::string& argument) { return argument.starts_with("-"); }

}  // namespace

bool Arguments::take_switch(std::string_view name) { return std::erase(rest_, name) > 0; }

std::optional<std::string> Arguments::take_text(std::string_view name) {
  const std::string prefix = concat(name, "=");
  const auto found = std::find_if(rest_.begin(), rest_.end(), [&](const std::string& argument) {
    return argument.starts_with(prefix);
  });
  if (found == rest_.end()) return std::nullopt;
  std::string value = found->substr(prefix.size());
  rest_.erase(found);
  return value;
}

std::vector<std::string> Arguments::take_list(std::string_view name,
                                              std::vector<std::string> otherwise) {
  const auto text = take_text(name);
  if (!text) return otherwise;
  std::vector<std::string> items;
  std::stringstream stream(*text);
  for (std::string item; std::getline(stream, item, ',');) items.push_back(item);
  if (items.empty()) throw std::invalid_argument(concat(name, ": expected a comma list"));
  return items;
}

std::vector<int> Arguments::take_counts(std::string_view name, std::vector<int> otherwise) {
  std::vector<int> counts;
  for (const std::string& item : take_list(name, {})) counts.push_back(count_of(name, item));
  return counts.empty() ? otherwise : counts;
}

std::vector<std::string> Arguments::take_files() {
  const auto options = std::stable_partition(
      rest_.begin(), rest_.end(), [](const std::string& argument) { return !is_option(argument); });
  std::vector<std::string> files(rest_.begin(), options);
  rest_.erase(rest_.begin(), options);
  return files;
}

void Arguments::expect_none() const {
  if (rest_.empty()) return;
  throw std::invalid_argument(concat("unknown argument ", quote(rest_.front()), "; see --help"));
}

}  // namespace penult::bench
