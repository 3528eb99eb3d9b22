// SPDX-License-Identifier: MIT
// What int8 and int4 lose, against bounds and against formats others use.
#include "kernels/matmul/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "kernels/matmul/ggml_formats.h"
#include "kernels/matmul/pack.h"
#include "tensor/format/int4.h"
#include "tensor/format/int8.h"

namespace vl2 {
namespace {

constexpr std::size_t kColumns = 96;
constexpr std::size_t kDepth = 1280;

float gaussian(std::uint64_t seed, std::size_t i) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - random_unit(seed, 2 * i)));
  return static_cast<float>(radius *
                            std::cos(2.0 * std::numbers::pi * random_unit(seed, 2 * i + 1)));
}
// One in a hundred is four times larger.
float with_outliers(std::uint64_t seed, std::size_t i) {
  return gaussian(seed, i) * (random_unit(seed + 1, i) < 0.01 ? 4.0F : 1.0F);
}
// Student's t of three degrees of freedom.
float heavy_tailed(std::uint64_t seed, std::size_t i) {
  float sum = 0.0F;
  for (std::uint64_t j = 1; j <= 3; ++j) sum += std::pow(gaussian(seed + j, i), 2.0F);
  return gaussian(seed, i) / std::sqrt(sum / 3.0F);
}

using Distribution = float (*)(std::uint64_t seed, std::size_t i);
std::vector<float> numbers_of(Distribution distribution, float size = 0.02F) {
  std::vector<float> out(kColumns * kDepth);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = size * distribution(3, i);
  return out;
}

double relative_error(std::span<const float> exact, std::span<const float> actual) {
  double error = 0.0;
  double size = 0.0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    error += std::pow(static_cast<double>(actual[i] - exact[i]), 2.0);
    size += std::pow(static_cast<double>(exact[i]), 2.0);
  }
  return std::sqrt(error / size);
}

std::vector<float> through(WeightFormat format, std::span<const float> source,
                           Importance importance = {}) {
  Weight weight(format, source.size() / kDepth, kDepth);
  pack_matrix(source, weight, 0, importance);
  std::vector<float> out(source.size());
  unpack_matrix(weight, 0, out);
  return out;
}
double error_of(WeightFormat format, std::span<const float> source) {
  return relative_error(source, through(format, source));
}

TEST(Quantize, ErrorsStayBelowTheBoundsOfTheFormats) {
  EXPECT_LT(error_of(WeightFormat::int4, numbers_of(gaussian)), 0.068);
  EXPECT_LT(error_of(WeightFormat::int4, numbers_of(with_outliers)), 0.074);
  EXPECT_LT(error_of(WeightFormat::int4, numbers_of(heavy_tailed)), 0.083);
  EXPECT_LT(error_of(WeightFormat::int8, numbers_of(gaussian)), 0.0080);
  EXPECT_LT(error_of(WeightFormat::int8, numbers_of(with_outliers)), 0.026);
}

// All three have 4.5 bits a weight.
TEST(Quantize, Int4LosesLessThanQ40AndQ4K) {
  for (const Distribution distribution : {gaussian, with_outliers, heavy_tailed}) {
    const std::vector<float> source = numbers_of(distribution);
    const double ours = error_of(WeightFormat::int4, source);
    EXPECT_LT(ours, relative_error(source, through_q4_0(source)));
    EXPECT_LT(ours, relative_error(source, through_q4_k(source)));
  }
}

TEST(Quantize, ReportsTheErrorThatThereIs) {
  const std::vector<float> source = numbers_of(gaussian);
  for (const WeightFormat format : kAllWeightFormats) {
    Weight weight(format, kColumns, kDepth);
    pack_matrix(std::span<const float>(source), weight);
    const WeightError error = weight_error(std::span<const float>(source), weight);
    EXPECT_NEAR(error.relative(), error_of(format, source), 1e-9) << to_string(format);
    WeightError twice = error;
    twice += error;
    EXPECT_DOUBLE_EQ(twice.relative(), error.relative());
    EXPECT_LE(error.largest_error, 0.02 * 4.5 * 0.25);
  }
  EXPECT_EQ(WeightError{}.relative(), 0.0);
}

