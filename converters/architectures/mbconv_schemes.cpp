// The names of timm's modules and FX nodes, and those of the package efficientnet_lite_pytorch. A
// timm batchnorm contains its activation: `bn1` is the activated value, `bn1.drop` the one before.

#include "converters/architectures/mbconv.h"

namespace penult::converters::mbconv {
namespace {

std::string timm_stage(int stage) { return "blocks." + std::to_string(stage); }

std::string timm_block(int stage, int index, int) {
  return timm_stage(stage) + "." + std::to_string(index);
}

std::string package_block(int, int, int flat) { return "_blocks." + std::to_string(flat); }

constexpr BlockWords kTimmPlain = {
    nullptr,          nullptr,   nullptr,     "conv_dw",        "bn1.drop =bn1",
    "bn1 bn1.act aa", "se",      "se.mean",   "se.conv_reduce", "se.act1",
    "se.conv_expand", "se.gate", "se.mul se", "conv_pw",        "bn2 bn2.drop bn2.act",
    "drop_path",      "add"};

constexpr BlockWords kTimmExpanding = {"conv_pw",
                                       "bn1.drop =bn1",
                                       "bn1 bn1.act",
                                       "conv_dw",
                                       "bn2.drop =bn2",
                                       "bn2 bn2.act aa",
                                       "se",
                                       "se.mean",
                                       "se.conv_reduce",
                                       "se.act1",
                                       "se.conv_expand",
                                       "se.gate",
                                       "se.mul se",
                                       "conv_pwl",
                                       "bn3 bn3.drop bn3.act",
                                       "drop_path",
                                       "add"};

}  // namespace

const Scheme kTimm = {
    .outer = {"conv_stem", "bn1.drop =bn1", "bn1 bn1.act", "conv_head", "bn2.drop =bn2",
              "bn2 bn2.act", "global_pool.pool global_pool.flatten", nullptr, nullptr,
              "classifier"},
    .plain = kTimmPlain,
    .expanding = kTimmExpanding,
    .block = timm_block,
    .stage = timm_stage,
    .ends_are_blocks = false,
};

// The head is the last stage's only block; `conv_head` is the hidden layer.
const Scheme kTimmV3 = {
    .outer = {"conv_stem", "bn1.drop =bn1", "bn1 bn1.act", "blocks.#.0.conv",
              "blocks.#.0.bn1.drop =blocks.#.0.bn1",
              "blocks.#.0.bn1 blocks.#.0.bn1.act blocks.#.0.aa",
              "global_pool.pool global_pool.flatten", "conv_head norm_head", "act2 !flatten",
              "classifier"},
    .plain = kTimmPlain,
    .expanding = kTimmExpanding,
    .block = timm_block,
    .stage = timm_stage,
    .ends_are_blocks = false,
};

const Scheme kLitePackage = {
    .outer = {"_conv_stem", "_bn0", nullptr, "_conv_head", "_bn1", nullptr, nullptr, nullptr,
              nullptr, "_fc"},
    .plain = {nullptr, nullptr, nullptr, "_depthwise_conv", "_bn1", nullptr, nullptr, nullptr,
              nullptr, nullptr, nullptr, nullptr, nullptr, "_project_conv", "_bn2", nullptr,
              nullptr},
    .expanding = {"_expand_conv", "_bn0", nullptr, "_depthwise_conv", "_bn1", nullptr, nullptr,
                  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, "_project_conv", "_bn2",
                  nullptr, nullptr},
    .block = package_block,
    .stage = nullptr,
    .ends_are_blocks = false,
};

}  // namespace penult::converters::mbconv
