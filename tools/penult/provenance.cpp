#include "tools/penult/provenance.h"

#include <nlohmann/json.hpp>

#include "engine/base/digest.h"
#include "penult/version.h"

namespace penult::program {
namespace {

using Json = nlohmann::ordered_json;

Json preprocess_json(const Preprocess& p) {
  using P = Preprocess;
  return {{"resize_mode", p.resize_mode == P::ResizeMode::kShortSide ? "short_side" : "squash"},
          {"resize", p.resize},
          {"crop", {p.crop_h, p.crop_w}},
          {"filter", p.filter == P::Filter::kBilinear ? "bilinear" : "bicubic"},
          {"antialias", true},
          {"channel_order", p.channel_order == P::ChannelOrder::kRgb ? "rgb" : "bgr"},
          {"mean", p.mean},
          {"std", p.std}};
}

// SHA-256 over the paths, each followed by a zero byte, which no path contains.
std::string list_hash(const std::vector<Taken>& inputs) {
  Sha256 hash;
  for (const Taken& input : inputs) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(input.path.c_str());
    hash.update({bytes, input.path.size() + 1});
  }
  return hash.hex_digest();
}

}  // namespace

std::string provenance_json(const Model& model, const Extractor& extractor, const Choices& choices,
                            const std::vector<Taken>& inputs) {
  Json taps = Json::object();
  for (const OutputInfo& output : extractor.outputs()) {
    taps[output.key] = {{"name", output.name}, {"shape", output.dims}, {"dim", output.elems}};
  }
  Json root = {{"penult", version()},
               {"model", model.architecture()},
               {"model_id", model.model_id()},
               {"weights", model.weights_name()},
               {"taps", taps},
               {"pooling", pooling_name(choices.pooling)},
               {"l2_normalize", choices.l2_normalize},
               {"preprocess", preprocess_json(model.preprocess())},
               {"exif", choices.apply_exif ? "apply" : "ignore"},
               {"device", extractor.device()},
               {"precision", extractor.precision()},
               {"backend", extractor.backend()},
               {"isa", extractor.isa()},
               {"numerics", extractor.numerics()},
               {"dtype", element_type_name(choices.element_type)},
               {"inputs", inputs.size()},
               {"inputs_sha256", list_hash(inputs)}};
  if (choices.pooling == Pooling::kGem) root["gem_p"] = kGemPower;
  if (choices.element_type == ElementType::kF16) root["f16_overflows"] = choices.overflows;
  return root.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace penult::program
