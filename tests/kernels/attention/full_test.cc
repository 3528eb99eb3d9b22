// SPDX-License-Identifier: MIT
// Attention inside picture tiles.
#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "kernels/attention/cached_attention.h"
#include "kernels/attention/kernel_sets.h"
#include "kernels/attention/rows_to_tiles.h"

namespace vl2 {
namespace {

struct Sizes {
  std::size_t rows_each, heads, head_dim;
};

// Picture tiles of made-up patches.
class Tiles {
 public:
  Tiles(Sizes sizes, std::size_t count)
      : sizes_(sizes),
        width_(3 * sizes.heads * sizes.head_dim),
        rows_(count * sizes.rows_each),
        numbers_(rows_ * width_) {
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      const bool query = i % width_ < width_ / 3;
      numbers_[i] = (query ? 4.0F : 1.0F) * uniform(8, i);
    }
  }
  float* part(std::size_t row, std::size_t which, std::size_t head) {
    return numbers_.data() + row * width_ + (which * sizes_.heads + head) * sizes_.head_dim;
  }
  // The rows of tiles first .. first + count - 1.
  std::vector<std::vector<float>> attend(const KernelSet& kernels, int threads, std::size_t first,
                                         std::size_t count) {
    const Rows qkv{numbers_.data() + first * sizes_.rows_each * width_, count * sizes_.rows_each,
                   width_, width_};
    Arena arena;
    const Packed out =
        attend_full(kernels, ThreadTeam(threads), arena, shape(), qkv, sizes_.rows_each);
    std::vector<std::vector<float>> rows;
    for (std::size_t i = 0; i < out.count; ++i) rows.push_back(packed_row(out, 0, i));
    return rows;
  }
  Expected expected(Operand operand, std::size_t row) {
    const std::size_t begin = row / sizes_.rows_each * sizes_.rows_each;
    Expected result;
    for (std::size_t head = 0; head < sizes_.heads; ++head) {
      ExactSoftmax softmax;
      softmax.terms = sizes_.head_dim;
      std::vector<std::vector<float>> values;
      for (std::size_t key = begin; key < begin + sizes_.rows_each; ++key) {
        add_score(operand, part(row, 0, head), part(key, 1, head), softmax);
        std::vector<float>& value =
            values.emplace_back(part(key, 2, head), part(key, 2, head) + sizes_.head_dim);
        for (float& number : value) number = rounded(operand, number);
      }
      add_expected(operand, softmax, sizes_.head_dim, values, result);
    }
    return result;
  }

 private:
  HeadShape shape() const {
    return {sizes_.heads, sizes_.heads, sizes_.head_dim,
            1.0F / std::sqrt(static_cast<float>(sizes_.head_dim))};
  }
  void add_score(Operand operand, const float* query, const float* key,
                 ExactSoftmax& softmax) const {
    double score = 0;
    double magnitude = 0;
    for (std::size_t i = 0; i < sizes_.head_dim; ++i) {
      const double term = static_cast<double>(rounded(operand, query[i] * shape().scale * kLog2E)) *
                          static_cast<double>(rounded(operand, key[i]));
      score += term;
      magnitude += std::abs(term);
    }
    softmax.scores.push_back(score * std::log(2.0));
    softmax.magnitudes.push_back(magnitude);
  }

  Sizes sizes_;
  std::size_t width_;
  std::size_t rows_;
  std::vector<float> numbers_;
};

class FullAttentionTest : public testing::TestWithParam<KernelSet> {
 protected:
  const KernelSet& kernels() const { return GetParam(); }

  void expect_close(Sizes sizes) {
    Tiles tiles(sizes, 2);
    const auto rows = tiles.attend(kernels(), 2, 0, 2);
    for (const std::size_t row :
         {std::size_t{0}, sizes.rows_each - 1, sizes.rows_each, 2 * sizes.rows_each - 1}) {
      const Expected expected = tiles.expected(kernels().operand, row);
      for (std::size_t c = 0; c < expected.out.size(); ++c)
        ASSERT_NEAR(static_cast<double>(rows[row][c]), expected.out[c], expected.tolerance[c])
            << sizes.rows_each << " rows a tile, row " << row << " column " << c;
    }
  }
};

TEST_P(FullAttentionTest, IsWithinBounds) {
  expect_close({5, 2, 12});
  expect_close({33, 1, 72});
  expect_close({100, 3, 16});
  if (is_slow(kernels())) return;
  expect_close({576, 2, 24});
  expect_close({729, 3, 72});
  expect_close({64, 2, 128});
  expect_close({1100, 1, 18});  // more than a segment
}

TEST_P(FullAttentionTest, TileDoesNotDependOnOthersOrThreads) {
  const Sizes sizes = is_slow(kernels()) ? Sizes{40, 2, 18} : Sizes{150, 3, 72};
  Tiles tiles(sizes, 3);
  std::vector<std::vector<float>> alone;
  for (std::size_t tile = 0; tile < 3; ++tile)
    for (auto& row : tiles.attend(kernels(), 1, tile, 1)) alone.push_back(row);
  for (int threads = 1; threads <= 5; ++threads) {
    const auto together = tiles.attend(kernels(), threads, 0, 3);
    for (std::size_t i = 0; i < alone.size(); ++i)
      ASSERT_TRUE(same_bits(alone[i], together[i])) << threads << " threads, row " << i;
  }
}

TEST_P(FullAttentionTest, BadNumbersStayInTheirHeadAndTile) {
  constexpr std::size_t kRowsEach = 40;
  Tiles tiles({kRowsEach, 3, 18}, 2);
  const auto clean = tiles.attend(kernels(), 2, 0, 2);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::fill_n(tiles.part(7, 0, 1), 18, nan);              // a query
  std::fill_n(tiles.part(kRowsEach + 3, 1, 2), 18, nan);  // a key of the other tile
  std::fill_n(tiles.part(kRowsEach + 4, 2, 2), 18, nan);  // and a value
  const auto mixed = tiles.attend(kernels(), 2, 0, 2);
  for (std::size_t row = 0; row < clean.size(); ++row)
    for (std::size_t head = 0; head < 3; ++head) {
      if (head == 1 && row == 7) continue;
      if (head == 2 && row >= kRowsEach) continue;
      const std::vector<float> a(clean[row].begin() + static_cast<std::ptrdiff_t>(head * 18),
                                 clean[row].begin() + static_cast<std::ptrdiff_t>(head * 18 + 18));
      const std::vector<float> b(mixed[row].begin() + static_cast<std::ptrdiff_t>(head * 18),
                                 mixed[row].begin() + static_cast<std::ptrdiff_t>(head * 18 + 18));
      EXPECT_TRUE(same_bits(a, b)) << "row " << row << " head " << head;
    }
  EXPECT_TRUE(std::isnan(mixed[7][18]));
}

TEST_P(FullAttentionTest, ExactKernelsEqualThePortableOnes) {
  if (!kernels().matmul->exact_order) GTEST_SKIP() << "products in an order of its own";
  Tiles tiles({70, 2, 40}, 1);
  const auto ours = tiles.attend(kernels(), 1, 0, 1);
  const auto theirs = tiles.attend(KernelSet::of(Isa::portable, kernels().operand), 1, 0, 1);
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_TRUE(same_bits(ours[i], theirs[i])) << "row " << i;
}

INSTANTIATE_TEST_SUITE_P(KernelSets, FullAttentionTest, testing::ValuesIn(runnable_kernel_sets()),
                         kernel_set_name);

}  // namespace
}  // namespace vl2