// The format's own numbers lie on its grid. The search tries few scales, so it may miss the one
// they came from.
TEST(Quantize, NumbersOfAFormatStayWhatTheyAre) {
  for (const WeightFormat format : {WeightFormat::int8, WeightFormat::int4}) {
    const std::vector<float> once = through(format, numbers_of(gaussian));
    EXPECT_LT(relative_error(once, through(format, once)),
              format == WeightFormat::int8 ? 1e-6 : 0.02);
  }
}

TEST(Quantize, Int8UsesTheWholeRange) {
  const std::vector<float> source = numbers_of(gaussian);
  Weight weight(WeightFormat::int8, kColumns, kDepth);
  pack_matrix(std::span<const float>(source), weight);
  const auto* step = reinterpret_cast<const std::uint8_t*>(weight.pair(0, 0));
  for (std::size_t n = 0; n < kPairColumns; ++n) {
    int largest = 0;
    for (std::size_t k = 0; k < kDepth; ++k)
      largest = std::max(
          largest,
          std::abs(int8::decode(
              step[k / kTileDepth * int8::kStepBytes + int8::byte_of(k % kTileDepth, n)])));
    EXPECT_EQ(largest, int8::kLargest) << n;
  }
}

// Each int4 number is the nearest there is under the scale its group has.
TEST(Quantize, Int4TakesTheNearestLevel) {
  const std::vector<float> source = numbers_of(heavy_tailed);
  const std::vector<float> packed = through(WeightFormat::int4, source);
  Weight weight(WeightFormat::int4, kColumns, kDepth);
  pack_matrix(std::span<const float>(source), weight);
  for (std::size_t n = 0; n < kPairColumns; ++n)
    for (std::size_t k = 0; k < kDepth; ++k) {
      const auto* step = reinterpret_cast<const std::uint8_t*>(weight.pair(0, 0)) +
                         k / kTileDepth * int4::kStepBytes;
      const float scale = int4::scale_of(step[int4::scale_byte_of(k % kTileDepth, n)]) *
                          weight.multipliers(0, 0)[n];
      const float number = source[n * kDepth + k];
      float nearest = std::numeric_limits<float>::infinity();
      for (const int level : int4::kLevels)
        nearest = std::min(nearest, std::abs(static_cast<float>(level) * scale - number));
      ASSERT_NEAR(std::abs(packed[n * kDepth + k] - number), nearest, 1e-6F * std::abs(scale))
          << n << ' ' << k;
    }
}

TEST(Quantize, ImportantWeightsLoseLess) {
  const std::vector<float> source = numbers_of(gaussian);
  std::vector<float> importance(kDepth, 0.01F);
  for (std::size_t k = 0; k < kDepth; k += 5) importance[k] = 1.0F;
  const auto weighted = [&](std::span<const float> packed) {
    double error = 0.0;
    for (std::size_t i = 0; i < packed.size(); ++i)
      error += static_cast<double>(importance[i % kDepth]) *
               std::pow(static_cast<double>(packed[i] - source[i]), 2.0);
    return error;
  };
  EXPECT_LT(weighted(through(WeightFormat::int4, source, importance)),
            0.95 * weighted(through(WeightFormat::int4, source)));
  EXPECT_LE(weighted(through(WeightFormat::int8, source, importance)),
            weighted(through(WeightFormat::int8, source)));
  const std::vector<float> same(kDepth, 0.25F);
  EXPECT_EQ(through(WeightFormat::int4, source, same), through(WeightFormat::int4, source));
}

TEST(Quantize, SizesNeedNotBeRoundAndFloatsMayBeHuge) {
  for (const WeightFormat format : {WeightFormat::int8, WeightFormat::int4})
    for (const float size : {1e-30F, 1e-3F, 1.0F, 1e30F}) {
      Weight weight(format, 33, 71);
      std::vector<float> source(33 * 71);
      for (std::size_t i = 0; i < source.size(); ++i) source[i] = size * gaussian(8, i);
      pack_matrix(std::span<const float>(source), weight);
      EXPECT_LT(weight_error(std::span<const float>(source), weight).relative(), 0.08) << size;
    }
}

