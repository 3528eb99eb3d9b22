// SPDX-License-Identifier: MIT
#include "image/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"

namespace vl2 {
namespace {

constexpr int kFractionBits = 22;
constexpr double kSupport = 2.0;  // of the cubic, in source pixels at scale 1

// A weight w is held as w = high * 2^11 + low with 0 <= low < 2^11. Both parts fit 16 bits, so
// that compilers use the multiply-and-add of 16-bit numbers, which every x86-64 has; a product
// with 32-bit weights would take several times as long.
constexpr int kLowBits = 11;
constexpr int kLowMask = (1 << kLowBits) - 1;
constexpr int kHighBits = kFractionBits - kLowBits;

// So many products of a pixel and a low part surely fit 32 bits.
constexpr std::size_t kFoldInterval = 4096;

// Weights beyond those that a place needs are 0, so that every place has as many.
constexpr std::size_t kTapMultiple = 8;

double cubic(double x) {
  constexpr double kA = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * kA;
  return 0.0;
}

// What each output place takes from a row or column of `length` pixels.
struct Taps {
  std::size_t per_place = 0;
  std::vector<std::size_t> first;  // [place]
  std::vector<std::size_t> count;  // [place], at most per_place; the rest weighs 0
  std::vector<std::int16_t> high;  // [place][per_place]
  std::vector<std::int16_t> low;   // [place][per_place]
};

Taps make_taps(int length, int places) {
  const double scale = static_cast<double>(length) / places;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kSupport * filter_scale;
  const double inverse_scale = 1.0 / filter_scale;
  const auto most = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;

  Taps taps;
  taps.per_place = (most + kTapMultiple - 1) / kTapMultiple * kTapMultiple;
  const auto place_count = static_cast<std::size_t>(places);
  taps.high.resize(place_count * taps.per_place);
  taps.low.resize(place_count * taps.per_place);
  std::vector<double> weights;
  for (std::size_t place = 0; place < place_count; ++place) {
    const double centre = (static_cast<double>(place) + 0.5) * scale;
    // The half rounds to the nearest pixel once the conversion truncates, as in Pillow.
    const double first_border = centre - support + 0.5;
    const double end_border = centre + support + 0.5;
    const int first = std::max(static_cast<int>(first_border), 0);
    const int end = std::min(static_cast<int>(end_border), length);
    weights.clear();
    double sum = 0.0;
    for (int x = 0; x < end - first; ++x) {
      weights.push_back(cubic((x + first - centre + 0.5) * inverse_scale));
      sum += weights.back();
    }
    taps.first.push_back(static_cast<std::size_t>(first));
    taps.count.push_back(weights.size());
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const double weight = (sum != 0.0 ? weights[k] / sum : weights[k]) * (1 << kFractionBits);
      const int rounded = static_cast<int>(weight + (weight < 0 ? -0.5 : 0.5));
      taps.high[place * taps.per_place + k] = static_cast<std::int16_t>(rounded >> kLowBits);
      taps.low[place * taps.per_place + k] = static_cast<std::int16_t>(rounded & kLowMask);
    }
  }
  return taps;
}

// The weighted sum high * 2^11 + low, rounded to whole numbers and clamped to a byte.
std::uint8_t to_byte(std::int32_t high, std::int32_t low) {
  const std::int32_t carried = high + (low >> kLowBits);
  return static_cast<std::uint8_t>(
      std::clamp((carried + (1 << (kHighBits - 1))) >> kHighBits, 0, 255));
}

std::uint8_t weighted_sum(const std::int16_t* samples, const std::int16_t* high,
                          const std::int16_t* low, std::size_t count) {
  std::int32_t high_sum = 0;
  std::int32_t low_sum = 0;
  for (std::size_t begin = 0; begin < count; begin += kFoldInterval) {
    const std::size_t end = std::min(count, begin + kFoldInterval);
    for (std::size_t k = begin; k < end; ++k) {
      high_sum += samples[k] * high[k];
      low_sum += samples[k] * low[k];
    }
    high_sum += low_sum >> kLowBits;
    low_sum &= kLowMask;
  }
  return to_byte(high_sum, low_sum);
}

Image resize_rows(const Image& image, int new_width) {
  const Taps taps = make_taps(image.width, new_width);
  const auto width = static_cast<std::size_t>(image.width);
  const auto height = static_cast<std::size_t>(image.height);
  const auto places = static_cast<std::size_t>(new_width);
  Image out{new_width, image.height, std::vector<std::uint8_t>(places * height * 3)};

  // The row as three runs of samples, each with zeros behind for taps of weight 0.
  const std::size_t plane_width = width + taps.per_place;
  std::vector<std::int16_t> planes(plane_width * 3);
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* row = &image.rgb[y * width * 3];
    for (std::size_t x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) planes[c * plane_width + x] = row[3 * x + c];
    }
    std::uint8_t* to = &out.rgb[y * places * 3];
    for (std::size_t place = 0; place < places; ++place) {
      const std::int16_t* samples = &planes[taps.first[place]];
      const std::int16_t* high = &taps.high[place * taps.per_place];
      const std::int16_t* low = &taps.low[place * taps.per_place];
      for (std::size_t c = 0; c < 3; ++c)
        to[3 * place + c] = weighted_sum(samples + c * plane_width, high, low, taps.per_place);
    }
  }
  return out;
}

Image resize_columns(const Image& image, int new_height) {
  const Taps taps = make_taps(image.height, new_height);
  const std::size_t row_bytes = static_cast<std::size_t>(image.width) * 3;
  const auto places = static_cast<std::size_t>(new_height);
  Image out{image.width, new_height, std::vector<std::uint8_t>(places * row_bytes)};

  // A stretch of a row at a time, so that its sums stay in the nearest cache.
  constexpr std::size_t kStretch = 1024;
  std::array<std::int32_t, kStretch> high_sums;
  std::array<std::int32_t, kStretch> low_sums;
  for (std::size_t place = 0; place < places; ++place) {
    for (std::size_t begin = 0; begin < row_bytes; begin += kStretch) {
      const std::size_t length = std::min(kStretch, row_bytes - begin);
      high_sums.fill(0);
      low_sums.fill(0);
      for (std::size_t k = 0; k < taps.count[place]; ++k) {
        const std::uint8_t* samples = &image.rgb[(taps.first[place] + k) * row_bytes + begin];
        const std::int16_t high = taps.high[place * taps.per_place + k];
        const std::int16_t low = taps.low[place * taps.per_place + k];
        for (std::size_t i = 0; i < length; ++i) {
          const std::int16_t sample = samples[i];
          high_sums[i] += sample * high;
          low_sums[i] += sample * low;
        }
        if ((k + 1) % kFoldInterval != 0) continue;
        for (std::size_t i = 0; i < length; ++i) {
          high_sums[i] += low_sums[i] >> kLowBits;
          low_sums[i] &= kLowMask;
        }
      }
      std::uint8_t* to = &out.rgb[place * row_bytes + begin];
      for (std::size_t i = 0; i < length; ++i) to[i] = to_byte(high_sums[i], low_sums[i]);
    }
  }
  return out;
}

}  // namespace

Image resize_bicubic(const Image& image, int width, int height) {
  VL2_CHECK(image.width > 0 && image.height > 0 && width > 0 && height > 0);
  VL2_CHECK(image.rgb.size() ==
            static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3);
  if (width == image.width) {
    return height == image.height ? image : resize_columns(image, height);
  }
  const Image wide = resize_rows(image, width);
  return height == wide.height ? wide : resize_columns(wide, height);
}

}  // namespace vl2
