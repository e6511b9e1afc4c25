// penult: the command line over the library. Commands stand in command_table.cpp.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>
#include <utility>
#include <vector>

#include "engine/base/text.h"
#include "penult/version.h"
#include "tools/penult/command.h"
#include "tools/penult/signals.h"

namespace penult::program {
namespace {

int report(const Outcome& outcome) {
  if (!outcome.status.ok()) {
    std::fprintf(stderr, "penult: %s\n", outcome.status.to_string().c_str());
  }
  return outcome.exit;
}

int run(int argc, char** argv) {
  CLI::App app("Deep features from pretrained convolutional nets, up to the layer you choose.",
               "penult");
  app.set_version_flag("--version", std::string("penult ") + version());
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 all well; 1 finished with failures; 2 wrong usage; 3 refused input;\n"
      "            4 I/O error or no space; 5 internal error; 130/143 on signals.");
  std::vector<std::pair<CLI::App*, std::function<Outcome()>>> actions;
  for (const Command& command : all_commands()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    actions.emplace_back(sub, command.declare(*sub));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return report(Status(StatusCode::kInvalidArgument,
                         concat(escape_name(error.what()), "; see penult --help")));
  }
  for (const auto& [sub, action] : actions) {
    if (sub->parsed()) return report(action());
  }
  return kExitUsage;
}

// What was printed must have arrived: a full disk behind a redirection is an error.
int flush_output(int exit) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit;
  const int failed =
      report(Status(StatusCode::kIo, "cannot write to standard output: closed, or no space left"));
  return exit == kExitOk ? failed : exit;
}

}  // namespace
}  // namespace penult::program

int main(int argc, char** argv) {
  using penult::Status;
  using penult::StatusCode;
  penult::program::install_signal_handlers();
  try {
    return penult::program::flush_output(penult::program::run(argc, argv));
  } catch (const std::bad_alloc&) {
    return penult::program::report(Status(StatusCode::kOutOfMemory, "memory ran out"));
  } catch (const std::exception& error) {
    return penult::program::report(Status(
        StatusCode::kInternal,
        penult::concat("a bug in penult, please report it: ", penult::escape_name(error.what()))));
  }
}
