// SPDX-License-Identifier: MIT
#include "checkpoint/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

TEST(Recipe, NamesGoBothWays) {
  for (const Recipe recipe : kAllRecipes) EXPECT_EQ(recipe_from(to_string(recipe)), recipe);
  EXPECT_EQ(recipe_names().size(), std::size(kAllRecipes));
}

TEST(Recipe, AnUnknownNameIsRefusedWithThoseThereAre) {
  try {
    recipe_from("int3");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("\"int3\""));
    for (const std::string_view name : recipe_names())
      EXPECT_THAT(error.what(), ::testing::HasSubstr(std::string(name)));
  }
}

TEST(Recipe, AllMatricesOfARecipeMeetTheSameOperand) {
  for (const Recipe recipe : kAllRecipes)
    for (std::size_t role = 0; role < kWeightRoleCount; ++role)
      EXPECT_EQ(operand_of(format_of(recipe, static_cast<WeightRole>(role))), operand_of(recipe));
}

TEST(Recipe, Int4IsForExpertsAndHead) {
  EXPECT_EQ(format_of(Recipe::int4, WeightRole::routed_experts), WeightFormat::int4);
  EXPECT_EQ(format_of(Recipe::int4, WeightRole::shared_experts), WeightFormat::int4);
  EXPECT_EQ(format_of(Recipe::int4, WeightRole::dense_mlp), WeightFormat::int4);
  EXPECT_EQ(format_of(Recipe::int4, WeightRole::head), WeightFormat::int8);
  EXPECT_EQ(format_of(Recipe::int4_max, WeightRole::head), WeightFormat::int4);
  EXPECT_EQ(format_of(Recipe::int4, WeightRole::attention), WeightFormat::int8);
  EXPECT_EQ(format_of(Recipe::int4, WeightRole::vision), WeightFormat::int8);
  EXPECT_EQ(format_of(Recipe::int4_max, WeightRole::attention), WeightFormat::int4);
}

TEST(Recipe, RoutersAreNeverQuantized) {
  for (const Recipe recipe : kAllRecipes)
    EXPECT_FALSE(is_quantized(format_of(recipe, WeightRole::router)));
}

}  // namespace
}  // namespace vl2