TEST(Quantize, RowsOfZerosAreExact) {
  std::vector<float> source = numbers_of(gaussian);
  std::fill(source.begin() + 3 * kDepth, source.begin() + 5 * kDepth, 0.0F);
  for (const WeightFormat format : {WeightFormat::int8, WeightFormat::int4}) {
    const std::vector<float> packed = through(format, source);
    for (std::size_t i = 3 * kDepth; i < 5 * kDepth; ++i) ASSERT_EQ(packed[i], 0.0F);
  }
  // Rows that are not there, as beyond the last column.
  std::byte pair[int4::kStepBytes + kPairColumns * sizeof(float)];
  std::memset(pair, 0xff, sizeof(pair));
  pack_pair(WeightFormat::int4, PairRows<float>{}, kTileDepth, pair);
  float multipliers[kPairColumns];
  std::memcpy(multipliers, pair + int4::kStepBytes, sizeof(multipliers));
  for (const float multiplier : multipliers) EXPECT_EQ(multiplier, 0.0F);
}

TEST(Quantize, NumbersThatAreNotFiniteDoNoHarmToOtherRows) {
  std::vector<float> source = numbers_of(gaussian);
  source[7] = std::numeric_limits<float>::quiet_NaN();
  source[2 * kDepth] = std::numeric_limits<float>::infinity();
  for (const WeightFormat format : {WeightFormat::int8, WeightFormat::int4}) {
    const std::vector<float> with = through(format, source);
    const std::vector<float> without = through(format, numbers_of(gaussian));
    for (std::size_t i = 3 * kDepth; i < source.size(); ++i) ASSERT_EQ(with[i], without[i]);
    EXPECT_TRUE(
        std::equal(with.begin() + kDepth, with.begin() + 2 * kDepth, without.begin() + kDepth));
  }
}

TEST(Quantize, EveryProcessorFindsTheSameCodes) {
  constexpr std::size_t kCount = 64;
  std::vector<float> panel(kCount * kTileColumns);
  std::vector<float> importance(kCount);
  std::vector<float> units(kTileColumns, 0x1p-8F);
  for (std::size_t i = 0; i < panel.size(); ++i) panel[i] = heavy_tailed(9, i) * 0.1F;
  for (std::size_t k = 0; k < kCount; ++k) importance[k] = std::abs(gaussian(10, k));
  struct Found {
    std::vector<std::int8_t> int8 = std::vector<std::int8_t>(kCount * kTileColumns);
    std::vector<float> multipliers = std::vector<float>(kTileColumns);
    std::vector<std::uint8_t> int4 = std::vector<std::uint8_t>(int4::kGroup * kTileColumns);
    std::vector<std::uint8_t> scales = std::vector<std::uint8_t>(kTileColumns);
  };
  const auto search = [&](Isa isa) {
    Found found;
    quantize_functions(isa).int8_panel(panel.data(), kCount, importance.data(), found.int8.data(),
                                       found.multipliers.data());
    quantize_functions(isa).int4_group(panel.data(), importance.data(), units.data(),
                                       found.int4.data(), found.scales.data());
    return found;
  };
  const Found expected = search(Isa::portable);
  for (const Isa isa : cpu_isas()) {
    const Found found = search(isa);
    EXPECT_EQ(found.int8, expected.int8) << to_string(isa);
    EXPECT_EQ(found.multipliers, expected.multipliers) << to_string(isa);
    EXPECT_EQ(found.int4, expected.int4) << to_string(isa);
    EXPECT_EQ(found.scales, expected.scales) << to_string(isa);
  }
}

TEST(Quantize, Bf16SourcesAreTakenAsTheyAre) {
  const std::vector<float> source = numbers_of(gaussian);
  std::vector<Bf16> rounded(source.size());
  std::vector<float> widened(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    rounded[i] = to_bf16(source[i]);
    widened[i] = to_float(rounded[i]);
  }
  for (const WeightFormat format : {WeightFormat::int8, WeightFormat::int4}) {
    Weight weight(format, kColumns, kDepth);
    pack_matrix(std::span<const Bf16>(rounded), weight);
    std::vector<float> out(source.size());
    unpack_matrix(weight, 0, out);
    EXPECT_EQ(out, through(format, widened));
  }
}

}  // namespace
}  // namespace vl2
