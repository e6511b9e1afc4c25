#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace penult::program {

// The commands with their options as JSON text: what --help says, for tools/make_cli_docs.py.
std::string describe(const CLI::App& app);

}  // namespace penult::program
