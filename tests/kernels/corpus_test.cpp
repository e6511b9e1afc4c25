#include "bench/shapes/corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/kernels/numerics.h"

namespace penult::testing {
namespace {

using shapes::all_corpora;
using shapes::parse_problem;
using shapes::read_corpus;

TEST(Corpus, NamesEveryFile) {
  const auto names = all_corpora();
  EXPECT_THAT(shapes::corpora_in(shapes::corpora_folder()),
              ::testing::UnorderedElementsAreArray(names.begin(), names.end()));
}

TEST(Corpus, PrintsWhatItReads) {
  for (const char* name : all_corpora()) {
    const std::vector<ProblemSpec> specs = read_corpus(name);
    EXPECT_GT(specs.size(), 10U) << name;
    for (const ProblemSpec& spec : specs) {
      const std::string text = spec.to_string();
      EXPECT_EQ(parse_problem(text).to_string(), text);
      EXPECT_EQ(parse_problem(text).dst(), spec.dst()) << text;
    }
  }
}

TEST(Corpus, ReadsEveryKey) {
  const ProblemSpec spec = parse_problem(
      "conv2d src=6x9x8 oc=4 k=3x2 s=2x1 d=1x3 p=1,2,3,4 g=2 bias=0 res=1 act=clamp:-1:inf");
  EXPECT_EQ(spec.src, Shape::map(6, 9, 8));
  EXPECT_EQ(spec.dst(), Shape::map(4, 6, 11));  // (9+1+3-3)/2+1, (8+2+4-4)/1+1
  EXPECT_EQ(spec.groups, 2);
  EXPECT_FALSE(spec.bias);
  EXPECT_TRUE(spec.epilogue.residual);
  EXPECT_EQ(spec.epilogue.activation,
            Activation::clamp(-1, std::numeric_limits<float>::infinity()));
}

TEST(Corpus, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(parse_problem("conv2d src=3x4x4 oc=2 kernel=3x3"), std::runtime_error);
  EXPECT_THROW(parse_problem("conv2d oc=2"), std::runtime_error);
  EXPECT_THROW(parse_problem("relu src=3x4x4 act=tanh"), std::runtime_error);
  EXPECT_THROW(read_corpus("no_such_corpus"), std::runtime_error);
}

TEST(Corpus, ReducesTheMapAndNothingElse) {
  const ProblemSpec full = parse_problem("conv2d src=96x56x56 oc=24 k=3x3 p=1,1,1,1");
  const ProblemSpec small = reduced(full, 1'000'000);
  EXPECT_LE(test_cost(small), 1'000'000);
  EXPECT_LT(small.src.h, full.src.h);
  EXPECT_EQ(small.src.c, 96);
  EXPECT_EQ(small.oc, 24);
}

}  // namespace
}  // namespace penult::testing
