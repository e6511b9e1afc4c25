#pragma once

#include <string>

#include "engine/base/file.h"
#include "engine/model/model_data.h"

namespace penult {

// Writes `model` into a temporary file beside `path`, whole and on the disk, and sets
// model.info.model_id. Of what can fail only commit() is left, so that the file can be tried before
// it gets its name. Weights no node uses are an error, not dropped. `existing`: a file at `path`,
// which if it is kept makes this InvalidArgument.
Result<AtomicFile> write_temporary_model(ModelData& model, const std::string& path,
                                         Existing existing);
// The same with its commit().
Status write_model(ModelData& model, const std::string& path, Existing existing);

}  // namespace penult
