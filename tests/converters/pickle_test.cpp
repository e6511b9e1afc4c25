#include "converters/pytorch/pickle.h"

#include <gmock/gmock.h>

#include <string>

namespace penult::converters {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = Object::Kind;
using namespace std::string_literals;

Result<Pickle> read(const std::string& code) {
  return read_pickle({reinterpret_cast<const uint8_t*>(code.data()), code.size()}, 0);
}

Pickle read_ok(const std::string& code) {
  Result<Pickle> pickle = read(code);
  EXPECT_TRUE(pickle.ok()) << pickle.status().message();
  return pickle.ok() ? std::move(*pickle) : Pickle{};
}

void expect_refused(const std::string& code, StatusCode status, const std::string& words) {
  const Status got = read(code).status();
  EXPECT_EQ(got.code(), status) << got.message();
  EXPECT_THAT(got.message(), HasSubstr(words));
}

int64_t number(const std::string& code) {
  const Pickle pickle = read_ok(code);
  return pickle.root != nullptr && pickle.root->kind == Kind::kInt ? pickle.root->number : -9999;
}

TEST(Pickle, IntegersOfEachWidth) {
  EXPECT_EQ(number("K\xff."), 255);
  EXPECT_EQ(number("M\x01\x02."), 513);
  EXPECT_EQ(number("J\xff\xff\xff\xff."), -1);
  EXPECT_EQ(number("J\x00\x00\x00\x80."s), INT32_MIN);
  EXPECT_EQ(number("\x8a\x00."s), 0);
  EXPECT_EQ(number("\x8a\x01\xff."), -1);
  EXPECT_EQ(number("\x8a\x02\xff\x00."s), 255);
  EXPECT_EQ(number("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80."s), INT64_MIN);
  EXPECT_EQ(number("\x8b\x02\x00\x00\x00\x01\x01."s), 257);
}

TEST(Pickle, LongerIntegersAreKeptAsBytes) {
  const Pickle pickle = read_ok(
      "\x8a\x0a"
      "0123456789.");
  EXPECT_EQ(pickle.root->kind, Kind::kBytes);
  EXPECT_EQ(pickle.root->text, "0123456789");
}

TEST(Pickle, TextsAndConstants) {
  EXPECT_EQ(read_ok("X\x03\x00\x00\x00"
                    "a\nb."s)
                .root->text,
            "a\nb");
  EXPECT_EQ(read_ok("\x8c\x02"
                    "ab.")
                .root->text,
            "ab");
  EXPECT_EQ(read_ok("\x8d\x01\x00\x00\x00\x00\x00\x00\x00z."s).root->text, "z");
  EXPECT_EQ(read_ok("U\x01q.").root->text, "q");
  EXPECT_EQ(read_ok("N.").root->kind, Kind::kNone);
  EXPECT_EQ(read_ok("\x88.").root->number, 1);
  EXPECT_EQ(read_ok("\x89.").root->number, 0);
  EXPECT_EQ(read_ok("G12345678.").root->kind, Kind::kFloat);
}

TEST(Pickle, Containers) {
  EXPECT_EQ(read_ok("(K\1K\2K\3t.").root->items.size(), 3u);
  EXPECT_EQ(read_ok(").").root->items.size(), 0u);
  EXPECT_EQ(read_ok("K\1K\2\x86.").root->items[1]->number, 2);
  EXPECT_EQ(read_ok("](K\1K\2eK\3a.").root->items.size(), 3u);
  EXPECT_EQ(read_ok("}(K\1K\2K\3K\4uK\5K\6s.").root->items.size(), 6u);
}

TEST(Pickle, TheMemoReturnsTheSameObject) {
  const Pickle put = read_ok("]q\7h\7\x86.");
  EXPECT_EQ(put.root->items[0], put.root->items[1]);
  const Pickle memoize = read_ok("\x80\x04]\x94h\x00\x86."s);
  EXPECT_EQ(memoize.root->items[0], memoize.root->items[1]);
}

// _rebuild_tensor_v3, which torch.save takes for float8.
TEST(Pickle, ATensorOfAnotherTypeIsNamedByIt) {
  const std::string call = "ctorch._utils\n_rebuild_tensor_v3\n";
  EXPECT_EQ(opaque_name(*read_ok(call + "(NNNNNNctorch\nfloat8_e5m2\ntR.").root),
            "torch.float8_e5m2");
  for (const char* arguments : {"(tR.", "(NNNNNNNtR."}) {
    EXPECT_EQ(opaque_name(*read_ok(call + arguments).root), "torch._utils._rebuild_tensor_v3");
  }
}

TEST(Pickle, EndLiesBehindStop) {
  const std::string code = "\x80\x02N.rest";
  EXPECT_EQ(read_ok(code).end, 4u);
}

TEST(Pickle, CallsOfStateDictsAreInterpreted) {
  const Pickle dict = read_ok("ccollections\nOrderedDict\n]](K\1K\2ea\x85R.");
  EXPECT_EQ(dict.root->kind, Kind::kDict);
  EXPECT_EQ(dict.root->items[1]->number, 2);
  EXPECT_EQ(
      read_ok("ccollections\ndefaultdict\nc__builtin__\nlist\n\x85R(K\1K\2u.").root->items.size(),
      2u);
  const Pickle size = read_ok("ctorch\nSize\n(K\2K\3t\x85R.");
  EXPECT_EQ(size.root->kind, Kind::kTuple);
  const Pickle tensor = read_ok(
      "ctorch._utils\n_rebuild_tensor_v2\n"
      "((X\x07\x00\x00\x00storagectorch\nHalfStorage\nX\x01\x00\x00\x00"
      "5X\x03\x00\x00\x00"
      "cpuK\x06tQ"
      "K\1(K\2t(K\3t\x89"
      "ccollections\nOrderedDict\n)RtR."s);
  EXPECT_EQ(tensor.root->kind, Kind::kTensor);
  EXPECT_EQ(tensor.root->number, 1);
  EXPECT_THAT(tensor.root->dims, ElementsAre(2));
  EXPECT_THAT(tensor.root->strides, ElementsAre(3));
  EXPECT_EQ(tensor.root->items[0]->dtype, Dtype::kFloat16);
  EXPECT_EQ(tensor.root->items[0]->number, 6);
}

TEST(Pickle, OtherNamesAndWhatTheyMakeStayOpaque) {
  for (const std::string& code :
       {"cos\nsystem\n."s, "cos\nsystem\n(X\x02\x00\x00\x00idtR."s,
        "\x8c\x02os\x8c\x06system\x93."s, "cos\nsystem\n)\x81}b."s,
        "\x80\x04\x63os\nsystem\n)}\x92."s, "cos\nsystem\nN\x85RN\x85R."s}) {
    const Pickle pickle = read_ok(code);
    ASSERT_EQ(pickle.root->kind, Kind::kOpaque) << code;
    EXPECT_EQ(opaque_name(*pickle.root), "os.system") << code;
  }
  EXPECT_EQ(read_ok("ctorch._utils\n_rebuild_tensor_v2.__class__\n.").root->kind, Kind::kOpaque);
  EXPECT_EQ(read_ok("ctorch\nfloatstorage\n.").root->kind, Kind::kOpaque);
}

TEST(Pickle, OpaqueContainersTakeItemsAndKeepNone) {
  const Pickle pickle = read_ok("ca\nb\n)\x81(K\1K\2uK\3K\4sK\5a(K\6K\7K\x08\x65N\x62.");
  EXPECT_EQ(pickle.root->kind, Kind::kOpaque);
  EXPECT_TRUE(pickle.root->items.empty());
}

TEST(Pickle, TensorsAndStoragesOfUnknownKindsAreOpaque) {
  const Pickle pickle = read_ok(
      "ctorch._utils\n_rebuild_tensor_v2\n"
      "((X\x07\x00\x00\x00storagectorch\nQInt8Storage\nX\x01\x00\x00\x00"
      "5X\x03\x00\x00\x00"
      "cpuK\x06tQK\1(K\2t(K\3t\x89NtR."s);
  EXPECT_EQ(pickle.root->kind, Kind::kOpaque);
  EXPECT_EQ(opaque_name(*pickle.root), "torch.QInt8Storage");
}

TEST(Pickle, ClassesThatAreKnownAreNotInstantiatedOtherwise) {
  expect_refused("ccollections\nOrderedDict\n)\x81.", StatusCode::kFormatUnsupported,
                 "\"collections OrderedDict\"");
  expect_refused("(ios\nsystem\n.", StatusCode::kFormatUnsupported, "opcode 105");
  expect_refused("K\1)\x81.", StatusCode::kFormatUnsupported, "makes an object");
}

TEST(Pickle, LongTextsAreSkipped) {
  const std::string longest(64 << 10, 'x');
  EXPECT_EQ(read_ok("X\0\0\1\0"s + longest + ".").root->text.size(), longest.size());
  EXPECT_EQ(read_ok("X\1\0\1\0"s + longest + "y.").root->kind, Kind::kOpaque);
}

TEST(Pickle, TheStateOfADictIsReadAndDropped) {
  EXPECT_EQ(
      read_ok("ccollections\nOrderedDict\n)R}X\x09\x00\x00\x00_metadata}sb."s).root->items.size(),
      0u);
  expect_refused("]}b.", StatusCode::kFormatCorrupt, "does not take it");
}

TEST(Pickle, ErrorsTellTheByte) {
  expect_refused("\x80\x02NNR.", StatusCode::kFormatCorrupt, "pickle at byte 4");
  expect_refused("K", StatusCode::kFormatCorrupt, "ends within an opcode");
  expect_refused("", StatusCode::kFormatCorrupt, "ends within an opcode");
  expect_refused("\x80\x05N.", StatusCode::kFormatUnsupported, "protocol 5");
  expect_refused("(.", StatusCode::kFormatCorrupt, "empty stack");
}

}  // namespace
}  // namespace penult::converters
