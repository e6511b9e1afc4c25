#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penult::bench {

// The arguments that Google Benchmark left over: --name, --name=value and file names. Each is taken
// once; what nobody took is an error. Everything throws std::invalid_argument with one line.
class Arguments {
 public:
  Arguments(int argc, char** argv) : rest_(argv + 1, argv + argc) {}

  bool take_switch(std::string_view name);
  std::optional<std::string> take_text(std::string_view name);
  // Comma lists.
  std::vector<std::string> take_list(std::string_view name, std::vector<std::string> otherwise);
  std::vector<int> take_counts(std::string_view name, std::vector<int> otherwise);
  std::vector<std::string> take_files();
  void expect_none() const;

 private:
  std::vector<std::string> rest_;
};

}  // namespace penult::bench
