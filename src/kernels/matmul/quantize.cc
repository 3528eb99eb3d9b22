// SPDX-License-Identifier: MIT
// A lane is a column. Products and sums are written apart, never fused, and nothing is summed
// across lanes: vectors of every width give the same bits.
#include "kernels/matmul/quantize.h"

#include <cstring>
#include <limits>

// Among these the results are the same, so only speed speaks for leaving any out.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul/quantize.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "base/cpu.h"
#include "tensor/format/int4.h"
#include "tensor/format/int8.h"
#include "tensor/tiles.h"

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using FloatTag = hn::CappedTag<float, kTileColumns>;
using IntTag = hn::Rebind<std::int32_t, FloatTag>;
using Floats = hn::Vec<FloatTag>;
using Ints = hn::Vec<IntTag>;
constexpr std::size_t kLanes = hn::MaxLanes(FloatTag());

HWY_INLINE Floats splat(float value) { return hn::Set(FloatTag(), value); }
HWY_INLINE Floats multiply_add(Floats x, Floats y, Floats z) { return hn::Add(hn::Mul(x, y), z); }

HWY_INLINE Floats largest_of(const float* columns, std::size_t depth) {
  Floats largest = hn::Zero(FloatTag());
  for (std::size_t k = 0; k < depth; ++k)
    largest = hn::Max(largest, hn::Abs(hn::LoadU(FloatTag(), columns + k * kTileColumns)));
  return largest;
}

// 1 / x, 0 where x is too small to have an inverse.
HWY_INLINE Floats inverse(Floats x) {
  return hn::IfThenElseZero(hn::Gt(x, splat(0x1p-126F)), hn::Div(splat(1.0F), x));
}

template <class T>
HWY_INLINE void store_small(Ints values, T* out) {
  HWY_ALIGN std::int32_t lanes[kLanes];
  hn::Store(values, IntTag(), lanes);
  for (std::size_t i = 0; i < kLanes; ++i) out[i] = static_cast<T>(lanes[i]);
}

// Nearest code of x / scale, as a float.
HWY_INLINE Floats int8_code(Floats x, Floats inverse_scale) {
  const Floats most = splat(static_cast<float>(int8::kLargest));
  return hn::Round(hn::Max(hn::Min(hn::Mul(x, inverse_scale), most), hn::Neg(most)));
}

HWY_INLINE Floats int8_error(const float* columns, std::size_t depth, const float* importance,
                             Floats scale) {
  const Floats by = inverse(scale);
  Floats error = hn::Zero(FloatTag());
  for (std::size_t k = 0; k < depth; ++k) {
    const Floats x = hn::LoadU(FloatTag(), columns + k * kTileColumns);
    const Floats difference = hn::Sub(x, hn::Mul(int8_code(x, by), scale));
    error = multiply_add(hn::Mul(difference, difference), splat(importance[k]), error);
  }
  return error;
}

// What a scale must be multiplied by so that the codes it gave fit best.
HWY_INLINE Floats int8_store(const float* columns, std::size_t depth, const float* importance,
                             Floats scale, std::int8_t* codes) {
  const Floats by = inverse(scale);
  Floats product = hn::Zero(FloatTag());
  Floats square = hn::Zero(FloatTag());
  for (std::size_t k = 0; k < depth; ++k) {
    const Floats x = hn::LoadU(FloatTag(), columns + k * kTileColumns);
    const Floats code = int8_code(x, by);
    const Floats weighted = hn::Mul(code, splat(importance[k]));
    product = multiply_add(hn::Mul(x, by), weighted, product);
    square = multiply_add(code, weighted, square);
    store_small(hn::ConvertTo(IntTag(), code), codes + k * kTileColumns);
  }
  return hn::IfThenElse(hn::Gt(square, hn::Zero(FloatTag())), hn::Div(product, square),
                        splat(1.0F));
}

void int8_panel(const float* panel, std::size_t depth, const float* importance, std::int8_t* codes,
                float* multipliers) {
  // Clipping the largest number pays when it is alone: by (12 * 127^2 / depth)^-1 of its size, some
  // percent for the deepest matrices.
  constexpr float kShares[] = {1.0F, 0.9975F, 0.995F, 0.99F, 0.98F, 0.97F, 0.955F, 0.94F};
  for (std::size_t first = 0; first < kTileColumns; first += kLanes) {
    const float* columns = panel + first;
    const Floats full = hn::Mul(largest_of(columns, depth), splat(1.0F / int8::kLargest));
    Floats best = full;
    Floats least = int8_error(columns, depth, importance, full);
    for (const float share : kShares) {
      if (share == 1.0F) continue;
      const Floats scale = hn::Mul(full, splat(share));
      const Floats error = int8_error(columns, depth, importance, scale);
      best = hn::IfThenElse(hn::Lt(error, least), scale, best);
      least = hn::Min(least, error);
    }
    const Floats fit = int8_store(columns, depth, importance, best, codes + first);
    hn::StoreU(hn::Mul(best, fit), FloatTag(), multipliers + first);
  }
}

