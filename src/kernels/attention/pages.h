// SPDX-License-Identifier: MIT
// Positions of a batch's rows in the pages of the cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "kernels/attention/attention.h"

namespace vl2 {

// The rows of one span that lie in one page.
struct PageRun {
  std::uint32_t page = 0;
  std::size_t first_row = 0;   // of the batch
  std::size_t first_slot = 0;  // position inside the page
  std::size_t count = 0;
};

inline std::size_t pages_touched(const AttentionSpan& span) noexcept {
  if (span.row_count == 0) return 0;
  return (span.first_position + span.row_count - 1) / kPageTokens -
         span.first_position / kPageTokens + 1;
}

inline std::size_t pages_touched(std::span<const AttentionSpan> spans) noexcept {
  std::size_t count = 0;
  for (const AttentionSpan& span : spans) count += pages_touched(span);
  return count;
}

// Number i of the pages touched by all spans.
inline PageRun page_run(std::span<const AttentionSpan> spans, std::size_t i) noexcept {
  const AttentionSpan* span = spans.data();
  for (; i >= pages_touched(*span); ++span) i -= pages_touched(*span);
  const std::size_t page = span->first_position / kPageTokens + i;
  const std::size_t begin = std::max(page * kPageTokens, span->first_position);
  const std::size_t end =
      std::min((page + 1) * kPageTokens, span->first_position + span->row_count);
  return {span->pages[page], span->first_row + (begin - span->first_position), begin % kPageTokens,
          end - begin};
}

}  // namespace vl2
