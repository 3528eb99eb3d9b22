// SPDX-License-Identifier: MIT
// Vectors of up to 16 floats, and loops over rows in them. A number's result does not depend on
// whether it stands in a whole vector or in the rest at the end of a row.
#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#if defined(VL2_ROWWISE_LANES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef VL2_ROWWISE_LANES_INL
#undef VL2_ROWWISE_LANES_INL
#else
#define VL2_ROWWISE_LANES_INL
#endif

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, 16>;
using BitsTag = hn::Rebind<std::uint32_t, FloatTag>;
using HalfBitsTag = hn::Rebind<std::uint16_t, FloatTag>;
using Floats = hn::Vec<FloatTag>;

inline constexpr std::size_t kLanes = hn::MaxLanes(FloatTag());
// Over how many partial sums a sum over a row runs, whatever the width of a vector.
inline constexpr std::size_t kPartialSums = 16;
inline constexpr std::size_t kSumVectors = kPartialSums / kLanes;
static_assert(kPartialSums % kLanes == 0);

// How much of a vector a loop has reached: all of it, or the first `count` lanes.
struct Whole {};
struct Part {
  std::size_t count;
};

HWY_INLINE Floats splat(float value) { return hn::Set(FloatTag(), value); }

HWY_INLINE Floats load(const float* x, Whole /*lanes*/, float /*rest*/ = 0.0F) {
  return hn::LoadU(FloatTag(), x);
}
// Lanes that are not there have the value `rest`.
HWY_INLINE Floats load(const float* x, Part lanes, float rest = 0.0F) {
  HWY_ALIGN float buffer[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) buffer[i] = i < lanes.count ? x[i] : rest;
  return hn::Load(FloatTag(), buffer);
}
HWY_INLINE void store(Floats value, float* out, Whole /*lanes*/) {
  hn::StoreU(value, FloatTag(), out);
}
HWY_INLINE void store(Floats value, float* out, Part lanes) {
  HWY_ALIGN float buffer[kLanes];
  hn::Store(value, FloatTag(), buffer);
  for (std::size_t i = 0; i < lanes.count; ++i) out[i] = buffer[i];
}

// body(i, lanes) for i = 0, kLanes, ... below count.
template <class Body>
HWY_INLINE void for_each_vector(std::size_t count, Body body) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) body(i, Whole());
  if (i < count) body(i, Part{count - i});
}

// Number i of a row is added to partial sum i % 16; the 16 are added in a fixed order.
class RowSum {
 public:
  HWY_INLINE RowSum() {
    for (Floats& sum : sums_) sum = hn::Zero(FloatTag());
  }
  // `i` is the place of the vector in the row.
  HWY_INLINE void add(std::size_t i, Floats x) {
    Floats& sum = sums_[i / kLanes % kSumVectors];
    sum = hn::Add(sum, x);
  }
  HWY_INLINE void add_square(std::size_t i, Floats x) {
    Floats& sum = sums_[i / kLanes % kSumVectors];
    sum = hn::MulAdd(x, x, sum);
  }
  HWY_INLINE float total() const {
    HWY_ALIGN float sums[kPartialSums];
    for (std::size_t i = 0; i < kSumVectors; ++i)
      hn::Store(sums_[i], FloatTag(), sums + i * kLanes);
    for (std::size_t half = kPartialSums / 2; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
    return sums[0];
  }

 private:
  Floats sums_[kSumVectors];
};

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
