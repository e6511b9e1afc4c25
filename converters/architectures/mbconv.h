#pragma once

// Networks of inverted residuals: MobileNetV2 and V3, EfficientNet and its Lite variants, MnasNet.
// A stem, stages of blocks (expansion, depthwise convolution, squeeze-and-excitation, projection,
// with a shortcut where it fits), a head, the mean. The networks differ in numbers, and in what
// their authors call the layers: both are tables here.

#include <array>
#include <span>
#include <string>

#include "converters/importer.h"
#include "engine/ops/op.h"

namespace penult::converters::mbconv {

enum BlockLayer {
  kExpand,
  kExpandNorm,
  kExpandAct,
  kDepthwise,
  kDepthwiseNorm,
  kDepthwiseAct,
  kUnexcited,  // the activated value again, where nothing squeezes
  kPool,
  kReduce,
  kReduceAct,
  kRaise,
  kGate,
  kScale,
  kProject,
  kProjectNorm,
  kUnadded,  // the normalised value again, where a shortcut is added
  kAddition,
  kBlockLayers
};

enum OuterLayer {
  kStem,
  kStemNorm,
  kStemAct,
  kHead,
  kHeadNorm,
  kHeadAct,
  kMean,
  kHidden,  // MobileNetV3's linear layer before the classifier
  kHiddenAct,
  kClassifier,
  kOuterLayers
};

// How one library calls the layers (converters/architectures/layer_words.h). '#' is the number of
// the projection among the block's modules, and outside of blocks the number of stages.
using BlockWords = std::array<const char*, kBlockLayers>;
struct Scheme {
  std::array<const char*, kOuterLayers> outer;
  BlockWords plain, expanding;  // blocks without and with an expansion; behind the block's name
  std::string (*block)(int stage, int index, int flat);
  std::string (*stage)(int stage);  // empty, or null: no such module
  bool ends_are_blocks;             // stem and head count as blocks
};

// timm's; MobileNetV3 has a head of its own.
extern const Scheme kTimm, kTimmV3;
// The package efficientnet_lite_pytorch, for tensors only.
extern const Scheme kLitePackage;

// A run of blocks. The first one of the first stage expands nothing.
struct Stage {
  int64_t kernel;  // of the depthwise convolutions
  int64_t stride;  // of its first block
  bool excites = false;
  const OpDef* function = &kRelu6;  // behind expansion and depthwise convolution
};

constexpr size_t kMaxStages = 7;

// What the members of a family share.
struct Family {
  std::span<const Stage> stages;
  const OpDef* ends;         // behind stem, head and hidden layer
  const OpDef* reduce;       // between the two layers of squeeze-and-excitation
  const OpDef* gate;         // behind them
  bool hidden = false;       // between the mean and the classifier
  bool head_scales = false;  // the head's output is the last stage
};

struct Member {
  const char* name;
  const Family* family;
  std::array<int, kMaxStages> depths;
  int64_t width;  // channels behind the third stage, by which siblings differ; 0: any
  float eps;
  bool same_padding;  // TensorFlow's SAME
  const Scheme* main;
  const Scheme* other;                   // whose names are aliases; may be null
  std::array<const Scheme*, 2> sources;  // whose tensors' names say that it may be this one
  // Has the same tensors and other numbers (eps, padding): a name tells which is meant.
  const char* twin = nullptr;
  bool is_default = true;  // of the twins, if no name tells
  Preprocess preprocess = {};
};

bool looks_like(const Member& member, const StateDict& weights);
Result<ModelData> build(const Member& member, StateDict&& weights);

}  // namespace penult::converters::mbconv
