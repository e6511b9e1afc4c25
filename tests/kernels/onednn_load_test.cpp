#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "kernels/onednn/load.h"

namespace penult::kernels {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRename =
    "; unset PENULT_ONEDNN_MODULE, or set it to the penult_onednn.so of this build";

// What is said of a file that the variable names.
void expect_refused(const std::string& path, const std::string& says) {
  const auto module = load_backend_module(path, Isa::kAvx2);
  ASSERT_FALSE(module.ok()) << path;
  EXPECT_EQ(module.status().code(), StatusCode::kDevice);
  EXPECT_THAT(module.status().message(), HasSubstr("backend onednn: "));
  EXPECT_THAT(module.status().message(), HasSubstr(says));
  EXPECT_THAT(module.status().message(), HasSubstr(kRename));
}

TEST(LoadBackendModule, SaysWhatToInstallIfThereIsNone) {
  static constexpr ModuleFile kNone = {.who = "device none",
                                       .file = "no_such_module.so",
                                       .variable = "NO_SUCH_VARIABLE",
                                       .remedy = [](const std::string&) { return "install it"; }};
  const auto module = open_module(kNone, kNone.file, Isa::kAvx2);
  EXPECT_EQ(module.status().code(), StatusCode::kDevice);
  EXPECT_THAT(module.status().message(), HasSubstr("device none: no_such_module.so: "));
  EXPECT_THAT(module.status().message(), ::testing::EndsWith("; install it"));
}

TEST(LoadBackendModule, SpeaksOfTheVariableWhereThatNamesTheFile) {
  expect_refused("no_such_module.so", "no_such_module.so");
  expect_refused("/no/such/module.so", "/no/such/module.so");
  expect_refused("/", "expected a regular file, got a folder");
}

TEST(LoadBackendModule, RefusesALibraryThatIsNoModule) {
  expect_refused("libm.so.6", "libm.so.6 is no module of penult");
}

#if defined(PENULT_EMULATED_MODULE)
TEST(LoadBackendModule, RefusesAnotherModuleOfPenult) {
  expect_refused(PENULT_EMULATED_MODULE, "is another module, penult_emulated.so");
}

// The loader would map it, and die.
TEST(LoadBackendModule, RefusesAFileThatIsCutShort) {
  const std::string path = ::testing::TempDir() + "penult_cut_module.so";
  std::filesystem::copy_file(PENULT_EMULATED_MODULE, path,
                             std::filesystem::copy_options::overwrite_existing);
  const auto whole = std::filesystem::file_size(path);
  for (const auto bytes : {whole - 1, whole / 2, whole / 8, uintmax_t{64}}) {
    std::filesystem::resize_file(path, bytes);
    expect_refused(path, "penult_cut_module.so is cut short");
  }
  for (const auto bytes : {63, 1, 0}) {
    std::filesystem::resize_file(path, bytes);
    expect_refused(path, "penult_cut_module.so is no shared library");
  }
  std::ofstream(path) << "INPUT(libm.so.6)  /* as in the scripts of linkers, and long enough */";
  expect_refused(path, "penult_cut_module.so is no shared library");
  std::filesystem::remove(path);
}
#endif

}  // namespace
}  // namespace penult::kernels
