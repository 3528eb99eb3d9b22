// SPDX-License-Identifier: MIT
#include <cmath>

#include "kernels/rowwise/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rowwise/norm.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rowwise/functions_inl.h"
#include "kernels/rowwise/lanes_inl.h"

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {
namespace {

float mean_of(const float* x, std::size_t width) {
  const float sum = row_sum(width, [&](std::size_t i, auto lanes, Floats partial)
                                       HWY_ATTR { return hn::Add(partial, load(x + i, lanes)); });
  return sum / static_cast<float>(width);
}

// The mean of (x - centre)^2.
float mean_square_about(float centre, const float* x, std::size_t width) {
  const Floats middle = splat(centre);
  const float sum = row_sum(width, [&](std::size_t i, auto lanes, Floats partial) HWY_ATTR {
    const Floats distance = hn::Sub(load(x + i, lanes, centre), middle);
    return hn::MulAdd(distance, distance, partial);
  });
  return sum / static_cast<float>(width);
}

}  // namespace

void rms_norm(const float* x, const float* weight, std::size_t width, float eps, float* out) {
  const Floats scale = splat(1.0F / std::sqrt(mean_square_about(0.0F, x, width) + eps));
  for_each_vector(width, [&](std::size_t i, auto lanes) HWY_ATTR {
    store(hn::Mul(hn::Mul(load(x + i, lanes), scale), load(weight + i, lanes)), out + i, lanes);
  });
}

void layer_norm(const float* x, const float* weight, const float* bias, std::size_t width,
                float eps, float* out) {
  const float mean = mean_of(x, width);
  const Floats middle = splat(mean);
  const Floats scale = splat(1.0F / std::sqrt(mean_square_about(mean, x, width) + eps));
  for_each_vector(width, [&](std::size_t i, auto lanes) HWY_ATTR {
    const Floats normed = hn::Mul(hn::Sub(load(x + i, lanes), middle), scale);
    store(hn::MulAdd(normed, load(weight + i, lanes), load(bias + i, lanes)), out + i, lanes);
  });
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
