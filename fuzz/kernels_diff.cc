// SPDX-License-Identifier: MIT
// Any shape and any bits as numbers: every kernel this processor can run against the portable one.
// Kernels of the portable order must give its bits; others must stay within the error that the
// sizes of the terms allow. Not-a-numbers must come out as such.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "base/cpu.h"
#include "base/random.h"
#include "kernels/matmul/matmul_kernel.h"

namespace {

using namespace vl2;

constexpr std::size_t kMaxTiles = 8;

struct Shape {
  std::size_t rows;
  std::size_t panels;
  std::size_t tiles;
  bool accumulate;
};

// The first bytes choose the shape, the rest are the numbers, repeated with a twist.
void fill(std::span<const std::uint8_t> data, std::uint64_t seed, std::span<std::byte> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t twist = i < data.size() ? 0 : random_bits(seed, i / 2) >> 56 & 0x3fU;
    const std::uint8_t byte = data.empty() ? std::uint8_t{0x3f} : data[i % data.size()];
    out[i] = static_cast<std::byte>(byte ^ twist);
  }
}

std::vector<float> multiply(const MatmulKernel& kernel, const Shape& shape,
                            const AlignedBuffer& left, const AlignedBuffer& right) {
  AlignedBuffer out(kBlockRows * kPairColumns * sizeof(float));
  const std::span<float> sums = out.as<float>();
  std::fill(sums.begin(), sums.end(), 0.5F);
  const FlushDenormals flush;
  kernel.configure(std::min(shape.rows, kTileRows));
  kernel.run({.left = left.data(),
              .left_row_tile_bytes = shape.tiles * kTileNumbers * bytes_of(kernel.operand),
              .right = right.data(),
              .depth_tiles = shape.tiles,
              .rows = shape.rows,
              .panels = shape.panels,
              .out = sums.data(),
              .accumulate = shape.accumulate});
  kernel.release();
  return {sums.begin(), sums.end()};
}

template <class T>
double size_of_terms(const Shape& shape, const AlignedBuffer& left, const AlignedBuffer& right,
                     Operand operand, std::size_t m, std::size_t n) {
  const auto number = [](T x) {
    if constexpr (std::is_same_v<T, float>)
      return static_cast<double>(x);
    else
      return static_cast<double>(to_float(x));
  };
  double sum = 0.5;
  for (std::size_t k = 0; k < shape.tiles * kTileDepth; ++k)
    sum += std::abs(number(left.as<T>()[left_index(m, k, shape.tiles)]) *
                    number(right.as<T>()[right_index(operand, n, k, shape.tiles)]));
  return sum;
}

void compare(const MatmulKernel& kernel, const Shape& shape, const AlignedBuffer& left,
             const AlignedBuffer& right) {
  const std::vector<float> expected =
      multiply(matmul_kernel(Isa::portable, kernel.operand), shape, left, right);
  const std::vector<float> actual = multiply(kernel, shape, left, right);
  for (std::size_t m = 0; m < shape.rows; ++m)
    for (std::size_t n = 0; n < shape.panels * kTileColumns; ++n) {
      const float x = actual[m * kPairColumns + n];
      const float y = expected[m * kPairColumns + n];
      if (std::isnan(x) && std::isnan(y)) continue;
      if (kernel.exact_order) {
        if (std::bit_cast<std::uint32_t>(x) != std::bit_cast<std::uint32_t>(y)) std::abort();
        continue;
      }
      const double terms = kernel.operand == Operand::f32
                               ? size_of_terms<float>(shape, left, right, kernel.operand, m, n)
                               : size_of_terms<Bf16>(shape, left, right, kernel.operand, m, n);
      // Sums that come near the largest float may overflow in one order and not in the other.
      if (!(terms < 1e38)) continue;
      const auto depth = static_cast<double>(shape.tiles * kTileDepth);
      // Products below the smallest normal number may be lost, each of them.
      const double bound = 2.0 * (depth + 2.0) * 0x1p-24 * terms + depth * 0x1p-125;
      if (!(std::abs(static_cast<double>(x) - static_cast<double>(y)) <= bound)) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const Shape shape{data[0] % kBlockRows + 1, data[1] % 2U + 1U, data[2] % kMaxTiles + 1,
                    data[3] % 2 == 1};
  const std::span<const std::uint8_t> numbers(data + 4, size - 4);
  const auto isas = cpu_isas();
  for (const MatmulKernel& kernel : matmul_kernels()) {
    if (kernel.isa == Isa::portable) continue;
    if (std::find(isas.begin(), isas.end(), kernel.isa) == isas.end()) continue;
    const std::size_t bytes = 2 * shape.tiles * kTileNumbers * bytes_of(kernel.operand);
    AlignedBuffer left(bytes);
    AlignedBuffer right(bytes);
    fill(numbers, 1, {left.data(), bytes});
    fill(numbers.subspan(numbers.size() / 2), 2, {right.data(), bytes});
    compare(kernel, shape, left, right);
  }
  return 0;
}
