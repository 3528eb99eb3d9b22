// SPDX-License-Identifier: MIT
// A request on its way: its tokens, what of them is computed, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/content_hash.h"
#include "engine/kv_pool.h"
#include "engine/picture_cache.h"
#include "engine/request.h"
#include "engine/sampler.h"
#include "engine/stop_strings.h"
#include "text/stream_decoder.h"

namespace vl2 {

// A picture of the prompt on its way to rows.
struct SequencePicture {
  PlacedPicture place;
  std::vector<TileRows> tiles;  // [tile], null where not encoded yet
  std::vector<float> rows;      // [place.count][hidden_size], once all tiles are there
};

// The runtime moves it on; this keeps the parts consistent.
class Sequence {
 public:
  // `tokenizer` may be missing: then there is no text. The request must have passed all checks.
  Sequence(RequestId id, Request request, const std::optional<Tokenizer>& tokenizer,
           std::size_t context_tokens);

  RequestId id() const noexcept { return id_; }
  const GenerationOptions& options() const noexcept { return options_; }
  // Every chosen token is to be reported with its probability.
  bool wants_reports() const noexcept { return wants_reports_; }

  // The prompt, then what was generated.
  std::span<const std::int32_t> ids() const noexcept { return ids_; }
  std::size_t prompt_tokens() const noexcept { return prompt_tokens_; }
  std::size_t generated_tokens() const noexcept { return ids_.size() - prompt_tokens_; }
  bool in_prompt() const noexcept { return computed_ < prompt_tokens_; }
  // Tokens whose keys and values are in the pages, from the beginning.
  std::size_t computed() const noexcept { return computed_; }
  std::size_t uncomputed() const noexcept { return ids_.size() - computed_; }
  // No more tokens may be generated.
  bool at_limit() const noexcept { return ids_.size() >= most_tokens_; }

  // Pages this sequence needs when it becomes as long as it may, and those it still has to get.
  std::size_t most_pages() const noexcept;
  std::size_t pages_to_come() const noexcept { return most_pages() - pages_.size(); }
  std::span<const PageId> pages() const noexcept { return pages_; }
  std::vector<PageId> take_pages() noexcept;
  // The next page is one that nobody has filled.
  void add_page(PageId page) { pages_.push_back(page); }

  // Names of the pages that the tokens so far fill, those that would come from a cache first.
  // The page with the last token of the prompt is not among the cacheable ones, because its logits
  // have to be computed.
  std::span<const ContentHash> cacheable_chain();
  // More pages of that chain, filled already, behind those it has. computed() must be at a page's
  // beginning.
  void add_cached_pages(std::span<const PageId> pages);
  // Tokens up to computed() + count are computed now.
  void advance(std::size_t count);
  // A full page that has no name yet.
  struct NewPage {
    PageId page;
    ContentHash name;
  };
  std::optional<NewPage> next_unnamed_page();

  // Pictures whose rows the tokens to come need. Earlier ones are dropped by advance().
  std::span<SequencePicture> pictures() noexcept { return pictures_; }
  bool needs_pictures() const noexcept;
  std::size_t tile_count() const noexcept;
  std::size_t tiles_done() const noexcept;

  // The ids that the repetition penalty and the n-gram ban look at.
  std::span<const std::int32_t> penalized_ids() const noexcept;
  Sampler& sampler() noexcept { return sampler_; }

  // Adds a generated token. Returns the text that is certain now. The end-of-sentence token has
  // no text: pass `is_end`.
  std::string accept(std::int32_t token, bool is_end);
  bool stop_string_found() const noexcept { return stops_.found(); }
  // The answer is over: the text that was held back.
  std::string finish_text();

  bool cancelled = false;  // to end with the next step
  bool ended = false;      // has no pages any more, and is not to be used
  Usage usage;
  Timings timings;

 private:
  void extend_chain(std::size_t pages);
  TokenContent content_of(std::size_t token) const;

  RequestId id_;
  GenerationOptions options_;
  bool wants_reports_;
  std::vector<std::int32_t> ids_;
  struct NamedPicture {
    ContentHash hash;
    std::size_t first;
    std::size_t count;
  };
  std::vector<NamedPicture> picture_names_;  // of the whole prompt, in order
  std::size_t prompt_tokens_;
  std::size_t most_tokens_;
  std::size_t computed_ = 0;
  std::vector<PageId> pages_;
  std::vector<ContentHash> chain_;  // names of full pages, as far as they were needed
  std::size_t named_pages_ = 0;
  std::vector<SequencePicture> pictures_;
  Sampler sampler_;
  StopStrings stops_;
  std::optional<StreamDecoder> decoder_;
};

}  // namespace vl2
