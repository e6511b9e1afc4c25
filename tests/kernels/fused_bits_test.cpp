// The bits of native kernels: a fused epilogue equals the operators it stands for, and neither the
// batch nor the threads change anything. Everything here is compared with memcmp.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>

#include "engine/ops/op.h"
#include "tests/kernels/kernel_case.h"

namespace penult::testing {
namespace {

using kernels::Backend;
using kernels::Kernel;
using kernels::NumericClass;
using shapes::all_corpora;
using shapes::kTails;
using shapes::make_problem;
using shapes::parse_problem;
using shapes::read_corpus;

constexpr int64_t kImages = 5;
constexpr int64_t kMaxTestCost = 400'000;

bool same_bits(const Dense& a, const Dense& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// A level and a numeric class, over one corpus.
struct Param {
  Isa isa;
  NumericClass numeric_class;
  const char* corpus;
};

void PrintTo(const Param& param, std::ostream* out) {
  *out << isa_name(param.isa) << " " << numeric_class_name(param.numeric_class) << " on "
       << param.corpus;
}

std::vector<Param> all_params() {
  std::vector<Param> params;
  for (const char* corpus : all_corpora()) {
    const std::vector<ProblemSpec> specs = read_corpus(corpus);
    for (const NumericClass numeric_class :
         {NumericClass::kDirect, NumericClass::kWinograd23, NumericClass::kWinograd43}) {
      const auto fits = [&](const ProblemSpec& spec) {
        return find_kernel(spec, Backend::kNative, Isa::kScalar, numeric_class) != nullptr;
      };
      if (std::none_of(specs.begin(), specs.end(), fits)) continue;
      for (const Isa isa : all_isas()) params.push_back({isa, numeric_class, corpus});
    }
  }
  return params;
}

// An activation as an operator of its own, written as in a corpus; empty: none.
struct ActivationOp {
  std::string op;
  Activation fused;
};

ActivationOp activation_op(ProblemSpec spec) {
  spec.src = Shape::vector(1);
  spec.epilogue = {};
  return {spec.to_string(), make_problem(spec).function};
}

// The nets' layers have one way of storing for all functions that are not light, such as SiLU; the
// tails name each operator (ConformanceCoverage), so they see each function.
std::vector<ActivationOp> activation_ops_of(const std::string& corpus) {
  std::vector<ActivationOp> ops = {{}};
  if (corpus != kTails) {
    for (const char* op : {"relu", "relu6", "hard_swish", "silu"})
      ops.push_back(activation_op(parse_problem(std::string(op) + " src=1")));
    return ops;
  }
  std::set<std::string> seen;
  for (const ProblemSpec& spec : read_corpus(corpus)) {
    if (find_op(spec.op)->activation == nullptr) continue;
    const ActivationOp op = activation_op(spec);
    if (seen.insert(op.op).second) ops.push_back(op);
  }
  return ops;
}

class Bits : public ::testing::TestWithParam<Param> {
 protected:
  void SetUp() override {
    if (!is_supported(GetParam().isa)) GTEST_SKIP() << "this machine lacks the level";
  }

  const Kernel* of_class(const ProblemSpec& spec) const {
    return find_kernel(spec, Backend::kNative, GetParam().isa, GetParam().numeric_class);
  }
  // Of the class; direct are also the operators that a fused kernel stands for.
  const Kernel* native(const ProblemSpec& spec) const {
    const Kernel* kernel = of_class(spec);
    return kernel ? kernel : find_kernel(spec, Backend::kNative, GetParam().isa);
  }

  std::vector<ProblemSpec> specs() const {
    std::vector<ProblemSpec> accepted;
    for (const ProblemSpec& full : read_corpus(GetParam().corpus)) {
      const ProblemSpec spec = reduced(full, kMaxTestCost);
      if (of_class(spec)) accepted.push_back(spec);
    }
    return accepted;
  }

  // Those that differ by more than their epilogue.
  std::vector<ProblemSpec> specs_without_epilogue() const {
    std::vector<ProblemSpec> distinct;
    std::set<std::string> seen;
    for (ProblemSpec& spec : specs()) {
      spec.epilogue = {};
      if (seen.insert(spec.to_string()).second) distinct.push_back(std::move(spec));
    }
    return distinct;
  }

  // Applies an operator without weights, written as in a corpus, to whole maps of any shape.
  Dense apply(const std::string& op, const Shape& shape, std::vector<Dense> src) const {
    KernelCase c;
    c.spec = parse_problem(op);
    c.spec.src = shape;
    c.src = std::move(src);
    const auto images = static_cast<int64_t>(c.src[0].size()) / shape.elems();
    return run_kernel(*native(c.spec), c, {images, 1});
  }

  // The case without its epilogue, then the epilogue as operators of their own.
  Dense run_unfused(KernelCase c, const std::string& activation_op) const {
    const Shape dst = c.spec.dst();
    const bool adds = c.spec.epilogue.residual;
    c.spec.epilogue = {};
    Dense y = run_kernel(*native(c.spec), c, {kImages, 1});
    if (adds) y = apply("add src=1", dst, {y, c.residual});
    return activation_op.empty() ? y : apply(activation_op, dst, {y});
  }
};

TEST_P(Bits, OfAFusedEpilogueEqualTheSeparateOperators) {
  const std::vector<ActivationOp> activations = activation_ops_of(GetParam().corpus);
  for (ProblemSpec spec : specs_without_epilogue()) {
    for (const bool residual : {false, true}) {
      for (const ActivationOp& activation : activations) {
        spec.epilogue = {residual, activation.fused};
        if (native(spec) == nullptr) continue;  // takes no epilogue
        const KernelCase c = KernelCase::make(spec, Numbers::kReals, kImages);
        const Dense fused = run_kernel(*native(spec), c, {kImages, 2});
        EXPECT_TRUE(same_bits(fused, run_unfused(c, activation.op))) << spec.to_string();
      }
    }
  }
}

TEST_P(Bits, OfAFusedScaleEqualAProductBefore) {
  for (const ProblemSpec& spec : specs()) {
    if (spec.op != "conv2d" || spec.further.empty()) continue;
    const KernelCase c = KernelCase::make(spec, Numbers::kReals, kImages);
    KernelCase product;
    product.spec = parse_problem("mul src=1");
    product.spec.src = spec.src;
    product.spec.further = spec.further;
    product.src = c.src;
    KernelCase after = c;
    after.spec.further.clear();
    after.src = {run_kernel(*native(product.spec), product, {kImages, 1})};
    const Dense expected = run_kernel(*native(after.spec), after, {kImages, 1});
    EXPECT_TRUE(same_bits(run_kernel(*native(spec), c, {kImages, 2}), expected))
        << spec.to_string();
  }
}

TEST_P(Bits, DoNotDependOnBatchOrThreads) {
  for (const ProblemSpec& spec : specs()) {
    const KernelCase c = KernelCase::make(spec, Numbers::kReals, kImages);
    const Dense expected = run_kernel(*native(spec), c, {kImages, 1});
    for (const int64_t n : {int64_t{1}, int64_t{2}, kImages}) {
      for (const int threads : {1, 2, 3, 7}) {
        const Dense got = run_kernel(*native(spec), c, {n, threads});
        const auto size = static_cast<ptrdiff_t>(got.size());
        EXPECT_TRUE(same_bits(got, {expected.begin(), expected.begin() + size}))
            << spec.to_string() << "\nn " << n << ", threads " << threads;
      }
    }
  }
}

TEST_P(Bits, DoNotDependOnBandsOfRows) {
  for (const ProblemSpec& spec : specs()) {
    if (native(spec)->row_window == nullptr) continue;
    const KernelCase c = KernelCase::make(spec, Numbers::kReals, kImages);
    const Dense expected = run_kernel(*native(spec), c, {.n = kImages});
    for (const int64_t rows : {1, 3}) {
      EXPECT_TRUE(
          same_bits(run_kernel(*native(spec), c, {.n = kImages, .band_rows = rows}), expected))
          << spec.to_string() << "\nrows " << rows;
    }
  }
}

TEST_P(Bits, DoNotDependOnPaddingOfChannels) {
  for (const ProblemSpec& spec : specs()) {
    if (!native(spec)->dense_src(make_problem(spec))) continue;
    const KernelCase c = KernelCase::make(spec, Numbers::kReals, kImages);
    const Dense expected = run_kernel(*native(spec), c, {.n = kImages});
    EXPECT_TRUE(same_bits(run_kernel(*native(spec), c, {.n = kImages, .dense = true}), expected))
        << spec.to_string();
  }
}

// An image's place in the batch must not matter either: the last image alone.
TEST_P(Bits, DoNotDependOnThePlaceInTheBatch) {
  for (const ProblemSpec& spec : specs()) {
    const KernelCase c = KernelCase::make(spec, Numbers::kReals, kImages);
    const auto last = [](const Dense& all) {
      return Dense(all.end() - static_cast<ptrdiff_t>(all.size()) / kImages, all.end());
    };
    KernelCase alone = c;
    for (Dense& src : alone.src) src = last(src);
    alone.residual = last(alone.residual);
    const Dense expected = last(run_kernel(*native(spec), c, {kImages, 1}));
    EXPECT_TRUE(same_bits(run_kernel(*native(spec), alone, {1, 1}), expected)) << spec.to_string();
  }
}

std::string param_name(const ::testing::TestParamInfo<Param>& info) {
  return std::string(isa_name(info.param.isa)) + "_" +
         numeric_class_name(info.param.numeric_class) + "_on_" + info.param.corpus;
}

INSTANTIATE_TEST_SUITE_P(All, Bits, ::testing::ValuesIn(all_params()), param_name);

}  // namespace
}  // namespace penult::testing
