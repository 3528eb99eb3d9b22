// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/scalar.h"
#include "kernels/rowwise/rowwise_test.h"

namespace vl2 {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kUntouched = -77.0F;

double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
double gelu_erf(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }
double silu(double x) { return x / (1 + std::exp(-x)); }

// A packed output with a known pattern in it, and its numbers as floats.
class PackedRows {
 public:
  PackedRows(Operand operand, std::size_t count, std::size_t width) {
    view_ = {nullptr, operand, count, width, 1};
    bytes_.assign(view_.total_bytes(), std::byte{0x55});
    view_.tiles = bytes_.data();
  }
  const Packed& view() const { return view_; }
  float at(std::size_t row, std::size_t column) const {
    const std::byte* line = view_.line(0, row, column / kTileDepth * kTileDepth);
    std::vector<float> numbers(kTileDepth);
    rowwise_kernels(Isa::portable).unpack_row(line, kTileDepth, view_.operand, numbers.data());
    return numbers[column % kTileDepth];
  }
  float pattern() const {
    return view_.operand == Operand::f32 ? std::bit_cast<float>(0x55555555U)
                                         : std::bit_cast<float>(0x55550000U);
  }

 private:
  std::vector<std::byte> bytes_;
  Packed view_;
};

class FinishBlock : public RowwiseTest {
 protected:
  void finish(const Epilogue& epilogue, const std::vector<float>& block, BlockPlace place) const {
    kernels().finish_block(epilogue, block.data(), place);
  }
  // The results of an epilogue for single numbers (gate or GELU's input), computed in f32.
  std::vector<float> gelu_of(const std::vector<float>& x, Gelu gelu) const {
    std::vector<float> out;
    for (std::size_t first = 0; first < x.size(); first += 1024) {
      std::vector<float> block(1024);
      const std::size_t n = std::min<std::size_t>(1024, x.size() - first);
      std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(first), n, block.begin());
      PackedRows packed(Operand::f32, 32, 32);
      finish(StoreGelu{packed.view(), nullptr, gelu}, block, {0, 32, 0});
      for (std::size_t i = 0; i < n; ++i) out.push_back(packed.at(i / 32, i % 32));
    }
    return out;
  }
  std::vector<float> silu_of(const std::vector<float>& x) const {
    std::vector<float> out;
    for (std::size_t first = 0; first < x.size(); first += 512) {
      std::vector<float> block(1024, 1.0F);
      const std::size_t n = std::min<std::size_t>(512, x.size() - first);
      for (std::size_t i = 0; i < n; ++i) block[i / 16 * 32 + i % 16] = x[first + i];
      PackedRows packed(Operand::f32, 32, 16);
      finish(StoreGated{packed.view()}, block, {0, 32, 0});
      for (std::size_t i = 0; i < n; ++i) out.push_back(packed.at(i / 16, i % 16));
    }
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Isas, FinishBlock, every_isa(), isa_name);

std::vector<float> sweep() {
  std::vector<float> numbers;
  for (float x = -14.0F; x < 14.0F; x += 0.0011F) numbers.push_back(x);
  return numbers;
}
const std::vector<float> kSpecial = {0.0F,  1e30F,     -1e30F,     200.0F, -200.0F,
                                     1e38F, kInfinity, -kInfinity, kNan};
const std::vector<float> kSpecialResult = {0.0F, 1e30F, 0.0F, 200.0F, 0.0F, 1e38F, kInfinity, 0.0F};

void expect_special(std::vector<float> out) {
  EXPECT_TRUE(std::isnan(out.back()));
  out.pop_back();
  EXPECT_EQ(out, kSpecialResult);
}

TEST_P(FinishBlock, TanhGeluIsAccurate) {
  const std::vector<float> x = sweep();
  const std::vector<float> out = gelu_of(x, Gelu::tanh);
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(out[i], gelu_tanh(x[i]), 2e-7 * std::max(1.0, std::abs(double{x[i]}))) << x[i];
  expect_special(gelu_of(kSpecial, Gelu::tanh));
}

TEST_P(FinishBlock, ErfGeluIsAccurate) {
  const std::vector<float> x = sweep();
  const std::vector<float> out = gelu_of(x, Gelu::erf);
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(out[i], gelu_erf(x[i]), 1e-7 * std::max(1.0, std::abs(double{x[i]}))) << x[i];
  expect_special(gelu_of(kSpecial, Gelu::erf));
}

TEST_P(FinishBlock, SiluIsAccurate) {
  const std::vector<float> x = sweep();
  const std::vector<float> out = silu_of(x);
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(out[i], silu(x[i]), 2e-7 * std::max(1.0, std::abs(double{x[i]}))) << x[i];
  expect_special(silu_of(kSpecial));
}

TEST_P(FinishBlock, StoresRowsInsideTheOutputOnly) {
  const std::vector<float> block = random_row(1024, 1);
  const std::vector<float> bias = random_row(64, 2);
  for (std::size_t width = 33; width <= 64; ++width) {
    for (std::size_t rows = 1; rows <= 32; rows += width % 3 + 1) {
      std::vector<float> memory(66 * 70, kUntouched);
      const Rows out{memory.data(), 32 + rows, width, 70};
      finish(StoreRows{out, bias.data(), false}, block, {32, rows, 32});
      for (std::size_t i = 0; i < 66; ++i) {
        for (std::size_t j = 0; j < 70; ++j) {
          const bool inside = i >= 32 && i < 32 + rows && j >= 32 && j < width;
          const float wanted = inside ? block[(i - 32) * 32 + j - 32] + bias[j] : kUntouched;
          ASSERT_EQ(memory[i * 70 + j], wanted) << i << " " << j << " width " << width;
        }
      }
    }
  }
}

TEST_P(FinishBlock, AddsToRows) {
  const std::vector<float> block = random_row(1024, 3);
  const std::vector<float> bias = random_row(20, 4);
  const std::vector<float> before = random_row(32 * 20, 5);
  for (const bool biased : {false, true}) {
    std::vector<float> out = before;
    finish(StoreRows{{out.data(), 32, 20, 20}, biased ? bias.data() : nullptr, true}, block,
           {0, 32, 0});
    for (std::size_t i = 0; i < 32 * 20; ++i) {
      const float sum = block[i / 20 * 32 + i % 20];
      EXPECT_EQ(out[i], before[i] + (sum + (biased ? bias[i % 20] : 0.0F)));
    }
  }
}

// What lies in the block beyond the output is NaN here and must not show.
TEST_P(FinishBlock, GeluPadsWithZeros) {
  const std::vector<float> bias = random_row(64, 6);
  for (const Operand operand : {Operand::f32, Operand::bf16}) {
    for (std::size_t width = 33; width <= 64; ++width) {
      for (const std::size_t rows : {1U, 15U, 16U, 17U, 31U, 32U}) {
        std::vector<float> block(1024, kNan);
        for (std::size_t i = 0; i < rows; ++i)
          for (std::size_t j = 0; j < width - 32; ++j) block[i * 32 + j] = 0.5F;
        PackedRows packed(operand, 32 + rows, width);
        finish(StoreGelu{packed.view(), bias.data(), Gelu::erf}, block, {32, rows, 32});
        for (std::size_t i = 0; i < round_up(32 + rows, 16); ++i) {
          for (std::size_t j = 0; j < 64; ++j) {
            const bool block_place = i >= 32 && j >= 32;
            const bool inside = block_place && i < 32 + rows && j < width;
            const double wanted = inside ? gelu_erf(0.5 + bias[j]) : 0;
            if (block_place)
              ASSERT_NEAR(packed.at(i, j), wanted, operand == Operand::f32 ? 1e-6 : 0.02);
            else
              ASSERT_EQ(packed.at(i, j), packed.pattern());
          }
        }
      }
    }
  }
}

// Three pairs of panels, so 48 columns at most; the last one also fills columns 48 to 63.
TEST_P(FinishBlock, GatedPadsWithZeros) {
  for (const Operand operand : {Operand::f32, Operand::bf16}) {
    for (std::size_t width = 33; width <= 48; ++width) {
      for (const std::size_t rows : {1U, 16U, 17U, 32U}) {
        std::vector<float> block(1024, kNan);
        for (std::size_t i = 0; i < rows; ++i)
          for (std::size_t j = 0; j < width - 32; ++j) {
            block[i * 32 + j] = 2.0F;
            block[i * 32 + 16 + j] = 3.0F;
          }
        PackedRows packed(operand, rows, width);
        finish(StoreGated{packed.view()}, block, {0, rows, 64});
        for (std::size_t i = 0; i < round_up(rows, 16); ++i)
          for (std::size_t j = 0; j < 64; ++j) {
            const bool inside = i < rows && j >= 32 && j < width;
            if (j < 32)
              ASSERT_EQ(packed.at(i, j), packed.pattern());
            else
              ASSERT_NEAR(packed.at(i, j), inside ? 3 * silu(2) : 0,
                          operand == Operand::f32 ? 3e-6 : 0.02);
          }
      }
    }
  }
}

TEST_P(FinishBlock, GatedLeavesTheOtherHalfOfALineToItsNeighbour) {
  const std::vector<float> block(1024, 2.0F);
  for (const std::size_t pair : {0U, 1U}) {
    PackedRows packed(Operand::bf16, 16, 32);
    finish(StoreGated{packed.view()}, block, {0, 16, 32 * pair});
    const float wanted = to_float(to_bf16(static_cast<float>(2 * silu(2))));
    for (std::size_t j = 0; j < 32; ++j)
      EXPECT_EQ(packed.at(3, j), j / 16 == pair ? wanted : packed.pattern());
  }
}

TEST_P(FinishBlock, RoundsPackedResultsOnceToBf16) {
  const std::vector<float> block = random_row(1024, 7, 6.0);
  PackedRows exact(Operand::f32, 32, 32);
  PackedRows rounded(Operand::bf16, 32, 32);
  for (const Gelu gelu : {Gelu::tanh, Gelu::erf}) {
    finish(StoreGelu{exact.view(), nullptr, gelu}, block, {0, 32, 0});
    finish(StoreGelu{rounded.view(), nullptr, gelu}, block, {0, 32, 0});
    for (std::size_t i = 0; i < 32; ++i)
      for (std::size_t j = 0; j < 32; ++j)
        EXPECT_EQ(rounded.at(i, j), to_float(to_bf16(exact.at(i, j))));
  }
}

TEST_P(FinishBlock, ARowDependsOnItselfAlone) {
  const std::vector<float> block = random_row(1024, 8, 6.0);
  std::vector<float> spoilt = block;
  std::fill(spoilt.begin(), spoilt.begin() + 5 * 32, kNan);
  std::fill(spoilt.begin() + 6 * 32, spoilt.end(), kInfinity);
  PackedRows clean(Operand::bf16, 32, 32);
  PackedRows among(Operand::bf16, 32, 32);
  finish(StoreGelu{clean.view(), nullptr, Gelu::tanh}, block, {0, 32, 0});
  finish(StoreGelu{among.view(), nullptr, Gelu::tanh}, spoilt, {0, 6, 0});
  for (std::size_t j = 0; j < 32; ++j) EXPECT_EQ(among.at(5, j), clean.at(5, j));
}

}  // namespace
}  // namespace vl2
