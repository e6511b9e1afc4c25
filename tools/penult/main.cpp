// penult: the command line over the library. Commands stand in command_table.cpp.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "engine/base/text.h"
#include "penult/version.h"
#include "tools/penult/command.h"
#include "tools/penult/describe.h"
#include "tools/penult/signals.h"
#include "tools/penult/streams.h"

namespace penult::program {
namespace {

// Who no longer reads the output knows why: nothing is said, as by programs that SIGPIPE ends.
int report(const Outcome& outcome) {
  if (!outcome.status.ok() && outcome.exit != kExitSigpipe) {
    std::fprintf(stderr, "penult: %s\n", outcome.status.to_string().c_str());
  }
  return outcome.exit;
}

// CLI11 would say no more than that a subcommand is missing.
Status check_command_name(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "-h" || first == "--help" || first == "--version" || first == "--describe") {
    return {};
  }
  std::vector<std::string> names;
  for (const Command& command : all_commands()) {
    if (first == command.name) return {};
    names.emplace_back(command.name);
  }
  const std::string wrong =
      argc > 1 ? concat("there is no command ", quote(first)) : std::string("a command is missing");
  return {StatusCode::kInvalidArgument,
          concat(wrong, ", expected one of ", fmt::format("{}", fmt::join(names, ", ")),
                 "; see penult --help")};
}

int run(int argc, char** argv) {
  CLI::App app("Deep features from pretrained convolutional nets, up to the layer you choose.",
               "penult");
  app.set_version_flag("--version", std::string("penult ") + version());
  app.require_subcommand(1);
  app.get_formatter()->column_width(28);
  constexpr const char* kExitCodes =
      "Exit codes: 0 all well; 1 finished, but some inputs failed; 2 wrong usage;\n"
      "            3 refused input; 4 I/O error or no space; 5 out of memory, or a bug;\n"
      "            129/130/143 stopped by SIGHUP/SIGINT/SIGTERM; 141 whoever read the output left.";
  app.footer(std::string("From weights to features:\n"
                         "  penult convert weights.pth -o net.penult\n"
                         "  penult inspect net.penult\n"
                         "  penult extract photos/ -m net.penult -l features.14 -o features.npz\n"
                         "`penult COMMAND --help` describes one command.\n\n") +
             kExitCodes);
  std::vector<std::pair<CLI::App*, std::function<Outcome()>>> actions;
  for (const Command& command : all_commands()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->footer(concat("Examples:\n", command.examples, "\n", kExitCodes));
    actions.emplace_back(sub, command.declare(*sub));
  }
  // Not in --help: for tools/make_cli_docs.py.
  const auto print_description = [&app] {
    print_out("{}", describe(app));
    throw CLI::Success();
  };
  app.add_flag_callback("--describe", print_description)->group("");
  if (Status known = check_command_name(argc, argv); !known.ok()) return report(known);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    const auto subs = app.get_subcommands();
    const std::string command = subs.empty() ? "" : " " + subs.front()->get_name();
    return report(Status(StatusCode::kInvalidArgument,
                         concat(escape_name(error.what()), "; see penult", command, " --help")));
  }
  for (const auto& [sub, action] : actions) {
    if (sub->parsed()) return report(action());
  }
  return kExitUsage;
}

// What was printed must have arrived. A failure that is already reported stays the one line.
int finish(int exit) {
  const Outcome flushed = flush_output();
  return exit == kExitOk ? report(flushed) : exit;
}

}  // namespace
}  // namespace penult::program

int main(int argc, char** argv) {
  using penult::Status;
  using penult::StatusCode;
  penult::program::reserve_standard_streams();
  penult::program::install_signal_handlers();
  // GNU OpenMP, on which oneDNN computes, waits awake for milliseconds at each of its barriers.
  // With another process on the machine that made a run 50 times slower. As long as our own pool
  // then; set before any other thread could read the environment.
  setenv("GOMP_SPINCOUNT", "2000", 0);
  try {
    return penult::program::finish(penult::program::run(argc, argv));
  } catch (const std::bad_alloc&) {
    return penult::program::report(Status(StatusCode::kOutOfMemory, "memory ran out"));
  } catch (const std::exception& error) {
    return penult::program::report(Status(
        StatusCode::kInternal,
        penult::concat("a bug in penult, please report it: ", penult::escape_name(error.what()))));
  }
}
