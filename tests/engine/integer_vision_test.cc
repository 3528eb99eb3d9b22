// SPDX-License-Identifier: MIT
// --vision int8: what it costs in accuracy, and that a tile's rows still depend on the tile alone.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

#include <gtest/gtest.h>

#include "vl2/engine.h"
#include "vl2/error.h"

#include "base/cpu.h"
#include "base/random.h"
#include "engine/models.h"

namespace vl2 {
namespace {

const LoadedModel& integer_nano() {
  static const LoadedModel loaded = load_model(test::nano(), {.integer_vision = true});
  return loaded;
}

std::vector<float> random_tiles(std::size_t count) {
  std::vector<float> pixels(count * integer_nano().model.pixels_per_tile());
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<float>(random_unit(9, i) * 2.0 - 1.0);
  return pixels;
}

std::vector<float> encoded(const Model& model, int threads, std::span<const float> pixels) {
  Arena arena;
  const Ops op(KernelSet::of(cpu_isas().back(), Operand::bf16), ThreadTeam(threads), arena);
  const Rows rows = model.encode_tiles(op, pixels);
  std::vector<float> out;
  for (std::size_t i = 0; i < rows.count; ++i)
    out.insert(out.end(), rows.row(i), rows.row(i) + rows.width);
  return out;
}

TEST(IntegerVision, ATilesRowsDependOnTheTileAlone) {
  const std::vector<float> pixels = random_tiles(3);
  const std::size_t each = pixels.size() / 3;
  const std::vector<float> together = encoded(integer_nano().model, 2, pixels);
  for (std::size_t tile = 0; tile < 3; ++tile) {
    const std::vector<float> alone =
        encoded(integer_nano().model, 1, std::span(pixels).subspan(tile * each, each));
    const auto begin = together.begin() + static_cast<std::ptrdiff_t>(tile * alone.size());
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), begin)) << "tile " << tile;
  }
}

TEST(IntegerVision, IsCloseToBf16) {
  const std::vector<float> pixels = random_tiles(2);
  const std::vector<float> exact =
      encoded(test::model(test::nano(), Recipe::bf16).model, 2, pixels);
  const std::vector<float> rounded = encoded(integer_nano().model, 2, pixels);
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    error += std::pow(static_cast<double>(rounded[i] - exact[i]), 2);
    size += std::pow(static_cast<double>(exact[i]), 2);
  }
  std::cout << "relative error of projected features: " << std::sqrt(error / size) << "\n";
  EXPECT_LT(std::sqrt(error / size), 0.05);
}

TEST(IntegerVision, TakesLessMemory) {
  EXPECT_LT(integer_nano().model.weight_bytes(),
            test::model(test::nano(), Recipe::bf16).model.weight_bytes());
}

TEST(IntegerVision, IsNotForF32) {
  EXPECT_THROW(load_model(test::nano(), {.recipe = Recipe::f32, .integer_vision = true}), Error);
  EXPECT_THROW(Engine({.model = test::nano(), .vision = "int4"}), Error);
}

}  // namespace
}  // namespace vl2
