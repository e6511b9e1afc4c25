// penult truncate: a model without what its taps do not need.

#include "engine/model/truncate.h"

#include <filesystem>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/model/writer.h"
#include "penult/model.h"
#include "tools/penult/command.h"
#include "tools/penult/signals.h"
#include "tools/penult/streams.h"

namespace penult::program {
namespace {

struct Options {
  std::string model, out;
  std::vector<std::string> taps;
  bool force = false;
};

uint64_t size_of(const std::string& path) {
  std::error_code ignored;
  const auto bytes = std::filesystem::file_size(path, ignored);
  return ignored ? 0 : bytes;
}

Outcome truncate(const Options& options) {
  PENULT_RETURN_IF_ERROR(check_output(options.out, options.force));
  std::error_code ignored;
  if (std::filesystem::equivalent(options.model, options.out, ignored)) {
    return Status(StatusCode::kInvalidArgument,
                  "the output would replace the model it is read from");
  }
  auto model = Model::load(options.model);
  if (!model.ok()) return of_file(model.status());
  const ModelData& data = (*model)->data();
  std::vector<int> taps;
  for (const std::string& name : options.taps) {
    PENULT_ASSIGN_OR_RETURN(const std::vector<int> resolved, resolve_tap(data, name));
    taps.insert(taps.end(), resolved.begin(), resolved.end());
  }
  PENULT_ASSIGN_OR_RETURN(ModelData part, truncate_model(data, taps));
  PENULT_RETURN_IF_ERROR(check_signals());
  if (Status written = write_model(part, options.out, existing(options.force)); !written.ok()) {
    return of_file(std::move(written));
  }
  print_out("{}: {} of {} taps, {} of {} bytes\n", escape_name(options.out), part.taps.size(),
            data.taps.size(), size_of(options.out), size_of(options.model));
  print_out("model id {}\n", part.info.model_id);
  return {};
}

}  // namespace

std::function<Outcome()> declare_truncate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->model, "model, as written by penult convert")
      ->type_name("FILE")
      ->required();
  app.add_option("-l,--layer", options->taps,
                 "tap to keep, repeatable; what none of them needs goes")
      ->type_name("TAP")
      ->allow_extra_args(false)
      ->required();
  app.add_option("-o,--output", options->out, "smaller model to write")
      ->type_name("FILE")
      ->required();
  app.add_flag("--force", options->force, "replace an existing file");
  return [options] { return truncate(*options); };
}

}  // namespace penult::program
