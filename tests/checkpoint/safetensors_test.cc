// SPDX-License-Identifier: MIT
#include "checkpoint/safetensors.h"

#include <gmock/gmock.h>

#include "checkpoint/files.h"

namespace vl2 {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::Pair;

void expect_refused(const std::string& bytes, const std::vector<std::string>& parts) {
  const TemporaryFolder folder;
  const auto path = folder.write("broken.safetensors", bytes);
  std::vector<std::string> all = parts;
  all.push_back(path.string());
  expect_error(ErrorCode::bad_checkpoint, all, [&] { SafetensorsFile file(path); });
}

json tensor(const char* dtype, json shape, std::uint64_t begin, std::uint64_t end) {
  return {{"dtype", dtype}, {"shape", std::move(shape)}, {"data_offsets", {begin, end}}};
}

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirBytes) {
  const json header = {{"a", tensor("BF16", {2, 3}, 4, 16)},
                       {"b", tensor("F32", json::array(), 0, 4)},
                       {"__metadata__", {{"format", "pt"}}}};
  const TemporaryFolder folder;
  const SafetensorsFile file(folder.write(
      "sound.safetensors", safetensors_bytes(header.dump() + "  ", "wxyz0123456789ab")));
  ASSERT_EQ(file.tensors().size(), 2U);
  EXPECT_EQ(file.tensors()[0].name, "b");
  EXPECT_TRUE(file.tensors()[0].shape.empty());
  EXPECT_EQ(file.tensors()[0].count(), 1U);
  const TensorView& a = file.tensors()[1];
  EXPECT_EQ(a.dtype, Dtype::bf16);
  EXPECT_THAT(a.shape, ElementsAre(2, 3));
  EXPECT_EQ(std::string(a.bytes.begin(), a.bytes.end()), "0123456789ab");
  EXPECT_EQ(*a.file, file.path());
  EXPECT_EQ(file.find("a"), &a);
  EXPECT_EQ(file.find("c"), nullptr);
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("format", "pt")));
}

TEST(Safetensors, ViewsSurviveAMove) {
  const TemporaryFolder folder;
  SafetensorsFile first(folder.write("a.safetensors", one_tensor("t", "F32", {2}, 8)));
  const SafetensorsFile second(std::move(first));
  const TensorView* view = second.find("t");
  ASSERT_NE(view, nullptr);
  EXPECT_EQ(view->bytes.size(), 8U);
  EXPECT_EQ(*view->file, folder.path() / "a.safetensors");
}

TEST(Safetensors, EmptyTensorsAndNoTensorsAreFine) {
  const json header = {{"none", tensor("F32", {0, 7}, 0, 0)}, {"one", tensor("U8", {1}, 0, 1)}};
  const TemporaryFolder folder;
  const SafetensorsFile file(
      folder.write("empty.safetensors", safetensors_bytes(header.dump(), "x")));
  EXPECT_EQ(file.find("none")->count(), 0U);
  EXPECT_TRUE(SafetensorsFile(folder.write("no.safetensors", safetensors_bytes("{}", "")))
                  .tensors()
                  .empty());
}

TEST(Safetensors, EveryDtypeOfTheFormatHasItsSize) {
  const std::pair<const char*, std::size_t> sizes[] = {
      {"BOOL", 8},    {"U8", 8},   {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8},
      {"F8_E8M0", 8}, {"I16", 16}, {"U16", 16}, {"F16", 16},    {"BF16", 16},
      {"I32", 32},    {"U32", 32}, {"F32", 32}, {"F64", 64},    {"I64", 64},
      {"U64", 64},    {"C64", 64}, {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}};
  const TemporaryFolder folder;
  for (const auto& [name, bits] : sizes) {
    const SafetensorsFile file(folder.write("t", one_tensor("t", name, {4}, bits / 2)));
    EXPECT_EQ(to_string(file.tensors()[0].dtype), name);
    EXPECT_EQ(bits_of(file.tensors()[0].dtype), bits) << name;
  }
}

TEST(Safetensors, MissingFileIsNamed) {
  expect_error(ErrorCode::not_found, {"/nowhere/model.safetensors"},
               [] { SafetensorsFile file("/nowhere/model.safetensors"); });
}

TEST(Safetensors, FilesTooShortForTheirHeaderAreRefused) {
  expect_refused("", {"0 bytes"});
  expect_refused("1234567", {"7 bytes"});
  expect_refused(safetensors_bytes("{}", "", 3), {"a header of 3 bytes", "10 bytes"});
  const std::string sound = one_tensor("t", "F32", {2}, 8);
  expect_refused(sound.substr(0, 20), {"claims a header"});
}

TEST(Safetensors, HeaderBeyondTheLimitIsRefused) {
  expect_refused(safetensors_bytes("{}", "", kMaxSafetensorsHeaderBytes + 1), {"100000001"});
  expect_refused(safetensors_bytes("{}", "", ~std::uint64_t{0}), {"18446744073709551615"});
}

