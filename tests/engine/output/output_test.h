#pragma once

// What the tests of the writers share: a folder of their own, small features, reading back.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/output/output_format.h"

namespace penult::testing {

// Rows as a run would deliver them.
struct Features {
  std::vector<TableInfo> tables;
  std::vector<std::vector<float>> values;  // by table
  std::vector<std::string> paths, labels;

  std::vector<std::span<const float>> spans() const { return {values.begin(), values.end()}; }
};

inline Features two_rows() {
  return {.tables = {{"features.14", {3}}, {"map", {1, 1, 2}}},
          .values = {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10}},
          .paths = {"a.jpg", "b\xff.jpg"},
          .labels = {"cat", ""}};
}
inline Features one_tap() {
  Features features = two_rows();
  features.tables.pop_back();
  features.values.pop_back();
  return features;
}

// All rows at once, from the first call to the last; the first error.
inline Status write(const Features& features, const std::string& path,
                    ElementType type = ElementType::kF32) {
  auto writer = create_feature_writer({path, features.tables, type});
  if (!writer.ok()) return writer.status();
  const Status added = (*writer)->append(features.paths, features.labels, features.spans());
  return added.ok() ? (*writer)->finish(R"({"model": "m"})") : added;
}

class OutputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("penult_output_test." + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string content(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  size_t files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::filesystem::path folder_;
};

}  // namespace penult::testing
