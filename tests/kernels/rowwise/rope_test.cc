// SPDX-License-Identifier: MIT
#include <cmath>

#include "kernels/rowwise/rowwise_test.h"

namespace vl2 {
namespace {

class Rope : public RowwiseTest {
 protected:
  // Angles of a row of `width` numbers, and the row itself.
  void prepare(std::size_t width) {
    x_ = random_row(width, width);
    cosines_.clear();
    sines_.clear();
    for (const float angle : random_row(width / 2, width + 1000)) {
      cosines_.push_back(std::cos(angle));
      sines_.push_back(std::sin(angle));
    }
  }
  // Numbers `a` and `b` of the row have been turned by angle i.
  void expect_turned(const std::vector<float>& out, std::size_t a, std::size_t b, std::size_t i) {
    const double first = double{x_[a]} * cosines_[i] - double{x_[b]} * sines_[i];
    const double second = double{x_[b]} * cosines_[i] + double{x_[a]} * sines_[i];
    const double bound = 2 * kUnit * (std::abs(x_[a]) + std::abs(x_[b]));
    EXPECT_NEAR(out[a], first, bound) << x_.size();
    EXPECT_NEAR(out[b], second, bound) << x_.size();
  }
  std::vector<float> x_;
  std::vector<float> cosines_;
  std::vector<float> sines_;
};
INSTANTIATE_TEST_SUITE_P(Isas, Rope, every_isa(), isa_name);

TEST_P(Rope, HalfTurnsNumbersHalfARowApart) {
  for (std::size_t width = 2; width <= 140; width += 2) {
    prepare(width);
    std::vector<float> out = x_;
    kernels().rope_half(out.data(), width, cosines_.data(), sines_.data());
    for (std::size_t i = 0; i < width / 2; ++i) expect_turned(out, i, i + width / 2, i);
  }
}

TEST_P(Rope, AdjacentTurnsNeighbours) {
  for (std::size_t width = 2; width <= 140; width += 2) {
    prepare(width);
    std::vector<float> out = x_;
    kernels().rope_adjacent(out.data(), width, cosines_.data(), sines_.data());
    for (std::size_t i = 0; i < width / 2; ++i) expect_turned(out, 2 * i, 2 * i + 1, i);
  }
}

TEST_P(Rope, AngleZeroChangesNothing) {
  const std::vector<float> x = random_row(70, 1);
  const std::vector<float> cosines(35, 1.0F);
  const std::vector<float> sines(35, 0.0F);
  std::vector<float> out = x;
  kernels().rope_half(out.data(), 70, cosines.data(), sines.data());
  kernels().rope_adjacent(out.data(), 70, cosines.data(), sines.data());
  EXPECT_EQ(out, x);
}

}  // namespace
}  // namespace vl2
