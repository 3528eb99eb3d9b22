// SPDX-License-Identifier: MIT
#include "server/event_queue.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace vl2 {
namespace {

bool readable(const EventQueue& queue) {
  pollfd watched{queue.descriptor(), POLLIN, 0};
  return poll(&watched, 1, 0) == 1;
}

AnswerEvent token(std::int32_t id) { return {0, TokenChosen{id, "", {}}}; }

TEST(EventQueue, GivesEventsInOrder) {
  EventQueue queue;
  for (std::int32_t id = 0; id < 3; ++id) EXPECT_TRUE(queue.push(token(id)));
  for (std::int32_t id = 0; id < 3; ++id)
    EXPECT_EQ(std::get<TokenChosen>(queue.pop()->what).token, id);
  EXPECT_FALSE(queue.pop().has_value());
}

TEST(EventQueue, IsReadableWhileThereAreEvents) {
  EventQueue queue;
  EXPECT_FALSE(readable(queue));
  queue.push(token(1));
  queue.push(token(2));
  EXPECT_TRUE(readable(queue));
  queue.pop();
  EXPECT_TRUE(readable(queue));
  queue.pop();
  EXPECT_FALSE(readable(queue));
}

TEST(EventQueue, IsBoundedButForTheEnd) {
  EventQueue queue(2);
  EXPECT_TRUE(queue.push(token(1)));
  EXPECT_TRUE(queue.push(token(2)));
  EXPECT_FALSE(queue.push(token(3)));
  EXPECT_TRUE(queue.push({0, RequestFinished{}}));
  queue.pop();
  queue.pop();
  EXPECT_TRUE(std::holds_alternative<RequestFinished>(queue.pop()->what));
}

}  // namespace
}  // namespace vl2
