#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace penult::program {

// An option that takes one of these values; its help lists them.
inline void add_choice(CLI::App& app, const char* name, std::string& value, const char* description,
                       const std::vector<std::string>& values) {
  app.add_option(name, value, description)
      ->check(CLI::IsMember(values).description(""))
      ->type_name(fmt::format("{}", fmt::join(values, "|")));
}

// For an option that may be left out: "" is not that, but a script's variable that nobody has set.
inline CLI::Option* not_empty(CLI::Option* option, const std::string& expected) {
  const auto refuse = [expected](const std::string& value) {
    return value.empty() ? "got an empty text, expected " + expected : std::string();
  };
  return option->check(refuse);
}

// Where to compute, and with which numbers: for each command that runs a network.
inline void add_device(CLI::App& app, std::string& device) {
  app.add_option("--device", device,
                 "cpu; cuda or cuda:N, an NVIDIA GPU; emulated, a GPU's kernels thread\n"
                 "by thread on the cpu, for debugging [cpu]")
      ->type_name("NAME");
}

inline void add_precision(CLI::App& app, std::string& precision) {
  add_choice(app, "--precision", precision, "f32; f16 computes on cuda and emulated only [f32]",
             {"f32", "f16"});
}

}  // namespace penult::program
