// SPDX-License-Identifier: MIT
#include <limits>

#include "kernels/rowwise/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rowwise/activation.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rowwise/exp_inl.h"
#include "kernels/rowwise/functions_inl.h"
#include "kernels/rowwise/lanes_inl.h"

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

void add(float* out, const float* x, std::size_t count) {
  for_each_vector(count, [&](std::size_t i, auto lanes) HWY_ATTR {
    store(hn::Add(load(out + i, lanes), load(x + i, lanes)), out + i, lanes);
  });
}

void add_scaled(float* out, const float* x, float factor, std::size_t count) {
  const Floats scale = splat(factor);
  for_each_vector(count, [&](std::size_t i, auto lanes) HWY_ATTR {
    store(hn::MulAdd(load(x + i, lanes), scale, load(out + i, lanes)), out + i, lanes);
  });
}

void softmax(float* x, std::size_t count) {
  if (count == 0) return;
  Floats highest = splat(x[0]);
  for_each_vector(count, [&](std::size_t i, auto lanes)
                             HWY_ATTR { highest = hn::Max(highest, load(x + i, lanes, x[0])); });
  highest = hn::MaxOfLanes(FloatTag(), highest);

  const float sum = row_sum(count, [&](std::size_t i, auto lanes, Floats partial) HWY_ATTR {
    // Lanes beyond the row add exactly zero.
    const Floats value = exp_nonpositive(hn::Sub(load(x + i, lanes, -kInfinity), highest));
    store(value, x + i, lanes);
    return hn::Add(partial, value);
  });
  const Floats total = splat(sum);
  for_each_vector(count, [&](std::size_t i, auto lanes)
                             HWY_ATTR { store(hn::Div(load(x + i, lanes), total), x + i, lanes); });
}

void sigmoid(float* x, std::size_t count) {
  const Floats one = splat(1.0F);
  for_each_vector(count, [&](std::size_t i, auto lanes) HWY_ATTR {
    const Floats value = load(x + i, lanes);
    const Floats e = exp_nonpositive(hn::Neg(hn::Abs(value)));
    const Floats above = hn::IfThenElse(hn::Lt(value, hn::Zero(FloatTag())), e, one);
    store(hn::Div(above, hn::Add(one, e)), x + i, lanes);
  });
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
