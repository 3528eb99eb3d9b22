// SPDX-License-Identifier: MIT
#include "text/grounding_overlap.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

using Boxes = std::vector<GroundedBox>;

TEST(GroundingOverlap, IsSharedAreaByAreaOfBoth) {
  const GroundedBox box{"a", 0, 0, 10, 10};
  EXPECT_DOUBLE_EQ(overlap(box, box), 1.0);
  EXPECT_DOUBLE_EQ(overlap(box, {"b", 0, 5, 10, 15}), 50.0 / 150.0);
  EXPECT_DOUBLE_EQ(overlap(box, {"a", 10, 15, 0, 5}), 50.0 / 150.0);  // corners the other way
  EXPECT_EQ(overlap(box, {"a", 10, 0, 20, 10}), 0.0);
  EXPECT_EQ(overlap(box, {"a", 5, 5, 5, 5}), 0.0);
}

TEST(GroundingOverlap, NumbersWithoutBoundsAreNoMatch) {
  const double huge = std::numeric_limits<double>::max();
  const GroundedBox all{"a", -huge, -huge, huge, huge};
  EXPECT_EQ(overlap(all, all), 0.0);
  EXPECT_EQ(overlap(all, {"a", 0, 0, 1, 1}), 0.0);
}

TEST(GroundingOverlap, TheBestPairsAreTakenFirst) {
  const Boxes expected = {{"a", 0, 0, 10, 10}, {"a", 0, 5, 10, 15}};
  const Boxes actual = {{"a", 0, 5, 10, 15}, {"a", 0, 20, 10, 30}};
  EXPECT_DOUBLE_EQ(mean_overlap(expected, actual), 0.5);  // 1 and 0, though 1/3 is there too
}

TEST(GroundingOverlap, OtherLabelsAndBoxesWithoutPartnerCountAsNothing) {
  const Boxes one = {{"a", 0, 0, 10, 10}};
  EXPECT_EQ(mean_overlap(one, Boxes{{"b", 0, 0, 10, 10}}), 0.0);
  EXPECT_EQ(mean_overlap(one, {}), 0.0);
  EXPECT_EQ(mean_overlap({}, one), 0.0);
  EXPECT_EQ(mean_overlap(one, Boxes{one[0], one[0]}), 0.5);
  EXPECT_EQ(mean_overlap(one, one), 1.0);
  EXPECT_EQ(mean_overlap({}, {}), 1.0);
}

}  // namespace
}  // namespace vl2