// Halfway between two levels.
HWY_INLINE Floats border(std::size_t i) {
  return splat(0.5F * static_cast<float>(int4::kLevels[i] + int4::kLevels[i + 1]));
}
HWY_INLINE Floats nearest_level(Floats x) {
  Floats level = splat(static_cast<float>(int4::kLevels[0]));
  for (std::size_t i = 0; i + 1 < int4::kLevelCount; ++i)
    level = hn::IfThenElse(hn::Gt(x, border(i)), splat(static_cast<float>(int4::kLevels[i + 1])),
                           level);
  return level;
}
HWY_INLINE Ints nearest_code(Floats x) {
  Ints code = hn::Zero(IntTag());
  for (std::size_t i = 0; i + 1 < int4::kLevelCount; ++i)  // a true mask is -1
    code = hn::Sub(code, hn::VecFromMask(IntTag(), hn::RebindMask(IntTag(), hn::Gt(x, border(i)))));
  return code;
}

// Positive scales of the format are floats with three bits of fraction: consecutive numbers, when
// the bits of the float are shifted right by 20.
constexpr int kScaleShift = 20;
constexpr std::int32_t kLeastScale = (127 - int4::kExponentBias) << 3;
constexpr std::int32_t kLargestScale = 127 << 3 | 7;

HWY_INLINE Floats scale_from(Ints number) {
  const Ints least = hn::Set(IntTag(), kLeastScale);
  const Ints largest = hn::Set(IntTag(), kLargestScale);
  const Ints inside = hn::Max(hn::Min(number, largest), least);
  return hn::BitCast(FloatTag(), hn::ShiftLeft<kScaleShift>(inside));
}

HWY_INLINE Floats int4_error(const float* group, const float* importance, Floats unit_by,
                             Floats scale) {
  const Floats by = hn::Div(unit_by, scale);
  Floats error = hn::Zero(FloatTag());
  for (std::size_t k = 0; k < int4::kGroup; ++k) {
    const Floats x = hn::Mul(hn::LoadU(FloatTag(), group + k * kTileColumns), by);
    const Floats difference = hn::Sub(x, nearest_level(x));
    error = multiply_add(hn::Mul(difference, difference), splat(importance[k]), error);
  }
  return hn::Mul(error, hn::Mul(scale, scale));
}

void int4_group(const float* group, const float* importance, const float* unit, std::uint8_t* codes,
                std::uint8_t* scales) {
  // The largest number becomes the longer arm's last level, or is clipped to it; in steps of an
  // eighth of an octave.
  constexpr float kStart = 1.0F / 90.0F;
  constexpr std::int32_t kSteps = 6;
  for (std::size_t first = 0; first < kTileColumns; first += kLanes) {
    const float* columns = group + first;
    const Floats unit_by = inverse(hn::LoadU(FloatTag(), unit + first));
    const Floats largest = hn::Mul(largest_of(columns, int4::kGroup), unit_by);
    const Ints start =
        hn::ShiftRight<kScaleShift>(hn::BitCast(IntTag(), hn::Mul(largest, splat(kStart))));
    Floats best = scale_from(start);
    Floats least = splat(std::numeric_limits<float>::infinity());
    for (std::int32_t step = 0; step < kSteps; ++step) {
      const Floats positive = scale_from(hn::Add(start, hn::Set(IntTag(), step)));
      for (const Floats scale : {positive, hn::Neg(positive)}) {
        const Floats error = int4_error(columns, importance, unit_by, scale);
        best = hn::IfThenElse(hn::Lt(error, least), scale, best);
        least = hn::Min(least, error);
      }
    }
    const Floats by = hn::Div(unit_by, best);
    for (std::size_t k = 0; k < int4::kGroup; ++k)
      store_small(nearest_code(hn::Mul(hn::LoadU(FloatTag(), columns + k * kTileColumns), by)),
                  codes + k * kTileColumns + first);
    HWY_ALIGN float chosen[kLanes];
    hn::Store(best, FloatTag(), chosen);
    for (std::size_t i = 0; i < kLanes; ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, &chosen[i], sizeof(bits));
      const std::uint32_t size = (bits >> kScaleShift & 0x7ffU) - std::uint32_t{kLeastScale};
      scales[first + i] = static_cast<std::uint8_t>((bits >> 31) << 7 | size);
    }
  }
}

}  // namespace

const QuantizeFunctions& quantize_table() {
  static constexpr QuantizeFunctions kTable = {int8_panel, int4_group};
  return kTable;
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vl2 {

const QuantizeFunctions& quantize_functions(Isa isa) {
  using Table = const QuantizeFunctions& (*)();
  static constexpr Table kTables[] = {HWY_CHOOSE_AVX3(quantize_table),
                                      HWY_CHOOSE_AVX2(quantize_table),
                                      &HWY_STATIC_DISPATCH(quantize_table)};
  std::size_t i = isa >= Isa::avx512_bf16 ? 0 : isa >= Isa::avx2 ? 1 : 2;
  while (kTables[i] == nullptr) ++i;
  return kTables[i]();
}

}  // namespace vl2
#endif
