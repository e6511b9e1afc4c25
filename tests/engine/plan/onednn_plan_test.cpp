// A whole net on the backend onednn, every value of it, against the reference on the unfolded
// graph.

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <thread>

#include "engine/exec/executor.h"
#include "engine/exec/reference_executor.h"
#include "engine/ops/op.h"
#include "tests/support/onednn_test.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kSize = 40, kImages = 3;

using Features = std::vector<std::vector<float>>;

std::vector<float> random_images() { return testing::random_images(7, kImages, kSize); }

class OnednnPlan : public testing::OnednnTest<> {
 protected:
  OnednnPlan() {
    for (const Node& node : graph_.nodes) values_.push_back(node.output);
    for (const ValueId value : values_) deliveries_.push_back({value, Pooling::kNone});
  }

  Features room(int64_t n) const {
    Features features;
    for (const ValueId value : values_)
      features.emplace_back(static_cast<size_t>(n * graph_.values[value].shape.elems()), NAN);
    return features;
  }

  // Only the values from `first` on are asked for: the fewer, the more is fused.
  Plan plan(int64_t max_batch, int threads, size_t first = 0) {
    values_.erase(values_.begin(), values_.begin() + static_cast<long>(first));
    deliveries_.erase(deliveries_.begin(), deliveries_.begin() + static_cast<long>(first));
    Graph graph = graph_;
    EXPECT_TRUE(run_passes(graph, values_, {.fuse = true}).ok());
    auto made = make_plan(graph, deliveries_,
                          {.isa = detected_isa(),
                           .max_batch = max_batch,
                           .threads = threads,
                           .backend = kernels::Backend::kOnednn});
    EXPECT_TRUE(made.ok()) << made.status().message();
    return std::move(made).value();
  }

  Features run(const Plan& plan, int64_t n) const {
    Features features = room(n);
    const std::vector<std::span<float>> spans(features.begin(), features.end());
    auto workspace = Workspace::create(plan);
    EXPECT_TRUE(workspace.ok()) << workspace.status().message();
    const Status status = (*workspace)->run({.planar = images_.data()}, n, spans);
    EXPECT_TRUE(status.ok()) << status.message();
    return features;
  }

  Features reference(int64_t n) const {
    Features features = room(n);
    const std::vector<std::span<float>> spans(features.begin(), features.end());
    Graph graph = graph_;
    graph.outputs = values_;
    remove_dead(graph);
    auto executor = ReferenceExecutor::create(std::move(graph), deliveries_);
    EXPECT_TRUE(executor.ok()) << executor.status().message();
    EXPECT_TRUE((*executor)->run({.planar = images_.data()}, n, spans).ok());
    return features;
  }

  // docs/numerics.md: cosine at least 1 - 1e-6, error at most 1e-4 of the largest value.
  void expect_close(const Features& got, const Features& expected) const {
    for (size_t i = 0; i < expected.size(); ++i) {
      double dot = 0, a = 0, b = 0, largest = 0, worst = 0;
      for (size_t k = 0; k < expected[i].size(); ++k) {
        const double x = expected[i][k], y = got[i][k];
        dot += x * y, a += x * x, b += y * y;
        largest = std::max(largest, std::abs(x));
        worst = std::max(worst, std::abs(x - y));
      }
      const std::string& name = graph_.values[values_[i]].name;
      EXPECT_GE(dot / std::sqrt(a * b), 1 - 1e-6) << name;
      EXPECT_LE(worst, 1e-4 * largest) << name;
      RecordProperty(name, std::to_string(worst / largest));
    }
  }

  const Graph graph_ = testing::inverted_residual_net(4, kSize);
  const std::vector<float> images_ = random_images();
  std::vector<ValueId> values_;
  std::vector<Delivery> deliveries_;
};

TEST_F(OnednnPlan, EveryValueIsCloseToTheReference) {
  const Plan p = plan(kImages, 2);
  expect_close(run(p, kImages), reference(kImages));
}

TEST_F(OnednnPlan, AFusedNetIsCloseToTheReference) {
  const Plan p = plan(kImages, 2, graph_.nodes.size() - 1);
  expect_close(run(p, kImages), reference(kImages));
}

TEST_F(OnednnPlan, FewerImagesThanTheBatchAreCloseToTheReference) {
  const Plan p = plan(kImages, 1);
  expect_close(run(p, 1), reference(1));
  expect_close(run(p, 2), reference(2));
}

TEST_F(OnednnPlan, UsesOurKernelsForTheRestAndSaysWhy) {
  const Plan p = plan(1, 1);
  int library = 0, ours = 0;
  for (const Step& step : p.steps) {
    if (step.kernel == nullptr) continue;
    const bool is_library = step.kernel->backend == kernels::Backend::kOnednn;
    EXPECT_EQ(is_library, step.prepared != nullptr) << step.name;
    EXPECT_EQ(is_library, step.refusals.empty()) << step.name;
    ++(is_library ? library : ours);
    if (step.problem.op == "batchnorm") {
      EXPECT_EQ(step.refusals.at(0), std::string(p.module->library) + ": no kernel for batchnorm");
    }
  }
  EXPECT_GT(library, 15);
  EXPECT_GT(ours, 0);
}

// GNU OpenMP would wait forever for the threads that the child has not. (That a child of a process
// without a team may run is tested in tests/engine/onednn_extractor_test.cpp.)
TEST_F(OnednnPlan, AChildOfAProcessWithATeamIsRefusedAndDoesNotHang) {
  const Plan alone = plan(1, 1), team = plan(1, 2);
  run(team, 1);
  for (const Plan* p : {&alone, &team}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20);  // a hang is a failure
      _exit(Workspace::create(*p).status().code() == StatusCode::kDevice ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

TEST_F(OnednnPlan, WorkspacesOfOnePlanRunSideBySide) {
  const Plan p = plan(kImages, 1);
  const Features expected = reference(kImages);
  Features got[4];
  std::vector<std::thread> users;
  for (Features& features : got) users.emplace_back([&] { features = run(p, kImages); });
  for (std::thread& user : users) user.join();
  for (const Features& features : got) expect_close(features, expected);
}

}  // namespace
}  // namespace penult
