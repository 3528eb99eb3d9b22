// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>

#include "base/scalar.h"
#include "kernels/rowwise/rowwise_test.h"

namespace vl2 {
namespace {

class Pack : public RowwiseTest {};
INSTANTIATE_TEST_SUITE_P(Isas, Pack, every_isa(), isa_name);

// Every upper half of a float with lower halves around the places where rounding turns.
std::vector<float> numbers_to_round() {
  std::vector<float> numbers;
  for (std::uint32_t high = 0; high < 0x10000; ++high)
    for (const std::uint32_t low : {0U, 1U, 0x7fffU, 0x8000U, 0x8001U, 0xffffU})
      numbers.push_back(std::bit_cast<float>(high << 16 | low));
  return numbers;
}

TEST_P(Pack, RoundsToBf16AsTheScalarDefinition) {
  const std::vector<float> numbers = numbers_to_round();
  std::vector<std::byte> tiles(tiles_of(numbers.size(), kTileDepth) * kTileNumbers * sizeof(Bf16));
  kernels().pack_row(numbers.data(), numbers.size(), Operand::bf16, tiles.data());
  std::size_t wrong = 0;
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    Bf16 packed;
    const std::size_t place = left_index(0, k, tiles_of(numbers.size(), kTileDepth));
    std::memcpy(&packed, tiles.data() + place * sizeof(Bf16), sizeof(Bf16));
    if (packed != to_bf16(numbers[k])) ++wrong;
  }
  EXPECT_EQ(wrong, 0U);
}

TEST_P(Pack, PacksAndUnpacksEveryWidth) {
  for (const Operand operand : {Operand::f32, Operand::bf16}) {
    for (const std::size_t width : row_widths()) {
      const std::vector<float> x = random_row(width, width);
      std::vector<std::byte> tiles(tiles_of(width, kTileDepth) * kTileNumbers * sizeof(float));
      kernels().pack_row(x.data(), width, operand, tiles.data());
      std::vector<float> out(width + 1, -7.0F);
      kernels().unpack_row(tiles.data(), width, operand, out.data());
      EXPECT_EQ(out[width], -7.0F);
      for (std::size_t i = 0; i < width; ++i)
        EXPECT_EQ(out[i], operand == Operand::f32 ? x[i] : to_float(to_bf16(x[i])));
    }
  }
}

TEST_P(Pack, ZeroesTheRestOfTheLastLineAndNothingElse) {
  for (const Operand operand : {Operand::f32, Operand::bf16}) {
    const std::size_t bytes = bytes_of(operand);
    const std::vector<float> ones(64, 1.0F);
    for (std::size_t width = 1; width <= 64; ++width) {
      std::vector<std::byte> tiles(2 * kTileNumbers * bytes, std::byte{0xff});
      kernels().pack_row(ones.data(), width, operand, tiles.data());
      for (std::size_t k = width; k < 64; ++k) {
        const std::byte* number = tiles.data() + left_index(0, k, 2) * bytes;
        const bool written = k < round_up(width, kTileDepth);
        const std::byte rest = written ? std::byte{0} : std::byte{0xff};
        EXPECT_EQ(number[0], rest) << width << " " << k;
      }
      EXPECT_EQ(tiles[kTileDepth * bytes], std::byte{0xff}) << "row 1 was written";
    }
  }
}

TEST_P(Pack, WidensEveryBf16) {
  std::vector<Bf16> numbers(0x10000 + 5);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i].bits = static_cast<std::uint16_t>(i);
  std::vector<float> out(numbers.size());
  kernels().widen(numbers.data(), numbers.size(), out.data());
  std::vector<float> wanted;
  for (const Bf16 number : numbers) wanted.push_back(to_float(number));
  EXPECT_EQ(bits_of(out), bits_of(wanted));
}

}  // namespace
}  // namespace vl2
