// SPDX-License-Identifier: MIT
// The projector types that no golden checkpoint has, against their definition in doubles.
#include "model/projector.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"
#include "model/memory_source.h"
#include "model/packing_source.h"

namespace vl2 {
namespace {

constexpr std::size_t kSide = 5;  // patches; odd, so that squares lack some
constexpr std::size_t kInput = 6;
constexpr std::size_t kEmbed = 8;

std::vector<float> noise(std::size_t count, std::uint64_t seed) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(random_unit(seed, i) - 0.5);
  return values;
}

struct Layer2d {
  std::size_t columns, depth;
  std::vector<float> weight, bias;

  Layer2d(MemorySource& source, const std::string& name, std::size_t n, std::size_t k)
      : columns(n), depth(k), weight(noise(n * k, n)), bias(noise(n, n + k)) {
    source.put(name + ".weight", {n, k}, weight);
    source.put(name + ".bias", {n}, bias);
  }
  std::vector<double> operator()(const std::vector<double>& x) const {
    std::vector<double> y(columns);
    for (std::size_t n = 0; n < columns; ++n) {
      y[n] = bias[n];
      for (std::size_t k = 0; k < depth; ++k)
        y[n] += x[k] * static_cast<double>(weight[n * depth + k]);
    }
    return y;
  }
};

std::vector<double> gelu(std::vector<double> x) {
  for (double& value : x) value = value / 2 * (1 + std::erf(value / std::sqrt(2.0)));
  return x;
}

class ProjectorTest : public testing::Test {
 protected:
  Rows run(const ProjectorConfig& config) {
    PackingSource packing(source_, Recipe::f32, team_);
    WeightLoader loader(packing);
    const Projector projector(loader, config);
    const Ops op(KernelSet::of(cpu_isas().back(), Operand::f32), team_, arena_);
    return projector.forward(op, {features_.data(), kSide * kSide, kInput, kInput}, kSide);
  }
  std::vector<double> patch(std::size_t y, std::size_t x) const {
    const auto begin = features_.begin() + static_cast<std::ptrdiff_t>((y * kSide + x) * kInput);
    return {begin, begin + kInput};
  }
  // torch's order: channel first, then the patches of the square.
  std::vector<double> square(std::size_t y, std::size_t x) const {
    std::vector<double> merged(4 * kInput);
    for (std::size_t j = 0; j < 4; ++j) {
      const std::size_t row = 2 * y + j / 2;
      const std::size_t column = 2 * x + j % 2;
      if (row >= kSide || column >= kSide) continue;
      const std::vector<double> from = patch(row, column);
      for (std::size_t channel = 0; channel < kInput; ++channel)
        merged[channel * 4 + j] = from[channel];
    }
    return merged;
  }
  static void expect_row(std::span<const float> row, const std::vector<double>& expected) {
    ASSERT_EQ(row.size(), expected.size());
    for (std::size_t i = 0; i < row.size(); ++i) EXPECT_NEAR(row[i], expected[i], 1e-5) << i;
  }

  MemorySource source_;
  ThreadTeam team_{2};
  Arena arena_;
  std::vector<float> features_ = noise(kSide * kSide * kInput, 3);
};

TEST_F(ProjectorTest, IdentityLeavesFeaturesAlone) {
  const Rows out =
      run({.projector_type = ProjectorType::identity, .input_dim = kInput, .n_embed = kInput});
  ASSERT_EQ(out.count, kSide * kSide);
  expect_row(out[7], patch(1, 2));
}

TEST_F(ProjectorTest, LinearIsOneLayer) {
  const Layer2d layer(source_, "projector.layers", kEmbed, kInput);
  const Rows out =
      run({.projector_type = ProjectorType::linear, .input_dim = kInput, .n_embed = kEmbed});
  expect_row(out[24], layer(patch(4, 4)));
}

TEST_F(ProjectorTest, MlpGeluNumbersItsActivationsToo) {
  const Layer2d first(source_, "projector.layers.0", kEmbed, kInput);
  const Layer2d second(source_, "projector.layers.2", kEmbed, kEmbed);
  const Layer2d third(source_, "projector.layers.4", kEmbed, kEmbed);
  const Rows out = run({.projector_type = ProjectorType::mlp_gelu,
                        .input_dim = kInput,
                        .n_embed = kEmbed,
                        .depth = 3});
  expect_row(out[3], third(gelu(second(gelu(first(patch(0, 3)))))));
}

TEST_F(ProjectorTest, DownsamplingPadsWithZeros) {
  const Layer2d first(source_, "projector.layers.0", 3 * kEmbed, 4 * kInput);
  const Layer2d second(source_, "projector.layers.2", kEmbed, 3 * kEmbed);
  const Rows out = run({.projector_type = ProjectorType::downsample_mlp_gelu,
                        .input_dim = kInput,
                        .n_embed = kEmbed,
                        .mlp_ratio = 3});
  ASSERT_EQ(out.count, 9U);
  expect_row(out[0], second(gelu(first(square(0, 0)))));
  expect_row(out[8], second(gelu(first(square(2, 2)))));
}

TEST_F(ProjectorTest, TokenPoolingDropsWhatDoesNotFit) {
  const Layer2d pooling(source_, "projector.token_pooling_layer", kInput, 4 * kInput);
  const Layer2d layer(source_, "projector.layers", kEmbed, kInput);
  const Rows out = run({.projector_type = ProjectorType::linear,
                        .input_dim = kInput,
                        .n_embed = kEmbed,
                        .token_pooling = true});
  ASSERT_EQ(out.count, 4U);
  expect_row(out[3], layer(pooling(square(1, 1))));
}

}  // namespace
}  // namespace vl2
