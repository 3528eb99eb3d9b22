// SPDX-License-Identifier: MIT
#include "engine/scheduler.h"

#include <memory>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vl2 {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kContext = 1000;

Request request_of(std::size_t prompt_tokens) {
  Request request;
  request.prompt.ids.resize(prompt_tokens);
  std::iota(request.prompt.ids.begin(), request.prompt.ids.end(), 0);
  return request;
}

// A sequence with `computed` tokens done and pages for all.
std::unique_ptr<Sequence> sequence_of(std::size_t prompt_tokens, std::size_t computed = 0) {
  auto sequence = std::make_unique<Sequence>(1, request_of(prompt_tokens), std::nullopt, kContext);
  for (PageId page = 0; page < 10; ++page) sequence->add_page(100 + page);
  sequence->advance(computed);
  if (computed == prompt_tokens) sequence->accept(77, false);
  return sequence;
}

std::vector<std::size_t> counts(const std::vector<PlannedSpan>& plan) {
  std::vector<std::size_t> out;
  for (const PlannedSpan& span : plan) out.push_back(span.count);
  return out;
}

TEST(Scheduler, PromptsTakeTurnsUntilTheStepIsFull) {
  const auto a = sequence_of(60);
  const auto b = sequence_of(70);
  const auto c = sequence_of(80);
  const std::vector<Sequence*> ready = {a.get(), b.get(), c.get()};
  const auto plan = plan_step(ready, {100, 50});
  EXPECT_THAT(counts(plan), ElementsAre(60, 40));
  EXPECT_TRUE(plan[0].reaches_end());
  EXPECT_FALSE(plan[1].reaches_end());
}

TEST(Scheduler, GeneratingSequencesComeFirstAndMakeChunksSmaller) {
  const auto prompt = sequence_of(90);
  const auto generating = sequence_of(40, 40);
  const std::vector<Sequence*> ready = {prompt.get(), generating.get()};
  const auto plan = plan_step(ready, {100, 50});
  EXPECT_THAT(counts(plan), ElementsAre(1, 49));
  EXPECT_EQ(plan[0].sequence, generating.get());
  EXPECT_EQ(plan[0].first, 40U);
}

TEST(Scheduler, AFullHouseStillLetsAPromptMoveOn) {
  const auto prompt = sequence_of(90);
  const auto one = sequence_of(4, 4);
  const auto two = sequence_of(5, 5);
  const std::vector<Sequence*> ready = {one.get(), two.get(), prompt.get()};
  EXPECT_THAT(counts(plan_step(ready, {1, 1})), ElementsAre(1, 1, 1));
}

TEST(Scheduler, NothingReadyPlansNothing) { EXPECT_TRUE(plan_step({}, {}).empty()); }

TEST(Scheduler, ABatchListsTheSpansInOrder) {
  const auto a = sequence_of(40, 40);
  const auto b = sequence_of(10, 6);
  const std::vector<PlannedSpan> plan = {{a.get(), 40, 1}, {b.get(), 6, 3}};
  TokenBatch batch;
  fill_batch(plan, false, batch);
  EXPECT_THAT(batch.tokens, ElementsAre(77, 6, 7, 8));
  EXPECT_THAT(batch.positions, ElementsAre(40, 6, 7, 8));
  EXPECT_THAT(batch.wanted, ElementsAre(0));  // the second span stops before its end
  ASSERT_EQ(batch.spans.size(), 2U);
  EXPECT_EQ(batch.spans[1].first_row, 1U);
  EXPECT_EQ(batch.spans[1].row_count, 3U);
  EXPECT_EQ(batch.spans[1].first_position, 6U);
  EXPECT_EQ(batch.spans[1].pages.front(), 100U);

  fill_batch(plan, true, batch);
  EXPECT_THAT(batch.wanted, ElementsAre(0, 1, 2, 3));
}

// A request with a picture at tokens 3 .. 7.
std::unique_ptr<Sequence> sequence_with_picture() {
  Request request = request_of(12);
  auto picture = std::make_shared<PictureInput>();
  picture->tiles.resize(2);
  request.prompt.pictures.push_back({picture, 3, 5});
  auto sequence = std::make_unique<Sequence>(1, std::move(request), std::nullopt, kContext);
  sequence->add_page(0);
  return sequence;
}

TEST(Scheduler, PictureRowsFollowTheirTokensThroughChunks) {
  const auto sequence = sequence_with_picture();
  EXPECT_TRUE(sequence->needs_pictures());
  std::vector<float>& rows = sequence->pictures()[0].rows;
  rows.assign(10, 0.0F);  // two numbers a token
  const std::vector<PlannedSpan> begin = {{sequence.get(), 0, 5}};
  TokenBatch batch;
  fill_batch(begin, false, batch);
  ASSERT_EQ(batch.pictures.size(), 1U);
  EXPECT_EQ(batch.pictures[0].first_row, 3U);
  EXPECT_EQ(batch.pictures[0].row_count, 2U);
  EXPECT_EQ(batch.pictures[0].rows, rows.data());

  sequence->advance(5);
  const std::vector<PlannedSpan> rest = {{sequence.get(), 5, 7}};
  fill_batch(rest, false, batch);
  ASSERT_EQ(batch.pictures.size(), 1U);
  EXPECT_EQ(batch.pictures[0].first_row, 0U);
  EXPECT_EQ(batch.pictures[0].row_count, 3U);
  EXPECT_EQ(batch.pictures[0].rows, rows.data() + 4);

  sequence->advance(7);
  EXPECT_TRUE(sequence->pictures().empty());  // and its memory is free
}

TEST(Sequence, NamesOfPagesSeparatePicturesAndTexts) {
  const auto with = [](ContentHash hash) {
    Request request = request_of(65);
    auto picture = std::make_shared<PictureInput>();
    picture->hash = hash;
    request.prompt.pictures.push_back({picture, 40, 5});
    Sequence sequence(1, std::move(request), std::nullopt, kContext);
    const auto chain = sequence.cacheable_chain();
    return std::vector<ContentHash>(chain.begin(), chain.end());
  };
  const auto one = with({1, 1});
  const auto same = with({1, 1});
  const auto other = with({2, 2});
  ASSERT_EQ(one.size(), 2U);
  EXPECT_EQ(one, same);
  EXPECT_EQ(one[0], other[0]);  // before the picture
  EXPECT_NE(one[1], other[1]);
}

TEST(Sequence, TheLastTokenOfAPromptIsNeverTakenFromACache) {
  Sequence exact(1, request_of(64), std::nullopt, kContext);
  EXPECT_EQ(exact.cacheable_chain().size(), 1U);
  Sequence more(1, request_of(65), std::nullopt, kContext);
  EXPECT_EQ(more.cacheable_chain().size(), 2U);
}

TEST(Sequence, KnowsThePagesItMayNeed) {
  Request request = request_of(32);
  request.options.max_tokens = 1;
  EXPECT_EQ(Sequence(1, request, std::nullopt, kContext).most_pages(), 1U);
  request.options.max_tokens = 2;  // the first of the two is computed
  EXPECT_EQ(Sequence(1, request, std::nullopt, kContext).most_pages(), 2U);
  request.options.max_tokens = 100000;
  EXPECT_EQ(Sequence(1, request, std::nullopt, kContext).most_pages(), (kContext + 30) / 32);
}

}  // namespace
}  // namespace vl2
