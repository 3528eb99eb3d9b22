// SPDX-License-Identifier: MIT
#include "checkpoint/recipe.h"

#include <array>
#include <string>

#include "vl2/error.h"

namespace vl2 {
namespace {

constexpr std::array<std::string_view, std::size(kAllRecipes)> kNames = {"f32", "bf16", "int8",
                                                                         "int4", "int4-max"};

// Every error of the head goes straight into the logits: in int4 it tips more choices between two
// tokens than all other matrices together (docs/quality.md).
WeightFormat int4_format_of(WeightRole role) noexcept {
  switch (role) {
    case WeightRole::dense_mlp:
    case WeightRole::shared_experts:
    case WeightRole::routed_experts:
      return WeightFormat::int4;
    default:
      return WeightFormat::int8;
  }
}

// The first layer of all sees raw pixels and is tiny; the projector is small and every picture
// token goes through it.
WeightFormat int4_max_format_of(WeightRole role) noexcept {
  const bool small = role == WeightRole::patch_embedding || role == WeightRole::projector;
  return small ? WeightFormat::int8 : WeightFormat::int4;
}

}  // namespace

std::string_view to_string(Recipe recipe) noexcept {
  return kNames[static_cast<std::size_t>(recipe)];
}

std::span<const std::string_view> recipe_names() noexcept { return kNames; }

Recipe recipe_from(std::string_view name) {
  for (const Recipe recipe : kAllRecipes)
    if (to_string(recipe) == name) return recipe;
  throw Error(ErrorCode::invalid_argument, "unknown weights \"" + std::string(name) +
                                               "\": use f32, bf16, int8, int4 or int4-max");
}

WeightFormat format_of(Recipe recipe, WeightRole role) noexcept {
  if (recipe == Recipe::f32) return WeightFormat::f32;
  // A router's choice changes the whole layer, and it is one matrix in a thousand.
  if (recipe == Recipe::bf16 || role == WeightRole::router) return WeightFormat::bf16;
  switch (recipe) {
    case Recipe::int4:
      return int4_format_of(role);
    case Recipe::int4_max:
      return int4_max_format_of(role);
    default:
      return WeightFormat::int8;
  }
}

Operand operand_of(Recipe recipe) noexcept {
  return recipe == Recipe::f32 ? Operand::f32 : Operand::bf16;
}

}  // namespace vl2
