// SPDX-License-Identifier: MIT
#include "server/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vl2 {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, CountsRequestsByRouteAndStatus) {
  Metrics metrics;
  metrics.count_request("/a", 200, 0.1);
  metrics.count_request("/a", 200, 0.1);
  metrics.count_request("/a", 400, 0.1);
  const std::string text = metrics.text({});
  EXPECT_THAT(text, HasSubstr("vl2_http_requests_total{route=\"/a\",status=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("vl2_http_requests_total{route=\"/a\",status=\"400\"} 1\n"));
}

TEST(Metrics, HistogramsAreCumulative) {
  Metrics metrics;
  metrics.count_step(0.001);  // a bound belongs to its own bucket
  metrics.count_step(0.3);
  metrics.count_step(99.0);
  const std::string text = metrics.text({});
  EXPECT_THAT(text, HasSubstr("vl2_step_seconds_bucket{le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vl2_step_seconds_bucket{le=\"0.25\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vl2_step_seconds_bucket{le=\"0.5\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("vl2_step_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("vl2_step_seconds_count 3\n"));
}

TEST(Metrics, TellsTokensAndTheCache) {
  Metrics metrics;
  metrics.count_answer(
      {.prompt_tokens = 10, .image_tokens = 4, .cached_tokens = 3, .completion_tokens = 2},
      {.vision = 0.5});
  const std::string text =
      metrics.text({.running = 1,
                    .waiting = 2,
                    .pages = 8,
                    .free_pages = 5,
                    .tiles = {.encoded = 7, .from_memory = 6, .from_files = 4}});
  EXPECT_THAT(text, HasSubstr("vl2_prompt_tokens_total 10\n"));
  EXPECT_THAT(text, HasSubstr("vl2_cached_tokens_total 3\n"));
  EXPECT_THAT(text, HasSubstr("vl2_completion_tokens_total 2\n"));
  EXPECT_THAT(text, HasSubstr("vl2_vision_seconds_total 0.5\n"));
  EXPECT_THAT(text, HasSubstr("vl2_requests_running 1\n"));
  EXPECT_THAT(text, HasSubstr("vl2_requests_waiting 2\n"));
  EXPECT_THAT(text, HasSubstr("vl2_kv_pages_used 3\n"));
  EXPECT_THAT(text, HasSubstr("vl2_picture_tiles_total{from=\"tower\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("vl2_picture_tiles_total{from=\"memory\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("vl2_picture_tiles_total{from=\"disk\"} 4\n"));
}

}  // namespace
}  // namespace vl2
