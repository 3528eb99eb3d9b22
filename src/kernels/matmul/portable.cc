// SPDX-License-Identifier: MIT
// The definition of what every kernel computes: loops to be believed at sight, not to be fast.
#include <cmath>

#include "base/scalar.h"
#include "kernels/matmul/kernel_functions.h"
#include "tensor/tiles.h"

namespace vl2::matmul_functions {
namespace {

// Number k of row m of the left operand, and number k of column n of the right one.
template <class T>
T left_at(const BlockProduct& product, std::size_t m, std::size_t k) {
  const std::byte* row_tile = product.left + m / kTileRows * product.left_row_tile_bytes;
  return reinterpret_cast<const T*>(row_tile)[left_index(m % kTileRows, k, product.depth_tiles)];
}
template <class T>
T right_at(const BlockProduct& product, Operand operand, std::size_t n, std::size_t k) {
  return reinterpret_cast<const T*>(product.right)[right_index(operand, n, k, product.depth_tiles)];
}

// sum(m, n, before) for every number of the block.
template <class F>
void for_each_sum(const BlockProduct& product, F sum) {
  for (std::size_t m = 0; m < product.rows; ++m)
    for (std::size_t n = 0; n < product.panels * kTileColumns; ++n) {
      float& out = product.out[m * kPairColumns + n];
      out = sum(m, n, product.accumulate ? out : 0.0F);
    }
}

}  // namespace

void portable_f32(const BlockProduct& product) {
  for_each_sum(product, [&](std::size_t m, std::size_t n, float sum) {
    for (std::size_t k = 0; k < product.depth_tiles * kTileDepth; ++k)
      sum = std::fmaf(left_at<float>(product, m, k), right_at<float>(product, Operand::f32, n, k),
                      sum);
    return sum;
  });
}

void portable_bf16(const BlockProduct& product) {
  for_each_sum(product, [&](std::size_t m, std::size_t n, float sum) {
    const auto chain = [&](std::size_t first, float total, std::size_t k) {
      return std::fmaf(to_float(left_at<Bf16>(product, m, first + k)),
                       to_float(right_at<Bf16>(product, Operand::bf16, n, first + k)), total);
    };
    for (std::size_t first = 0; first < product.depth_tiles * kTileDepth; first += kTileDepth) {
      float even = 0.0F;
      float odd = 0.0F;
      for (std::size_t k = 0; k < kTileDepth; k += 2) {
        even = chain(first, even, k);
        odd = chain(first, odd, k + 1);
      }
      sum += even + odd;
    }
    return sum;
  });
}

}  // namespace vl2::matmul_functions
