// SPDX-License-Identifier: MIT
#include "model/rope_table.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace vl2 {
namespace {

// theta^(-2i/width) for i < width / 2.
std::vector<float> inverse_frequencies(float theta, std::size_t width) {
  std::vector<float> out(width / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(width);
    out[i] = 1.0F / std::pow(theta, exponent);
  }
  return out;
}

double yarn_mscale(double factor, double mscale) {
  return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

// The index at which a frequency turns `rotations` times over the original context.
double correction_index(double rotations, std::size_t width, double theta, double context) {
  return static_cast<double>(width) * std::log(context / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(theta));
}

std::vector<float> yarn_frequencies(const LanguageConfig& config, std::size_t width) {
  const RopeScaling& scaling = config.rope_scaling;
  const auto context = static_cast<double>(scaling.original_max_position_embeddings);
  const double last = static_cast<double>(width) - 1;
  const double low = std::max(
      0.0, std::floor(correction_index(scaling.beta_fast, width, config.rope_theta, context)));
  double high = std::min(
      last, std::ceil(correction_index(scaling.beta_slow, width, config.rope_theta, context)));
  if (low == high) high += 0.001;

  std::vector<float> out = inverse_frequencies(static_cast<float>(config.rope_theta), width);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto ramp =
        static_cast<float>(std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0));
    const float interpolated = out[i] / static_cast<float>(scaling.factor);
    out[i] = interpolated * ramp + out[i] * (1.0F - ramp);
  }
  return out;
}

std::vector<float> dynamic_frequencies(const LanguageConfig& config, std::size_t width,
                                       std::size_t length) {
  const double factor = config.rope_scaling.factor;
  const double stretch =
      factor * static_cast<double>(length) / config.max_position_embeddings - (factor - 1);
  const auto size = static_cast<double>(width);
  const double theta = config.rope_theta * std::pow(stretch, size / (size - 2));
  return inverse_frequencies(static_cast<float>(theta), width);
}

}  // namespace

RopeTable build_rope_table(const LanguageConfig& config, std::size_t positions) {
  const RopeScaling& scaling = config.rope_scaling;
  const auto width = static_cast<std::size_t>(config.rope_head_dim());
  RopeTable table{config.use_mla() ? RopePairing::adjacent : RopePairing::half, width, positions,
                  std::vector<float>(positions * width / 2),
                  std::vector<float>(positions * width / 2)};
  const bool yarn = scaling.kind == RopeScalingKind::yarn;
  const bool dynamic = scaling.kind == RopeScalingKind::dynamic;
  std::vector<float> frequencies =
      yarn ? yarn_frequencies(config, width)
           : inverse_frequencies(static_cast<float>(config.rope_theta), width);
  const auto amplitude =
      yarn ? static_cast<float>(yarn_mscale(scaling.factor, scaling.mscale) /
                                yarn_mscale(scaling.factor, scaling.mscale_all_dim))
           : 1.0F;
  const float divisor =
      scaling.kind == RopeScalingKind::linear ? static_cast<float>(scaling.factor) : 1.0F;

  for (std::size_t position = 0; position < positions; ++position) {
    if (dynamic && position >= static_cast<std::size_t>(config.max_position_embeddings))
      frequencies = dynamic_frequencies(config, width, position + 1);
    const float at = static_cast<float>(position) / divisor;
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
      const float angle = at * frequencies[i];
      table.cosines[position * frequencies.size() + i] = std::cos(angle) * amplitude;
      table.sines[position * frequencies.size() + i] = std::sin(angle) * amplitude;
    }
  }
  return table;
}

float attention_scale(const LanguageConfig& config) {
  const double plain = 1.0 / std::sqrt(static_cast<double>(config.query_head_dim()));
  const RopeScaling& scaling = config.rope_scaling;
  if (!config.use_mla() || scaling.mscale_all_dim == 0) return static_cast<float>(plain);
  const double mscale = yarn_mscale(scaling.factor, scaling.mscale_all_dim);
  return static_cast<float>(plain * mscale * mscale);
}

}  // namespace vl2
