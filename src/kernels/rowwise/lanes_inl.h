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

// A sum over a row of `count` numbers: number i goes to partial sum i % 16, and the 16 are added in
// a fixed order. term(i, lanes, sum) returns `sum` with the vector at i added to it.
template <class Term>
HWY_INLINE float row_sum(std::size_t count, Term term) {
  Floats sums[kSumVectors];
  for (Floats& sum : sums) sum = hn::Zero(FloatTag());
  std::size_t first = 0;
  for (; first + kPartialSums <= count; first += kPartialSums)
    for (std::size_t v = 0; v < kSumVectors; ++v)
      sums[v] = term(first + v * kLanes, Whole(), sums[v]);
  for (std::size_t v = 0; v < kSumVectors; ++v) {
    const std::size_t i = first + v * kLanes;
    if (i + kLanes <= count)
      sums[v] = term(i, Whole(), sums[v]);
    else if (i < count)
      sums[v] = term(i, Part{count - i}, sums[v]);
  }
  HWY_ALIGN float partial[kPartialSums];
  for (std::size_t v = 0; v < kSumVectors; ++v)
    hn::Store(sums[v], FloatTag(), partial + v * kLanes);
  for (std::size_t half = kPartialSums / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) partial[i] += partial[i + half];
  return partial[0];
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
