// SPDX-License-Identifier: MIT
#include "tensor/arena.h"

#include <cstdint>
#include <cstring>
#include <set>

#include <gtest/gtest.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

TEST(Arena, HandsOutAlignedMemoryThatDoesNotOverlap) {
  Arena arena;
  std::byte* first = arena.allocate(10);
  std::byte* second = arena.allocate(100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 64, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second) % 64, 0U);
  std::memset(first, 1, 10);
  std::memset(second, 2, 100);
  EXPECT_EQ(first[9], std::byte{1});
}

TEST(Arena, AnEmptyRequestHasAPlaceOfItsOwn) {
  Arena arena;
  std::byte* nothing = arena.allocate(0);
  EXPECT_NE(nothing, nullptr);
  EXPECT_NE(arena.allocate(1), nothing);
}

TEST(Arena, NeverMovesWhatItHandedOut) {
  Arena arena;
  std::set<std::byte*> places;
  std::byte* first = arena.allocate(1000);
  std::memset(first, 7, 1000);
  for (int i = 0; i < 40; ++i) {
    std::byte* place = arena.allocate(std::size_t{300} << 10);
    std::memset(place, 9, std::size_t{300} << 10);
    EXPECT_TRUE(places.insert(place).second);
  }
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(first[i], std::byte{7});
}

TEST(Arena, ScopeGivesBackWhatWasTakenInIt) {
  Arena arena;
  arena.allocate(64);
  std::byte* inside = nullptr;
  {
    const ScratchScope scope(arena);
    inside = arena.allocate(128);
    arena.allocate(std::size_t{5} << 20);  // a block of its own
  }
  EXPECT_EQ(arena.allocate(128), inside);
}

TEST(Arena, ScopesNest) {
  Arena arena;
  const ScratchScope outer(arena);
  std::byte* first = arena.allocate(64);
  std::byte* second = nullptr;
  {
    const ScratchScope inner(arena);
    second = arena.allocate(64);
  }
  EXPECT_NE(first, second);
  EXPECT_EQ(arena.allocate(64), second);
}

TEST(Arena, ResetKeepsOneBlockAsLargeAsTheMostInUse) {
  Arena arena;
  for (int i = 0; i < 10; ++i) arena.allocate(std::size_t{1} << 20);
  const std::size_t most = arena.high_water_bytes();
  EXPECT_GE(most, std::size_t{10} << 20);
  arena.reset();
  const std::size_t held = arena.held_bytes();
  EXPECT_EQ(held, most);
  for (int i = 0; i < 10; ++i) arena.allocate(std::size_t{1} << 20);
  EXPECT_EQ(arena.held_bytes(), held) << "the second step must need no new memory";
}

TEST(Arena, HighWaterCountsOnlyWhatIsInUseAtOnce) {
  Arena arena;
  for (int i = 0; i < 5; ++i) {
    const ScratchScope scope(arena);
    arena.allocate(1000);
  }
  EXPECT_EQ(arena.high_water_bytes(), 1024U);
}

TEST(Arena, MakesRowsPackedAndArrays) {
  Arena arena;
  const Rows rows = arena.rows(3, 5);
  EXPECT_EQ(rows.count, 3U);
  EXPECT_EQ(rows.width, 5U);
  EXPECT_EQ(rows.stride, 5U);
  const Packed packed = arena.packed(Operand::bf16, 17, 33, 4);
  EXPECT_EQ(packed.total_bytes(), 4U * 2 * 2 * 1024);
  EXPECT_EQ(arena.array<std::uint32_t>(7).size(), 7U);
  rows.row(2)[4] = 1.0F;
  std::memset(packed.tiles, 0, packed.total_bytes());
  EXPECT_EQ(rows.row(2)[4], 1.0F);
}

TEST(Arena, SaysWhenThereIsNoMemory) {
  Arena arena;
  try {
    arena.allocate(std::size_t{1} << 62);
    FAIL() << "4 exabytes were handed out";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
  }
}

}  // namespace
}  // namespace vl2