TEST(Safetensors, HeaderThatIsNotAnObjectIsRefused) {
  expect_refused(safetensors_bytes("", ""), {"not a JSON object"});
  expect_refused(safetensors_bytes("[]", ""), {"not a JSON object"});
  expect_refused(safetensors_bytes(" {}", ""), {"not a JSON object"});
  expect_refused(safetensors_bytes("{", ""), {"not valid JSON"});
  expect_refused(safetensors_bytes("{\"\xff\":1}", ""), {"not valid JSON"});
  expect_refused(safetensors_bytes(R"({"__metadata__":{"a":1}})", ""), {"__metadata__"});
  expect_refused(safetensors_bytes(R"({"__metadata__":3})", ""), {"__metadata__"});
}

TEST(Safetensors, RepeatedNamesAreRefused) {
  const std::string entry = R"("t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  expect_refused(safetensors_bytes("{" + entry + "," + entry + "}", "x"), {"\"t\" twice"});
  expect_refused(safetensors_bytes(
                     R"({"t":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", "x"),
                 {"\"dtype\" twice"});
}

TEST(Safetensors, MalformedTensorEntriesAreRefused) {
  const std::pair<json, const char*> cases[] = {
      {3, "not described by an object"},
      {{{"shape", {1}}, {"data_offsets", {0, 1}}}, "has no dtype"},
      {{{"dtype", "U8"}, {"data_offsets", {0, 1}}}, "has no shape"},
      {{{"dtype", "U8"}, {"shape", {1}}}, "has no data_offsets"},
      {{{"dtype", 8}, {"shape", {1}}, {"data_offsets", {0, 1}}}, "dtype that is not a string"},
      {tensor("BF17", {1}, 0, 1), "unknown dtype \"BF17\""},
      {tensor("U8", 1, 0, 1), "shape that is not a list"},
      {tensor("U8", {1.5}, 0, 1), "whole numbers"},
      {tensor("U8", {-1}, 0, 1), "whole numbers"},
      {{{"dtype", "U8"}, {"shape", {1}}, {"data_offsets", {0, 1, 2}}}, "not two numbers"},
      {{{"dtype", "U8"}, {"shape", {1}}, {"data_offsets", {0, -1}}}, "whole numbers"},
  };
  for (const auto& [entry, part] : cases)
    expect_refused(safetensors_bytes(json{{"bad", entry}}.dump(), "x"), {"\"bad\"", part});
}

TEST(Safetensors, ShapesThatDoNotFillTheirBytesAreRefused) {
  expect_refused(
      safetensors_bytes(json{{"t", tensor("F32", {2, 2}, 0, 12)}}.dump(), "0123456789ab"),
      {"shape [2, 2] of F32", "12 bytes"});
  expect_refused(safetensors_bytes(json{{"t", tensor("F4", {3}, 0, 1)}}.dump(), "0"),
                 {"shape [3] of F4"});
}

TEST(Safetensors, ShapesThatOverflowAreRefused) {
  const std::uint64_t half = std::uint64_t{1} << 32;
  // 2^32 * 2^32 is 0 in 64 bits, which an unchecked product would take for the empty tensor here.
  expect_refused(safetensors_bytes(json{{"t", tensor("U8", {half, half}, 0, 0)}}.dump(), ""),
                 {"\"t\"", "does not fill"});
  expect_refused(
      safetensors_bytes(json{{"t", tensor("F32", {std::uint64_t{1} << 63}, 0, 0)}}.dump(), ""),
      {"\"t\""});
}

TEST(Safetensors, RangesOutsideTheFileAreRefused) {
  expect_refused(safetensors_bytes(json{{"t", tensor("U8", {5}, 0, 5)}}.dump(), "abcd"),
                 {"bytes 0 to 5", "4 bytes"});
  expect_refused(safetensors_bytes(json{{"t", tensor("U8", {1}, 3, 2)}}.dump(), "abcd"),
                 {"bytes 3 to 2"});
  expect_refused(
      safetensors_bytes(json{{"t", tensor("U8", {1}, 0, ~std::uint64_t{0})}}.dump(), "abcd"),
      {"18446744073709551615"});
}

TEST(Safetensors, OverlapsHolesAndRestsAreRefused) {
  const json first = tensor("U8", {2}, 0, 2);
  expect_refused(
      safetensors_bytes(json{{"a", first}, {"b", tensor("U8", {3}, 1, 4)}}.dump(), "abcd"),
      {"\"b\" overlaps"});
  expect_refused(
      safetensors_bytes(json{{"a", first}, {"b", tensor("U8", {1}, 3, 4)}}.dump(), "abcd"),
      {"hole before"});
  expect_refused(safetensors_bytes(json{{"a", first}}.dump(), "abcd"), {"2 bytes after"});
  expect_refused(safetensors_bytes(json{{"a", tensor("U8", {2}, 2, 4)}}.dump(), "abcd"),
                 {"hole before"});
}

}  // namespace
}  // namespace vl2
