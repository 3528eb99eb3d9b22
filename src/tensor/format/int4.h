// SPDX-License-Identifier: MIT
// int4 weights: 4 bits each, a scale byte for 16 of them (4.5 bits a weight) and a float a column.
// weight = level[code] * scale of the group * multiplier of the column; level * scale is an exact
// bf16 number, the multiplier is applied once, to the finished sum.
// Relative RMS error 6.7% on Gaussian weights (tests/kernels/matmul).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace vl2::int4 {

// Numbers of a column that share a scale.
inline constexpr std::size_t kGroup = 16;

// What a code stands for, ascending. Closer together near zero, as weights are: nearest level and
// mean in turns (Lloyd) for a mixture of Gaussian and heavier tailed groups with the scales below,
// moved to integers whose odd part is at most 17, so that level * (8 + 0..7) has at most 8
// significant bits. None is zero, so that a sign and an exponent can be added to the bits of any.
// Lopsided: with both signs of the scale the longer arm goes where the largest number is.
inline constexpr std::size_t kLevelCount = 16;
inline constexpr int kLevels[kLevelCount] = {-88, -68, -56, -44, -34, -24, -14, -6,
                                             2,   9,   17,  26,  34,  44,  56,  80};

// Scale byte: bit 7 sign, bits 6..3 exponent e, bits 2..0 fraction m; +-(1 + m/8) * 2^(e - 15). A
// small float: its bits are those of an fp32 number, shifted, less another bias.
inline constexpr std::uint32_t kExponentBias = 15;
constexpr float scale_of(std::uint8_t byte) noexcept {
  const std::uint32_t sign = (byte & 0x80U) << 24;
  const std::uint32_t size = (byte & 0x7fU) << 20;
  return std::bit_cast<float>(sign | (size + ((127U - kExponentBias) << 23)));
}

// Bits of level * scale as a bf16 number, exactly.
constexpr std::uint16_t bf16_bits(std::uint8_t code, std::uint8_t scale) noexcept {
  const float weight = static_cast<float>(kLevels[code]) * scale_of(scale);
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(weight) >> 16);
}

// A step of a pair: the codes of 32 k by two panels of 16 columns, the second behind the first,
// then a line of scale bytes: 9 lines of 64 bytes.
inline constexpr std::size_t kPanelBytes = 256;
inline constexpr std::size_t kScalesOffset = 2 * kPanelBytes;
inline constexpr std::size_t kStepBytes = kScalesOffset + 64;

// Where the code of number k (0..31) of column n (0..31) lies in a step: a byte and the bit it
// begins at (0 or 4). 64 bytes hold four rows of a bf16 tile (eight k). Each of their 16-bit words
// holds four codes, one a row, the first in the lowest bits, and words lie as numbers do in a row:
// [panel][k / 8][n][k % 2], nibble k / 2 % 4. So a row of indices is these words, shifted.
constexpr std::size_t byte_of(std::size_t k, std::size_t n) noexcept {
  return n / 16 * kPanelBytes + k / 8 * 64 + n % 16 * 4 + k % 2 * 2 + k / 4 % 2;
}
constexpr unsigned shift_of(std::size_t k) noexcept { return k / 2 % 2 == 0 ? 0U : 4U; }
// Where their scale lies: [panel][k / 16][n].
constexpr std::size_t scale_byte_of(std::size_t k, std::size_t n) noexcept {
  return kScalesOffset + n / 16 * 32 + k / kGroup * 16 + n % 16;
}

}  // namespace vl2::int4
