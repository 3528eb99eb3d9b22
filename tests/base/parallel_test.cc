// SPDX-License-Identifier: MIT
#include "base/parallel.h"

#include <atomic>
#include <vector>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

TEST(ShareOf, PartsCoverEverythingOnceAtMultiplesOfTheUnit) {
  for (const std::size_t count : {0, 1, 15, 16, 17, 100}) {
    for (const std::size_t parts : {1, 2, 3, 64}) {
      std::size_t next = 0;
      for (std::size_t i = 0; i < parts; ++i) {
        const Share share = share_of(count, i, parts, 16);
        EXPECT_EQ(share.begin, next);
        EXPECT_TRUE(share.end % 16 == 0 || share.end == count);
        next = share.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

TEST(ThreadTeam, SplitVisitsEveryIndexOnce) {
  for (const int threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> visits(1000);
    ThreadTeam(threads).split(visits.size(), 7, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) ++visits[i];
    });
    for (const auto& count : visits) EXPECT_EQ(count, 1);
  }
}

TEST(ThreadTeam, BarrierSeparatesPhases) {
  std::atomic<std::size_t> arrived{0};
  std::atomic<bool> early{false};
  ThreadTeam(4).run([&](std::size_t, std::size_t threads) {
    ++arrived;
    team_barrier();
    if (arrived != threads) early = true;
  });
  EXPECT_FALSE(early);
}

}  // namespace
}  // namespace vl2
