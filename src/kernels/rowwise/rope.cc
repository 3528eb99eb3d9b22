// SPDX-License-Identifier: MIT
#include "kernels/rowwise/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rowwise/rope.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rowwise/functions_inl.h"
#include "kernels/rowwise/lanes_inl.h"

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {
namespace {

struct Pair {
  Floats first;
  Floats second;
};

HWY_INLINE Pair rotate(Pair x, Floats cosine, Floats sine) {
  return {hn::NegMulAdd(x.second, sine, hn::Mul(x.first, cosine)),
          hn::MulAdd(x.first, sine, hn::Mul(x.second, cosine))};
}

HWY_INLINE Pair load_adjacent(const float* x, Whole /*lanes*/) {
  Pair out;
  hn::LoadInterleaved2(FloatTag(), x, out.first, out.second);
  return out;
}
HWY_INLINE Pair load_adjacent(const float* x, Part lanes) {
  float first[kLanes];
  float second[kLanes];
  for (std::size_t i = 0; i < lanes.count; ++i) {
    first[i] = x[2 * i];
    second[i] = x[2 * i + 1];
  }
  return {load(first, lanes), load(second, lanes)};
}
HWY_INLINE void store_adjacent(Pair value, float* x, Whole /*lanes*/) {
  hn::StoreInterleaved2(value.first, value.second, FloatTag(), x);
}
HWY_INLINE void store_adjacent(Pair value, float* x, Part lanes) {
  float first[kLanes];
  float second[kLanes];
  store(value.first, first, Whole());
  store(value.second, second, Whole());
  for (std::size_t i = 0; i < lanes.count; ++i) {
    x[2 * i] = first[i];
    x[2 * i + 1] = second[i];
  }
}

}  // namespace

void rope_half(float* x, std::size_t width, const float* cosines, const float* sines) {
  float* second = x + width / 2;
  for_each_vector(width / 2, [&](std::size_t i, auto lanes) HWY_ATTR {
    const Pair turned = rotate({load(x + i, lanes), load(second + i, lanes)},
                               load(cosines + i, lanes), load(sines + i, lanes));
    store(turned.first, x + i, lanes);
    store(turned.second, second + i, lanes);
  });
}

void rope_adjacent(float* x, std::size_t width, const float* cosines, const float* sines) {
  for_each_vector(width / 2, [&](std::size_t i, auto lanes) HWY_ATTR {
    const Pair turned =
        rotate(load_adjacent(x + 2 * i, lanes), load(cosines + i, lanes), load(sines + i, lanes));
    store_adjacent(turned, x + 2 * i, lanes);
  });
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
