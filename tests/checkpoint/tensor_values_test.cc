// SPDX-License-Identifier: MIT
#include "checkpoint/tensor_values.h"

#include <limits>

#include <gmock/gmock.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/files.h"

namespace vl2 {
namespace {

using nlohmann::json;
using testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A file with one tensor "t", kept mapped. An odd header length leaves the bytes unaligned.
class OneTensor {
 public:
  OneTensor(const char* dtype, const json& shape, const std::string& bytes)
      : file_(write(dtype, shape, bytes)) {}
  const TensorView& view() const { return file_.tensors()[0]; }

 private:
  std::filesystem::path write(const char* dtype, const json& shape, const std::string& bytes) {
    const json header = {
        {"t", {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {0, bytes.size()}}}}};
    std::string text = header.dump();
    if (text.size() % 2 == 0) text += ' ';
    return folder_.write("one.safetensors", safetensors_bytes(text, bytes));
  }
  TemporaryFolder folder_;
  SafetensorsFile file_;
};

std::vector<float> read_all(const TensorView& tensor) {
  std::vector<float> numbers(tensor.count());
  read_floats(tensor, numbers);
  return numbers;
}

TEST(TensorValues, ConvertsEachFloatType) {
  const OneTensor f32("F32", {3}, bytes_of<float>({1.5F, -2.0F, 3.14159F}));
  EXPECT_THAT(read_all(f32.view()), ElementsAre(1.5F, -2.0F, 3.14159F));
  const OneTensor bf16("BF16", {3}, bytes_of<std::uint16_t>({0x3fc0, 0xc000, 0x0001}));
  EXPECT_THAT(read_all(bf16.view()), ElementsAre(1.5F, -2.0F, 0x1p-133F));
  const OneTensor f16("F16", {3}, bytes_of<std::uint16_t>({0x3e00, 0xc000, 0x0001}));
  EXPECT_THAT(read_all(f16.view()), ElementsAre(1.5F, -2.0F, 0x1p-24F));
}

TEST(TensorValues, ReadsRowsOfAnyRank) {
  const OneTensor tensor("F32", {3, 1, 2}, bytes_of<float>({0, 1, 2, 3, 4, 5}));
  std::vector<float> rows(4);
  read_float_rows(tensor.view(), 1, 2, rows);
  EXPECT_THAT(rows, ElementsAre(2, 3, 4, 5));
  read_float_rows(tensor.view(), 3, 0, {});
}

TEST(TensorValues, RowsBeyondTheTensorAreRefused) {
  const OneTensor tensor("F32", {2, 2}, bytes_of<float>({0, 1, 2, 3}));
  std::vector<float> rows(4);
  for (const auto& [first, count] : {std::pair<std::size_t, std::size_t>{1, 2}, {3, 0}, {0, ~0UL}})
    expect_error(ErrorCode::bad_checkpoint, {"tensor t", "2 rows"},
                 [&, begin = first, n = count] { read_float_rows(tensor.view(), begin, n, rows); });
}

TEST(TensorValues, OutputOfAnotherSizeIsRefused) {
  const OneTensor tensor("F32", {2, 2}, bytes_of<float>({0, 1, 2, 3}));
  std::vector<float> three(3);
  expect_error(ErrorCode::bad_checkpoint, {"tensor t", "[2, 2]", "3 numbers"},
               [&] { read_floats(tensor.view(), three); });
  expect_error(ErrorCode::bad_checkpoint, {"tensor t"},
               [&] { read_float_rows(tensor.view(), 0, 2, three); });
}

TEST(TensorValues, OtherDtypesAreUnsupportedWhenRead) {
  const OneTensor tensor("I64", {1}, bytes_of<std::int64_t>({1}));
  std::vector<float> one(1);
  expect_error(ErrorCode::unsupported, {"tensor t", "I64", "one.safetensors"},
               [&] { read_floats(tensor.view(), one); });
  expect_error(ErrorCode::unsupported, {"I64"}, [&] { first_non_finite(tensor.view()); });
}

TEST(TensorValues, FindsTheFirstNumberThatIsNotFinite) {
  EXPECT_EQ(first_non_finite(OneTensor("F32", {2}, bytes_of<float>({1, 2})).view()), std::nullopt);
  EXPECT_EQ(first_non_finite(OneTensor("F32", {3}, bytes_of<float>({1, kNan, kNan})).view()), 1U);
  EXPECT_EQ(first_non_finite(OneTensor("F32", {1}, bytes_of<float>({-kInfinity})).view()), 0U);
  EXPECT_EQ(
      first_non_finite(OneTensor("BF16", {2}, bytes_of<std::uint16_t>({0x7f7f, 0xff80})).view()),
      1U);
  EXPECT_EQ(
      first_non_finite(OneTensor("F16", {2}, bytes_of<std::uint16_t>({0x7bff, 0x7e00})).view()),
      1U);
}

TEST(TensorValues, FindsItInLongTensorsToo) {
  std::string bytes(2 * 10'000, '\0');
  bytes[2 * 9'999] = '\xc0';
  bytes[2 * 9'999 + 1] = '\x7f';
  const OneTensor tensor("BF16", {100, 100}, bytes);
  EXPECT_EQ(first_non_finite(tensor.view()), 9'999U);
  expect_error(ErrorCode::bad_checkpoint, {"tensor t", "one.safetensors", "9999"},
               [&] { require_finite(tensor.view()); });
}

TEST(TensorValues, GoldenWeightsAreFinite) {
  const Checkpoint checkpoint(std::filesystem::path(VL2_TEST_DATA) /
                              "goldens/checkpoints/mla-sigmoid");
  for (const TensorView* tensor : checkpoint.tensors()) require_finite(*tensor);
  const TensorView& bias =
      checkpoint.expect("language.model.layers.1.mlp.gate.e_score_correction_bias", {12});
  EXPECT_EQ(bias.dtype, Dtype::f32);
  EXPECT_THAT(read_all(bias), testing::Each(testing::AllOf(testing::Gt(-10), testing::Lt(10))));
}

}  // namespace
}  // namespace vl2
