#include "kernels/squeeze_excitation/squeeze_excitation_cuda.h"

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"

namespace penult::kernels::cuda {
namespace {

// The second layer's weights, as those of an operator that has no others.
class SecondLayer : public Weights {
 public:
  SecondLayer(Weights& all, int64_t ic) : all_(all), ic_(static_cast<size_t>(ic)) {}
  std::span<const float> operator[](size_t slot) override { return all_[slot + 2]; }
  std::span<const float> channels(Range range) override {
    const auto first = static_cast<size_t>(range.begin), end = static_cast<size_t>(range.end);
    return all_[2].subspan(first * ic_, (end - first) * ic_);
  }

 private:
  Weights& all_;
  size_t ic_;
};

std::string declines(const Problem& problem) {
  if (problem.epilogue.residual) return "no residual";
  constexpr size_t kSharedBytes = 96 * 1024;  // the smallest GPUs that we know give a block 99 KB
  const size_t bytes = squeeze_excitation_shared_bytes(problem);
  if (bytes > kSharedBytes)
    return concat("channels for ", kSharedBytes, " bytes of shared memory, got ", bytes);
  return {};
}

template <Precision kPrecision>
size_t packed_bytes(const Problem& problem) {
  return SqueezeExcitationWeights::of(problem, kPrecision).bytes();
}

template <Precision kPrecision>
Status pack(const Problem& problem, Weights& weights, std::byte* packed) {
  return SqueezeExcitationWeights::of(problem, kPrecision).pack(weights, packed);
}

int64_t macs(const Problem& problem) {
  return problem.weight_dims[0][0] * (problem.src[0].shape.c + problem.dst.shape.c);
}

template <Precision kPrecision>
constexpr GpuRow squeeze_excitation(const char* name, gpu::Error (*launch)(const GpuArgs&)) {
  return {.name = name,
          .precision = kPrecision,
          .launch = launch,
          .declines = declines,
          .packed_bytes = packed_bytes<kPrecision>,
          .pack = pack<kPrecision>,
          .macs = macs};
}

constexpr GpuRow kF32 = squeeze_excitation<Precision::kF32>("squeeze_excitation_block_f32_cuda",
                                                            launch_squeeze_excitation<float>);
constexpr GpuRow kF16 = squeeze_excitation<Precision::kF16>("squeeze_excitation_block_f16_cuda",
                                                            launch_squeeze_excitation<gpu::Half>);

constexpr Kernel kKernels[] = {row<kF32>(), row<kF16>()};

}  // namespace

SqueezeExcitationWeights SqueezeExcitationWeights::of(const Problem& problem, Precision precision) {
  const int64_t sc = problem.weight_dims[0][0];
  const OhwiWeights squeeze = {
      .oc = sc, .ic = problem.src[0].shape.c, .kh = 1, .kw = 1, .precision = precision};
  return {squeeze, {.oc = problem.dst.shape.c, .ic = sc, .kh = 1, .kw = 1, .precision = precision}};
}

size_t SqueezeExcitationWeights::second_layer_offset() const {
  return align_up(squeeze.bytes(), 256);
}

Status SqueezeExcitationWeights::pack(Weights& weights, std::byte* packed) const {
  PENULT_RETURN_IF_ERROR(squeeze.pack(weights, packed));
  SecondLayer second(weights, excite.ic);
  return excite.pack(second, packed + second_layer_offset());
}

const Table kSqueezeExcitationCudaTable = {"squeeze_excitation", kKernels};

}  // namespace penult::kernels::cuda
