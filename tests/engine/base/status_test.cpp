#include "penult/status.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "engine/base/check.h"
#include "penult/version.h"

namespace penult {
namespace {

TEST(Status, EveryCodeHasItsOwnName) {
  std::set<std::string> names;
  for (int code = 0; code <= static_cast<int>(StatusCode::kInternal); ++code) {
    names.insert(status_code_name(static_cast<StatusCode>(code)));
  }
  EXPECT_EQ(names.size(), 18u);
  EXPECT_FALSE(names.contains("Unknown"));
  EXPECT_STREQ(status_code_name(static_cast<StatusCode>(99)), "Unknown");
  EXPECT_STREQ(status_code_name(StatusCode::kModelInvalid), "ModelInvalid");
}

TEST(Status, PrintsCodeAndMessage) {
  EXPECT_EQ(Status().to_string(), "Ok");
  EXPECT_EQ(Status(StatusCode::kIo, "gone").to_string(), "Io: gone");
}

Result<int> half(int x) {
  if (x % 2 != 0) return Status(StatusCode::kInvalidArgument, "odd");
  return x / 2;
}
Result<int> quarter(int x) {
  PENULT_ASSIGN_OR_RETURN(const int h, half(x));
  PENULT_ASSIGN_OR_RETURN(const int q, half(h));
  return q;
}
Status check_quarter(int x) {
  PENULT_RETURN_IF_ERROR(quarter(x).status());
  return Status();
}

TEST(Result, MacrosPassTheFirstErrorOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).status().message(), "odd");
  EXPECT_TRUE(check_quarter(4).ok());
  EXPECT_EQ(check_quarter(3).code(), StatusCode::kInvalidArgument);
}

TEST(Version, IsTheOneOfTheHeader) {
  EXPECT_EQ(std::string(version()), std::to_string(PENULT_VERSION_MAJOR) + "." +
                                        std::to_string(PENULT_VERSION_MINOR) + "." +
                                        std::to_string(PENULT_VERSION_PATCH));
}

}  // namespace
}  // namespace penult
