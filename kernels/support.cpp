#include "kernels/support.h"

#include <algorithm>

#include "engine/base/activation_def.h"

namespace penult::kernels {

const char* backend_name(Backend backend) {
  switch (backend) {
    case Backend::kReference:
      return "reference";
    case Backend::kNative:
      return "native";
    case Backend::kOnednn:
      return "onednn";
    case Backend::kCudnn:
      return "cudnn";
  }
  return "unknown";
}

const char* device_kind_name(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kCpu:
      return "cpu";
    case DeviceKind::kCuda:
      return "cuda";
    case DeviceKind::kEmulated:
      return "emulated";
  }
  return "unknown";
}

const char* precision_name(Precision precision) {
  return precision == Precision::kF32 ? "f32" : "f16";
}

const char* numeric_class_name(NumericClass numeric_class) {
  switch (numeric_class) {
    case NumericClass::kDirect:
      return "direct";
    case NumericClass::kWinograd23:
      return "winograd_f23";
    case NumericClass::kWinograd43:
      return "winograd_f43";
  }
  return "unknown";
}

Halo no_halo(const Problem&, int) { return {}; }
size_t no_bytes(const Problem&) { return 0; }
bool never(const Problem&) { return false; }
bool always(const Problem&) { return true; }
void pack_nothing(const Problem&, Weights&, std::byte*) {}
std::string accepts_all(const Problem&) { return {}; }

int64_t direct_macs(const Problem& problem) {
  return weight_elems(problem, 0) * problem.dst.shape.h * problem.dst.shape.w;
}

Range part_of(int64_t total, int index, int parts, int64_t grain) {
  const int64_t units = (total + grain - 1) / grain;
  const auto cut = [&](int i) { return std::min(total, units * i / parts * grain); };
  return {cut(index), cut(index + 1)};
}

Range rows_to_compute(const RunArgs& args) {
  if (!args.rows.empty()) return args.rows;
  return part_of(args.n * args.problem.dst.shape.h, args.thread, args.threads);
}

std::string declines_epilogue(const Problem& problem) {
  return problem.epilogue == Epilogue{} ? "" : "expected no epilogue";
}

void store_reference(const RunArgs& args, int64_t image, int64_t y, int64_t x, int64_t c,
                     double value) {
  const Problem& problem = args.problem;
  if (problem.epilogue.residual)
    value += args.residual[pixel_offset(problem.residual, image, y, x) + c];
  const Activation& activation = problem.epilogue.activation;
  value = def_of(activation).apply(activation, value);
  args.dst[pixel_offset(problem.dst, image, y, x) + c] = static_cast<float>(value);
}

int64_t weight_elems(const Problem& problem, size_t slot) {
  if (slot >= problem.weight_dims.size() || problem.weight_dims[slot].empty()) return 0;
  int64_t elems = 1;
  for (const int64_t dim : problem.weight_dims[slot]) elems *= dim;
  return elems;
}

size_t raw_weights_bytes(const Problem& problem) {
  int64_t elems = 0;
  for (size_t slot = 0; slot < problem.weight_dims.size(); ++slot)
    elems += weight_elems(problem, slot);
  return static_cast<size_t>(elems) * sizeof(float);
}

void pack_raw_weights(const Problem& problem, Weights& weights, std::byte* packed) {
  for (size_t slot = 0; slot < problem.weight_dims.size(); ++slot) {
    const std::span<const float> values = weights[slot];
    if (values.empty()) continue;
    std::memcpy(packed, values.data(), values.size_bytes());
    packed += values.size_bytes();
  }
}

std::span<const float> LoadedWeights::operator[](size_t slot) {
  return slot < slots_.size() ? slots_[slot] : std::span<const float>();
}

std::span<const float> LoadedWeights::channels(Range range) {
  const size_t each = slots_[0].size() / static_cast<size_t>(oc_);
  return slots_[0].subspan(static_cast<size_t>(range.begin) * each,
                           static_cast<size_t>(range.end - range.begin) * each);
}

const float* raw_weight(const Problem& problem, const std::byte* packed, size_t slot) {
  if (weight_elems(problem, slot) == 0) return nullptr;
  int64_t elems = 0;
  for (size_t before = 0; before < slot; ++before) elems += weight_elems(problem, before);
  return reinterpret_cast<const float*>(packed) + elems;
}

}  // namespace penult::kernels
