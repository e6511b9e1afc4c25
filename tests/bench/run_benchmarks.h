#pragma once

// Benchmark programs as a user runs them, without what they write to stderr.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace penult::testing {

struct ProgramResult {
  int exit = -1;
  std::string output;
};

// `arguments` as for a shell.
inline ProgramResult run_program(const std::string& program, const std::string& arguments) {
  ProgramResult result;
  FILE* pipe = popen((program + " " + arguments + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 65536> block;
  for (size_t got; (got = fread(block.data(), 1, block.size(), pipe)) > 0;)
    result.output.append(block.data(), got);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit = WEXITSTATUS(status);
  return result;
}

inline std::vector<std::string> list_benchmarks(const std::string& program,
                                                const std::string& arguments) {
  const auto [exit, output] = run_program(program, arguments + " --benchmark_list_tests=true");
  EXPECT_EQ(exit, 0) << output;
  std::vector<std::string> names;
  std::stringstream stream(output);
  for (std::string line; std::getline(stream, line);) names.push_back(line);
  return names;
}

// Runs them as short as can be. Each row of the report has its name, and its times and counters.
inline nlohmann::json run_benchmarks(const std::string& program, const std::string& arguments) {
  const auto [exit, output] =
      run_program(program, arguments + " --benchmark_min_time=0.0001 --benchmark_format=json");
  EXPECT_EQ(exit, 0) << output;
  const auto report = nlohmann::json::parse(output, nullptr, false);
  if (report.is_discarded()) {
    ADD_FAILURE() << "no JSON: " << output;
    return nlohmann::json::array();
  }
  for (const auto& row : report["benchmarks"])
    EXPECT_FALSE(row.contains("error_occurred")) << row.dump();
  return report["benchmarks"];
}

}  // namespace penult::testing
