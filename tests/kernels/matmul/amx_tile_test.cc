// SPDX-License-Identifier: MIT
// Compiled once without optimisation and once with: stores just before a tile load or a
// configuration must reach memory.
#include <cstring>

#include <gtest/gtest.h>

#include "base/scalar.h"
#include "kernels/amx_emulator.h"

#ifdef __x86_64__
#include "kernels/matmul/amx_tile.h"

namespace vl2 {
namespace {

// All of it in one function, so that the optimiser sees every store and no reader but the tiles.
float sum_of_products(float left_number, float right_number) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = 16;
  }
  alignas(64) Bf16 left[512];
  alignas(64) Bf16 right[512];
  alignas(64) float sums[256];
  for (Bf16& number : left) number = to_bf16(left_number);
  for (Bf16& number : right) number = to_bf16(right_number);
  for (float& number : sums) number = 1.0F;
  tile_configure(config);
  tile_load<0>(sums, 64);
  tile_load<4>(left, 64);
  tile_load<6>(right, 64);
  tile_dot_bf16<0, 4, 6>();
  tile_store<0>(sums, 64);
  tile_release();
  float total = 0.0F;
  for (const float number : sums) total += number;
  return total / 256.0F;
}

TEST(AmxTile, StoresBeforeTileInstructionsReachMemory) {
  if (!install_amx_emulator()) GTEST_SKIP() << "needs AMX, or AVX-512 to emulate it";
  EXPECT_EQ(sum_of_products(2.0F, 3.0F), 1.0F + 32.0F * 6.0F);
  EXPECT_EQ(sum_of_products(0.5F, -4.0F), 1.0F - 32.0F * 2.0F);
}

}  // namespace
}  // namespace vl2
#endif
