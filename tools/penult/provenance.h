#pragma once

#include <string>
#include <vector>

#include "engine/output/feature_writer.h"
#include "penult/extractor.h"
#include "penult/model.h"
#include "tools/penult/inputs.h"

namespace penult::program {

// What was chosen for the features, besides model and inputs.
struct Choices {
  Pooling pooling;
  bool apply_exif, l2_normalize;
  ElementType element_type;
  uint64_t overflows;  // values that float16 cannot hold
};

// How features came about, as JSON text: everything that decides their bits.
std::string provenance_json(const Model& model, const Extractor& extractor, const Choices& choices,
                            const std::vector<Taken>& inputs);

}  // namespace penult::program
