// SPDX-License-Identifier: MIT
// int8 weights: 8 bits each and a float a column. weight = code * multiplier of the column, codes
// -127..127. A code is an exact bf16 number; the multiplier is applied once, to the finished sum.
// Relative RMS error 0.8% on Gaussian columns of 1280 numbers (tests/kernels/matmul).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace vl2::int8 {

inline constexpr int kLargest = 127;

// A step of a pair: 32 k by two panels of 16 columns, the second behind the first.
inline constexpr std::size_t kPanelBytes = 512;
inline constexpr std::size_t kStepBytes = 2 * kPanelBytes;

// Where the code of number k (0..31) of column n (0..31) lies in a step. 64 bytes hold two rows of
// a bf16 tile (four k) so that interleaving bytes inside 16-byte lanes puts them in order:
// [panel][k / 4][n / 4][k / 2 % 2][n % 4][k % 2].
constexpr std::size_t byte_of(std::size_t k, std::size_t n) noexcept {
  return n / 16 * kPanelBytes + k / 4 * 64 + n % 16 / 4 * 16 + k / 2 % 2 * 8 + n % 4 * 2 + k % 2;
}

// A code is stored as sign (bit 7) and magnitude (bits 6..0): a table of 128 turns it into bf16.
constexpr std::uint8_t encode(int code) noexcept {
  return static_cast<std::uint8_t>(code < 0 ? 0x80 - code : code);
}
constexpr int decode(std::uint8_t byte) noexcept {
  return (byte & 0x80U) != 0 ? -static_cast<int>(byte & 0x7fU) : static_cast<int>(byte);
}
// Bits of a code as a bf16 number, exactly. The byte 0x80, which encode() never gives, is -0.
constexpr std::uint16_t bf16_bits(std::uint8_t byte) noexcept {
  const auto magnitude = static_cast<float>(byte & 0x7fU);
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(magnitude) >> 16 | (byte & 0x80U)
                                                                                        << 8);
}

}  // namespace vl2::int8
