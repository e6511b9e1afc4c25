#pragma once

// A TensorProto as numbers.

#include <cstdint>
#include <span>

#include "converters/onnx/external_data.h"
#include "converters/onnx/onnx_model.h"

namespace penult::converters::onnx {

// `raw`: what its raw_data holds, empty if there is none. Errors say what is wrong with "it", and
// not which it is: FormatCorrupt, FormatUnsupported, those of ExternalData.
Result<Tensor> read_tensor(const onnx_file::Tensor& tensor, std::span<const uint8_t> raw,
                           ExternalData& external);

// Whether numbers of this type become floats: f32, f16, bf16, f64.
bool is_float_type(int32_t data_type);

// For messages: "uint8", or "number 99".
std::string type_name(int32_t data_type);

}  // namespace penult::converters::onnx
