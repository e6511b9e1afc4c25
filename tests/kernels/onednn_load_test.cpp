#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/onednn/load.h"

namespace penult::kernels {
namespace {

using ::testing::HasSubstr;

TEST(LoadBackendModule, SaysWhatToInstallIfThereIsNone) {
  const auto module = load_backend_module("no_such_module.so", Isa::kAvx2);
  EXPECT_EQ(module.status().code(), StatusCode::kDevice);
  EXPECT_THAT(module.status().message(), HasSubstr("no_such_module.so"));
  EXPECT_THAT(module.status().message(), HasSubstr("libdnnl-dev"));
}

TEST(LoadBackendModule, RefusesALibraryThatIsNoModule) {
  const auto module = load_backend_module("libm.so.6", Isa::kAvx2);
  EXPECT_EQ(module.status().code(), StatusCode::kDevice);
  EXPECT_THAT(module.status().message(), HasSubstr("no module of penult"));
}

#if defined(PENULT_EMULATED_MODULE)
TEST(LoadBackendModule, RefusesAnotherModuleOfPenult) {
  const auto module = load_backend_module(PENULT_EMULATED_MODULE, Isa::kAvx2);
  EXPECT_EQ(module.status().code(), StatusCode::kDevice);
  EXPECT_THAT(module.status().message(), HasSubstr("is another module, penult_emulated.so"));
}
#endif

}  // namespace
}  // namespace penult::kernels
