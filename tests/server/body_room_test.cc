// SPDX-License-Identifier: MIT
#include "server/body_room.h"

#include <utility>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

TEST(BodyRoom, IsForAllTogether) {
  BodyRoom room(10);
  BodyRoom::Share first(room);
  EXPECT_TRUE(first.grow(4));
  BodyRoom::Share second(room);
  EXPECT_TRUE(second.grow(6));
  EXPECT_FALSE(second.grow(1));
  EXPECT_EQ(room.used(), 10U);
  first.give_back();
  EXPECT_TRUE(second.grow(4));
}

TEST(BodyRoom, SharesGiveBackOnceWhereverTheyWereMoved) {
  BodyRoom room(10);
  {
    BodyRoom::Share first(room);
    EXPECT_TRUE(first.grow(4));
    BodyRoom::Share second = std::move(first);
    BodyRoom::Share third(room);
    EXPECT_TRUE(third.grow(3));
    third = std::move(second);
    EXPECT_EQ(room.used(), 4U);
  }
  EXPECT_EQ(room.used(), 0U);
}

}  // namespace
}  // namespace vl2
