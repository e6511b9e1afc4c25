#pragma once

#include <string>
#include <vector>

#include "penult/extractor.h"
#include "penult/model.h"
#include "tools/penult/inputs.h"

namespace penult::program {

// How features came about, as JSON text: everything that decides their bits.
std::string provenance_json(const Model& model, const Extractor& extractor, Pooling pooling,
                            bool apply_exif, const std::vector<Taken>& inputs);

}  // namespace penult::program
