#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>

#include "tools/penult/outcome.h"

namespace penult::program {

// One subcommand: declares its options and returns what runs once they are parsed.
struct Command {
  const char* name;
  const char* summary;
  const char* examples;  // whole lines, for --help
  std::function<Outcome()> (*declare)(CLI::App& app);
};

std::span<const Command> all_commands();

std::function<Outcome()> declare_bench(CLI::App& app);
std::function<Outcome()> declare_convert(CLI::App& app);
std::function<Outcome()> declare_doctor(CLI::App& app);
std::function<Outcome()> declare_extract(CLI::App& app);
std::function<Outcome()> declare_fetch(CLI::App& app);
std::function<Outcome()> declare_inspect(CLI::App& app);
std::function<Outcome()> declare_truncate(CLI::App& app);
std::function<Outcome()> declare_verify(CLI::App& app);

}  // namespace penult::program
