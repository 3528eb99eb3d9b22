// SPDX-License-Identifier: MIT
// Two widely used 4-bit formats, 4.5 bits a weight each, written down from their descriptions: what
// a model's weights become in them, for comparison with ours.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/scalar.h"

namespace vl2 {

// The nearest half-precision number, for numbers in its normal range.
inline float through_half(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (bits + 0xfffU + (bits >> 13 & 1U)) & ~0x1fffU;
  return std::abs(x) < 0x1p-14F ? std::nearbyint(x * 0x1p24F) * 0x1p-24F
                                : std::bit_cast<float>(rounded);
}

// Q4_0: groups of 32, a half-precision scale by which the number of largest size becomes -8.
inline std::vector<float> through_q4_0(std::span<const float> x) {
  std::vector<float> out(x.size());
  for (std::size_t first = 0; first < x.size(); first += 32) {
    const auto group = x.subspan(first, 32);
    const float largest = *std::max_element(
        group.begin(), group.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
    const float exact = largest / -8.0F;
    const float by = exact == 0.0F ? 0.0F : 1.0F / exact;
    for (std::size_t i = 0; i < 32; ++i) {
      const float code = std::min(15.0F, std::floor(group[i] * by + 8.5F));
      out[first + i] = (code - 8.0F) * through_half(exact);
    }
  }
  return out;
}

// Scale and offset of a group of 32 in Q4_K: number = scale * code - offset, codes 0..15.
struct ScaleAndOffset {
  float scale = 0.0F;
  float offset = 0.0F;
};

// The search of Q4_K: 21 first guesses of the scale, each followed by a least-squares fit of scale
// and offset to its codes, errors weighted towards large numbers.
inline ScaleAndOffset search_q4_k(std::span<const float> x) {
  float mean_square = 0.0F;
  for (const float number : x) mean_square += number * number / 32.0F;
  std::array<float, 32> weight{};
  for (std::size_t i = 0; i < 32; ++i) weight[i] = std::sqrt(mean_square) + std::abs(x[i]);
  const float low = std::min(0.0F, *std::min_element(x.begin(), x.end()));
  const float high = *std::max_element(x.begin(), x.end());
  if (high == low) return {0.0F, -low};
  std::array<float, 32> code{};
  const auto encode = [&](float by) {
    for (std::size_t i = 0; i < 32; ++i)
      code[i] = std::clamp(std::nearbyint(by * (x[i] - low)), 0.0F, 15.0F);
  };
  const auto error_of = [&](ScaleAndOffset fit) {
    float error = 0.0F;
    for (std::size_t i = 0; i < 32; ++i) {
      const float difference = fit.scale * code[i] - fit.offset - x[i];
      error += weight[i] * difference * difference;
    }
    return error;
  };
  ScaleAndOffset best{(high - low) / 15.0F, -low};
  encode(15.0F / (high - low));
  float least = error_of(best);
  for (int step = 0; step <= 20; ++step) {
    encode((14.0F + 0.1F * static_cast<float>(step)) / (high - low));
    float w = 0.0F, wx = 0.0F, wl = 0.0F, wll = 0.0F, wxl = 0.0F;
    for (std::size_t i = 0; i < 32; ++i) {
      w += weight[i];
      wx += weight[i] * x[i];
      wl += weight[i] * code[i];
      wll += weight[i] * code[i] * code[i];
      wxl += weight[i] * code[i] * x[i];
    }
    const float determinant = w * wll - wl * wl;
    if (determinant <= 0.0F) continue;
    ScaleAndOffset fit{(w * wxl - wx * wl) / determinant, -(wll * wx - wl * wxl) / determinant};
    if (fit.offset < 0.0F) fit = {wxl / wll, 0.0F};
    const float error = error_of(fit);
    if (error < least) {
      least = error;
      best = fit;
    }
  }
  return best;
}

// Q4_K: 256 numbers share half-precision units in which the scales and offsets of 8 groups are
// 6-bit integers.
inline std::vector<float> through_q4_k(std::span<const float> x) {
  std::vector<float> out(x.size());
  for (std::size_t first = 0; first < x.size(); first += 256) {
    std::array<ScaleAndOffset, 8> groups;
    ScaleAndOffset largest;
    for (std::size_t g = 0; g < 8; ++g) {
      groups[g] = search_q4_k(x.subspan(first + g * 32, 32));
      largest.scale = std::max(largest.scale, groups[g].scale);
      largest.offset = std::max(largest.offset, groups[g].offset);
    }
    const auto six_bits = [](float value, float most) {
      const float integer = most > 0.0F ? std::nearbyint(63.0F / most * value) : 0.0F;
      return std::min(63.0F, integer) * through_half(most / 63.0F);
    };
    for (std::size_t i = 0; i < 256; ++i) {
      const float scale = six_bits(groups[i / 32].scale, largest.scale);
      const float offset = six_bits(groups[i / 32].offset, largest.offset);
      if (scale == 0.0F) continue;
      const float number = x[first + i] + offset;
      const float code = std::clamp(std::nearbyint(number / scale), 0.0F, 15.0F);
      out[first + i] = code * scale - offset;
    }
  }
  return out;
}

}  // namespace vl2
