// SPDX-License-Identifier: MIT
// A recipe names the weight format of every matrix by what the matrix is for.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tensor/weight.h"

namespace vl2 {

// What a matrix is for. The embedding has none: its rows are looked up, not multiplied.
enum class WeightRole {
  patch_embedding,
  vision,
  projector,
  attention,
  router,
  dense_mlp,
  shared_experts,
  routed_experts,
  head,
};
inline constexpr std::size_t kWeightRoleCount = 9;

// docs/formats.md says which formats each recipe takes and what that costs.
enum class Recipe {
  f32,       // reference and tests
  bf16,      // the released weights, exact
  int8,      // everything but the router
  int4,      // experts and dense MLP; everything else as in int8
  int4_max,  // whatever stands it
};
inline constexpr Recipe kAllRecipes[] = {Recipe::f32, Recipe::bf16, Recipe::int8, Recipe::int4,
                                         Recipe::int4_max};

// f32, bf16, int8, int4, int4-max.
std::string_view to_string(Recipe recipe) noexcept;
// The names in the order of kAllRecipes.
std::span<const std::string_view> recipe_names() noexcept;
// Throws Error{invalid_argument} that lists the names there are.
Recipe recipe_from(std::string_view name);

WeightFormat format_of(Recipe recipe, WeightRole role) noexcept;

// The number type that activations are rounded to, and that keys and values are cached in. The
// same for all roles of a recipe.
Operand operand_of(Recipe recipe) noexcept;

}  // namespace vl2
