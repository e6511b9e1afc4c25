#pragma once

// What the tests of backend cudnn have in common.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "kernels/cuda/cudnn/library.h"

namespace penult::testing {

inline bool can_open(const char* file) { return dlopen(file, RTLD_NOW | RTLD_LOCAL) != nullptr; }

// A device that is not there, in cuDNN's words: "a100", "h100".
inline std::string properties_of(const std::string& device) {
  std::ifstream file(std::string(PENULT_CUDA_PROPERTIES_DIR) + "/properties_" + device + ".json");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Skipped, with the reason, where a library is not installed; one that is there must load.
class WithCudnn : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto loaded = kernels::cudnn::load_cudnn();
    if (!can_open("libcudnn.so.9")) GTEST_SKIP() << loaded.status().message();
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    cudnn_ = *loaded;
  }

  const kernels::cudnn::Cudnn* cudnn_ = nullptr;
};

// Also where cuDNN wants a device for all that it does.
class WithDescribedDevice : public WithCudnn {
 protected:
  void SetUp() override {
    WithCudnn::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (cudnn_->version < kernels::cudnn::kCudnnWithDeviceProperties)
      GTEST_SKIP() << "this cuDNN needs a device";
  }
};

class WithCublasLt : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto loaded = kernels::cudnn::load_cublaslt();
    if (!can_open("libcublasLt.so.13") && !can_open("libcublasLt.so.12"))
      GTEST_SKIP() << loaded.status().message();
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    cublaslt_ = *loaded;
  }

  const kernels::cudnn::CublasLt* cublaslt_ = nullptr;
};

}  // namespace penult::testing
