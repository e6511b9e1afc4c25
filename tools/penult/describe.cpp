#include "tools/penult/describe.h"

#include <nlohmann/json.hpp>

#include "penult/version.h"
#include "tools/penult/command.h"

namespace penult::program {
namespace {

using Json = nlohmann::ordered_json;

Json describe_option(const CLI::Option& option) {
  Json names = Json::array();
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  const bool positional = names.empty();
  if (positional) names.push_back(option.get_name(true));
  return {{"names", names},
          {"positional", positional},
          {"value", option.get_type_name()},  // empty: a flag, or positional
          {"several", option.get_items_expected_max() > 1},
          {"required", option.get_required()},
          {"group", option.get_group()},
          {"text", option.get_description()}};
}

Json describe_options(const CLI::App& app) {
  Json options = Json::array();
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) options.push_back(describe_option(*option));
  }
  return options;
}

}  // namespace

std::string describe(const CLI::App& app) {
  Json root = {{"name", app.get_name()},           {"version", version()},
               {"summary", app.get_description()}, {"footer", app.get_footer()},
               {"options", describe_options(app)}, {"commands", Json::array()}};
  for (const Command& command : all_commands()) {
    const CLI::App* sub = app.get_subcommand(command.name);
    root["commands"].push_back({{"name", command.name},
                                {"summary", command.summary},
                                {"examples", command.examples},
                                {"help", sub->help("penult", CLI::AppFormatMode::Normal)},
                                {"options", describe_options(*sub)}});
  }
  return root.dump(1) + "\n";
}

}  // namespace penult::program
