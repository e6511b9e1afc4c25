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

}  // namespace penult::program
