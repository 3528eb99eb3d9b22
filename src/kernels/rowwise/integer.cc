// SPDX-License-Identifier: MIT
#include <cstring>

#include "kernels/rowwise/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rowwise/integer.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rowwise/functions_inl.h"
#include "kernels/rowwise/lanes_inl.h"
#include "kernels/rowwise/operand_inl.h"

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {
namespace {

using IntTag = hn::Rebind<std::int32_t, FloatTag>;
using ByteTag = hn::Rebind<std::int8_t, FloatTag>;

constexpr float kLargestCode = 127.0F;
// Below it a row counts as zero: the reciprocal of its scale could be infinite.
constexpr float kLeastMaximum = 0x1p-100F;
constexpr std::uint32_t kInfinityBits = 0x7f800000U;

// f(i, vector) for all numbers of a row of packed tiles, whole tiles of 32 (padding is zero).
template <class F>
HWY_INLINE void for_each_packed(const std::byte* line, std::size_t width, F f) {
  constexpr std::size_t kTileBytes = kTileNumbers * sizeof(Bf16);
  for (std::size_t k = 0; k < width; k += kTileDepth, line += kTileBytes)
    for (std::size_t i = 0; i < kTileDepth; i += kLanes)
      f(k + i, load_operand<Operand::bf16>(line, i));
}

HWY_INLINE std::uint32_t largest_bits(const std::byte* line, std::size_t width) {
  const BitsTag bits;
  auto largest = hn::Zero(bits);
  for_each_packed(line, width, [&](std::size_t /*i*/, Floats x) HWY_ATTR {
    largest = hn::Max(largest, hn::BitCast(bits, hn::Abs(x)));
  });
  return hn::GetLane(hn::MaxOfLanes(bits, largest));
}

}  // namespace

IntegerRow quantize_row(const std::byte* line, std::size_t width, std::int8_t* out) {
  constexpr std::size_t kTileCodes = kTileRows * kIntegerDepth;
  const std::uint32_t bits = largest_bits(line, width);
  float largest;
  std::memcpy(&largest, &bits, sizeof(largest));
  // Not-a-number reaches the results through the scale.
  const bool finite = bits < kInfinityBits;
  const bool counts = finite && largest >= kLeastMaximum;
  const Floats factor = splat(counts ? kLargestCode / largest : 0.0F);
  // Adding 1.5 * 2^23 rounds to the nearest integer, ties to even, on every target alike.
  const Floats round = splat(0x1.8p23F);
  const IntTag integers;
  auto sums = hn::Zero(integers);
  for_each_packed(line, width, [&](std::size_t k, Floats x) HWY_ATTR {
    const Floats scaled = finite ? hn::Mul(x, factor) : hn::Zero(FloatTag());
    const auto codes =
        hn::Sub(hn::BitCast(integers, hn::Add(scaled, round)), hn::BitCast(integers, round));
    sums = hn::Add(sums, codes);
    hn::StoreU(hn::DemoteTo(ByteTag(), codes), ByteTag(),
               out + k / kIntegerDepth * kTileCodes + k % kIntegerDepth);
  });
  // Half a tile of 64 that no tile of 32 fills.
  const std::size_t end = (width + kTileDepth - 1) / kTileDepth * kTileDepth;
  if (end % kIntegerDepth != 0)
    std::memset(out + end / kIntegerDepth * kTileCodes + kTileDepth, 0, kTileDepth);
  return {finite ? (counts ? largest / kLargestCode : 0.0F) : largest - largest,
          hn::GetLane(hn::SumOfLanes(integers, sums))};
}

void scale_integers(const std::int32_t* sums, const IntegerScales& scales, float* block) {
  const IntTag integers;
  for (std::size_t m = 0; m < scales.count; ++m) {
    const auto excess = hn::Set(integers, scales.code_offset * scales.row_sums[m]);
    const Floats row_scale = splat(scales.row_scales[m]);
    for (std::size_t n = 0; n < kPairColumns; n += kLanes) {
      const auto sum = hn::Sub(hn::LoadU(integers, sums + m * kPairColumns + n), excess);
      const Floats value = hn::Mul(hn::ConvertTo(FloatTag(), sum), row_scale);
      store(hn::Mul(value, load(scales.multipliers + n, Whole())), block + m * kPairColumns + n,
            Whole());
    }
  }
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
