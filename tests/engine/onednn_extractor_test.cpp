// The backend onednn as users meet it. One thread only: once a process has had a team of OpenMP's,
// its children cannot use the backend.

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <numeric>

#include "penult/extractor.h"
#include "tests/support/onednn_test.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kSize = 40;

std::vector<float> random_images(int64_t n) { return testing::random_images(7, n, kSize); }

class OnednnExtractor : public testing::OnednnTest<> {
 protected:
  static std::unique_ptr<Extractor> make(const char* backend) {
    ExtractorOptions options;
    options.max_batch = 4;
    options.backend = backend;
    auto extractor = Extractor::create(
        testing::model_of(testing::inverted_residual_net(5, kSize), kSize), options);
    EXPECT_TRUE(extractor.ok()) << extractor.status().message();
    return std::move(extractor).value();
  }

  static std::vector<float> run(Extractor& extractor, int64_t n) {
    std::vector<float> feature(static_cast<size_t>(n * extractor.outputs()[0].elems), NAN);
    const std::span<float> features[] = {feature};
    const Status status = extractor.run(random_images(n), n, features);
    EXPECT_TRUE(status.ok()) << status.message();
    return feature;
  }

  static bool close(const std::vector<float>& a, const std::vector<float>& b) {
    float largest = 0, worst = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      largest = std::max(largest, std::abs(b[i]));
      worst = std::max(worst, std::abs(a[i] - b[i]));
    }
    return a.size() == b.size() && worst <= 1e-4F * largest;  // a NaN is not
  }
};

TEST_F(OnednnExtractor, SaysItsNameAndIsCloseToNative) {
  const auto native = make("native"), onednn = make("onednn");
  EXPECT_STREQ(onednn->backend(), "onednn");
  for (const int64_t n : {4, 3, 1}) EXPECT_TRUE(close(run(*onednn, n), run(*native, n))) << n;
}

TEST_F(OnednnExtractor, SharesAndReshapes) {
  const auto native = make("native"), onednn = make("onednn");
  const auto shared = onednn->share();
  ASSERT_TRUE(shared.ok()) << shared.status().message();
  ASSERT_TRUE(onednn->reshape(kSize, kSize, 1).ok());  // packed anew: the layout may be another
  EXPECT_TRUE(close(run(*onednn, 1), run(*native, 1)));
  EXPECT_TRUE(close(run(**shared, 4), run(*native, 4)));
}

TEST_F(OnednnExtractor, RunsInAChildOfAProcessWithoutATeam) {
  const auto onednn = make("onednn");
  const std::vector<float> expected = run(*onednn, 2);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);  // a hang is a failure
    _exit(run(*onednn, 2) == expected ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(OnednnExtractor, TellsTheTimesOfItsSteps) {
  const auto onednn = make("onednn");
  const std::vector<StepInfo> steps = onednn->steps();
  EXPECT_EQ(steps[1].name, "stem.act");
  EXPECT_EQ(steps[1].kernel, "conv2d_direct_f32_onednn");
  const std::vector<float> expected = run(*onednn, 4);
  std::vector<float> feature(expected.size(), NAN);
  const std::span<float> features[] = {feature};
  std::vector<double> step_ms(steps.size(), -1.0);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(onednn->profile(random_images(4), 4, features, step_ms).ok());
  const std::chrono::duration<double, std::milli> whole = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(feature, expected);
  for (size_t s = 0; s < steps.size(); ++s) EXPECT_GE(step_ms[s], 0) << steps[s].name;
  EXPECT_GT(step_ms[1], 0);
  EXPECT_LE(std::accumulate(step_ms.begin(), step_ms.end(), 0.0), whole.count());
}

TEST(Backends, AnUnknownOneIsNotFound) {
  ExtractorOptions options;
  options.backend = "mkl";
  const auto extractor = Extractor::create(
      testing::model_of(testing::inverted_residual_net(5, kSize), kSize), options);
  EXPECT_EQ(extractor.status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace penult
