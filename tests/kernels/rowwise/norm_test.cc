// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "kernels/rowwise/rowwise_test.h"

namespace vl2 {
namespace {

constexpr float kEps = 1e-6F;

class Norm : public RowwiseTest {};
INSTANTIATE_TEST_SUITE_P(Isas, Norm, every_isa(), isa_name);

TEST_P(Norm, RmsNormEqualsItsDefinition) {
  for (const std::size_t width : row_widths()) {
    const std::vector<float> x = random_row(width, 1);
    const std::vector<float> weight = random_row(width, 2);
    std::vector<float> out(width);
    kernels().rms_norm(x.data(), weight.data(), width, kEps, out.data());
    double squares = 0;
    for (const float value : x) squares += double{value} * value;
    const double scale = 1 / std::sqrt(squares / static_cast<double>(width) + double{kEps});
    for (std::size_t i = 0; i < width; ++i) {
      const double wanted = x[i] * scale * weight[i];
      EXPECT_NEAR(out[i], wanted, std::abs(wanted) * (sum_error(width) + 6 * kUnit)) << width;
    }
  }
}

TEST_P(Norm, LayerNormEqualsItsDefinition) {
  for (const std::size_t width : row_widths()) {
    std::vector<float> x = random_row(width, 3);
    for (float& value : x) value += 5.0F;
    const std::vector<float> weight = random_row(width, 4);
    const std::vector<float> bias = random_row(width, 5);
    std::vector<float> out(width);
    kernels().layer_norm(x.data(), weight.data(), bias.data(), width, kEps, out.data());
    double mean = 0;
    for (const float value : x) mean += value / static_cast<double>(width);
    double variance = 0;
    for (const float value : x)
      variance += (value - mean) * (value - mean) / static_cast<double>(width);
    const double deviation = std::sqrt(variance + double{kEps});
    // All numbers are below 8, so the mean is wrong by at most 8 times the sum's error.
    const double relative = 2 * sum_error(width) + 8 * kUnit;
    for (std::size_t i = 0; i < width; ++i) {
      const double normed = (x[i] - mean) / deviation;
      const double bound =
          std::abs(weight[i]) * (std::abs(normed) + 8 / deviation) * relative + 8 * kUnit;
      EXPECT_NEAR(out[i], normed * weight[i] + bias[i], bound) << width;
    }
  }
}

TEST_P(Norm, InPlaceGivesTheSameBits) {
  for (const std::size_t width : {std::size_t{17}, std::size_t{64}}) {
    const std::vector<float> x = random_row(width, 6);
    const std::vector<float> weight = random_row(width, 7);
    const std::vector<float> bias = random_row(width, 8);
    std::vector<float> out(width);
    std::vector<float> in_place = x;
    kernels().rms_norm(x.data(), weight.data(), width, kEps, out.data());
    kernels().rms_norm(in_place.data(), weight.data(), width, kEps, in_place.data());
    EXPECT_EQ(bits_of(in_place), bits_of(out));
    in_place = x;
    kernels().layer_norm(x.data(), weight.data(), bias.data(), width, kEps, out.data());
    kernels().layer_norm(in_place.data(), weight.data(), bias.data(), width, kEps, in_place.data());
    EXPECT_EQ(bits_of(in_place), bits_of(out));
  }
}

TEST_P(Norm, AlignmentChangesNoBit) {
  constexpr std::size_t kWidth = 77;
  const std::vector<float> x = random_row(kWidth, 9);
  const std::vector<float> weight(kWidth, 1.0F);
  std::vector<float> wanted(kWidth);
  kernels().rms_norm(x.data(), weight.data(), kWidth, kEps, wanted.data());
  for (std::size_t shift = 1; shift < 17; ++shift) {
    std::vector<float> moved(kWidth + shift);
    std::copy(x.begin(), x.end(), moved.begin() + static_cast<std::ptrdiff_t>(shift));
    std::vector<float> out(kWidth);
    kernels().rms_norm(moved.data() + shift, weight.data(), kWidth, kEps, out.data());
    EXPECT_EQ(bits_of(out), bits_of(wanted)) << shift;
  }
}

TEST_P(Norm, WritesNothingBeyondTheRow) {
  const std::vector<float> ones(100, 1.0F);
  for (std::size_t width = 1; width < 70; ++width) {
    std::vector<float> out(100, -7.0F);
    kernels().rms_norm(ones.data(), ones.data(), width, kEps, out.data());
    EXPECT_EQ(std::count(out.begin(), out.end(), -7.0F), static_cast<std::ptrdiff_t>(100 - width));
  }
}

}  // namespace
}  // namespace vl2
