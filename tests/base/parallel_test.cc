// SPDX-License-Identifier: MIT
#include "base/parallel.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
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

TEST(ThreadTeam, WhatStaysTogetherVisitsEveryIndexOnce) {
  for (const int threads : {1, 2, 5}) {
    const ThreadTeam team(threads);
    std::vector<std::atomic<int>> visits(100);
    std::atomic<bool> early{false};
    team.stay_together([&] {
      for (int task = 0; task < 100; ++task) {
        std::atomic<std::size_t> arrived{0};
        team.split(visits.size(), 7, [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) ++visits[i];
        });
        team.run([&](std::size_t, std::size_t running) {
          ++arrived;
          team_barrier();
          if (arrived != running) early = true;
          team_barrier();
          team.split(10, 1, [&](std::size_t begin, std::size_t end) { arrived += end - begin; });
        });
        EXPECT_EQ(arrived % 11, 0U);  // 10 of each thread, and itself
      }
    });
    for (const auto& count : visits) EXPECT_EQ(count, 100);
    EXPECT_FALSE(early);
  }
}

TEST(ThreadTeam, OthersSleepWhileNothingComesAndAreThereAfterwards) {
  const ThreadTeam team(3);
  std::atomic<int> visits{0};
  team.stay_together([&] {
    team.run([&](std::size_t, std::size_t) { ++visits; });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    team.run([&](std::size_t thread, std::size_t) {
      if (thread == 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      team_barrier();
      ++visits;
    });
  });
  EXPECT_EQ(visits, 6);
}

TEST(ThreadTeam, WhatIsThrownTogetherIsThrown) {
  const ThreadTeam team(3);
  EXPECT_THROW(team.stay_together([] { throw std::runtime_error("no"); }), std::runtime_error);
  std::atomic<int> visits{0};
  team.run([&](std::size_t, std::size_t) { ++visits; });
  EXPECT_EQ(visits, 3);
}

}  // namespace
}  // namespace vl2
