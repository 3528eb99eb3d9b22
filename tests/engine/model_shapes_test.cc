// SPDX-License-Identifier: MIT
#include "engine/model_shapes.h"

#include <gtest/gtest.h>

#include "vl2/error.h"

#include "checkpoint/model_size.h"

namespace vl2 {
namespace {

double billions(std::uint64_t count) { return static_cast<double>(count) * 1e-9; }

// The paper's sizes: 3B, 16B and 27B in all, with 1.0B, 2.8B and 4.5B active when the vision tower
// (0.4B) is counted and the embedding is not.
TEST(ModelShapes, HaveTheSizesOfTheReleasedModels) {
  struct Expected {
    std::string_view name;
    double total, active;
  };
  const Expected expected[] = {{"tiny", 3.37, 0.573}, {"small", 16.15, 2.45}, {"full", 27.5, 4.12}};
  for (const Expected& e : expected) {
    const ModelSize size = model_size(model_shape(e.name));
    EXPECT_NEAR(billions(size.total()), e.total, 0.01 * e.total) << e.name;
    EXPECT_NEAR(billions(size.active_per_token), e.active, 0.01 * e.active) << e.name;
    EXPECT_NEAR(billions(size.vision), 0.428, 0.005) << e.name;
  }
}

TEST(ModelShapes, KeepTheirOwnRules) {
  for (const std::string_view name : model_shape_names()) {
    const ModelConfig config = model_shape(name);
    EXPECT_EQ(config.tokens_per_side(), 14);
    EXPECT_EQ(config.processor.tokens_per_side(), 14);
    EXPECT_EQ(config.vision.mlp_hidden(), 4304);
    EXPECT_EQ(config.projector.n_embed, config.language.hidden_size);
  }
  EXPECT_FALSE(tiny_shape().language.use_mla());
  EXPECT_TRUE(small_shape().language.use_mla());
}

TEST(ModelShapes, RefusesOtherNames) { EXPECT_THROW(model_shape("huge"), Error); }

}  // namespace
}  // namespace vl2
