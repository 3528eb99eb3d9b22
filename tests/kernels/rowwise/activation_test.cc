// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/rowwise/rowwise_test.h"

namespace vl2 {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class Activation : public RowwiseTest {};
INSTANTIATE_TEST_SUITE_P(Isas, Activation, every_isa(), isa_name);

TEST_P(Activation, AddAndAddScaled) {
  for (const std::size_t width : row_widths()) {
    const std::vector<float> x = random_row(width, 1);
    const std::vector<float> before = random_row(width, 2);
    std::vector<float> sum = before;
    kernels().add(sum.data(), x.data(), width);
    std::vector<float> scaled = before;
    kernels().add_scaled(scaled.data(), x.data(), 0.3F, width);
    for (std::size_t i = 0; i < width; ++i) {
      EXPECT_EQ(sum[i], before[i] + x[i]);
      const double product = double{x[i]} * 0.3F;
      EXPECT_NEAR(scaled[i], before[i] + product,
                  kUnit * (std::abs(before[i]) + 2 * std::abs(product)));
    }
  }
}

// Of a row (0, x) softmax gives (1, e^x) divided by their sum.
TEST_P(Activation, ExponentialIsAccurateOverItsWholeRange) {
  double worst = 0;
  for (float x = -86.99F; x <= 0.0F; x += 0.0007F) {
    float row[2] = {0.0F, x};
    kernels().softmax(row, 2);
    const double quotient = double{row[1]} / row[0];
    worst = std::max(worst, std::abs(quotient / std::exp(double{x}) - 1));
  }
  // The two divisions round once each.
  EXPECT_LE(worst, 2e-7 + 2 * kUnit);
}

TEST_P(Activation, SoftmaxEqualsItsDefinition) {
  for (const std::size_t width : row_widths()) {
    const std::vector<float> x = random_row(width, 3, 20.0);
    std::vector<float> out = x;
    kernels().softmax(out.data(), width);
    const double highest = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (const float value : x) sum += std::exp(value - highest);
    for (std::size_t i = 0; i < width; ++i) {
      const double wanted = std::exp(x[i] - highest) / sum;
      const double rounding = (highest - x[i]) * kUnit + sum_error(width) + 4 * kUnit;
      EXPECT_NEAR(out[i], wanted, wanted * (4e-7 + rounding)) << width;
    }
  }
}

TEST_P(Activation, SoftmaxGivesMaskedNumbersExactlyZero) {
  for (const std::size_t width : {std::size_t{3}, std::size_t{16}, std::size_t{33}}) {
    std::vector<float> row(width, -1e30F);
    row[1] = 2.0F;
    row[2] = -kInfinity;
    kernels().softmax(row.data(), width);
    for (std::size_t i = 0; i < width; ++i) EXPECT_EQ(row[i], i == 1 ? 1.0F : 0.0F);
  }
}

TEST_P(Activation, SoftmaxOfMaskedNumbersAloneIsUniform) {
  for (const float masked : {-1e30F, std::numeric_limits<float>::lowest()}) {
    std::vector<float> row(20, masked);
    kernels().softmax(row.data(), row.size());
    for (const float value : row) EXPECT_EQ(value, 0.05F);
  }
}

TEST_P(Activation, SoftmaxSpreadsNan) {
  for (std::size_t place = 0; place < 40; ++place) {
    std::vector<float> row(40, 1.0F);
    row[place] = kNan;
    kernels().softmax(row.data(), row.size());
    for (const float value : row) EXPECT_TRUE(std::isnan(value));
  }
}

TEST_P(Activation, SigmoidIsAccurateWithoutOverflow) {
  std::vector<float> row;
  for (float x = -86.9F; x < 100.0F; x += 0.013F) row.push_back(x);
  std::vector<float> out = row;
  kernels().sigmoid(out.data(), out.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double wanted = 1 / (1 + std::exp(-double{row[i]}));
    EXPECT_NEAR(out[i], wanted, wanted * (4e-7 + 2 * kUnit)) << row[i];
  }
}

TEST_P(Activation, SigmoidOfSpecialNumbers) {
  std::vector<float> row = {
      0.0F, -1e30F, 1e30F, -kInfinity, kInfinity, kNan, std::bit_cast<float>(0x7f800001U)};
  kernels().sigmoid(row.data(), row.size());
  const std::vector<float> wanted = {0.5F, 0.0F, 1.0F, 0.0F, 1.0F};
  EXPECT_EQ(std::vector<float>(row.begin(), row.begin() + 5), wanted);
  EXPECT_TRUE(std::isnan(row[5]));
  EXPECT_TRUE(std::isnan(row[6]));
}

}  // namespace
}  // namespace vl2
