// SPDX-License-Identifier: MIT
// What int8 and int4 lose, against bounds and against formats others use.
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

}  // namespace
}  // namespace vl2
