// SPDX-License-Identifier: MIT
#include "engine/sequence.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace vl2 {
namespace {

constexpr std::size_t pages_for(std::size_t tokens) {
  return (tokens + kPageTokens - 1) / kPageTokens;
}

}  // namespace

Sequence::Sequence(RequestId id, Request request, const std::optional<Tokenizer>& tokenizer,
                   std::size_t context_tokens)
    : id_(id),
      options_(std::move(request.options)),
      wants_reports_(options_.logprobs > 0 || request.steering.report_chosen),
      ids_(std::move(request.prompt.ids)),
      prompt_tokens_(ids_.size()),
      most_tokens_(prompt_tokens_ + std::min(options_.max_tokens, context_tokens - prompt_tokens_)),
      sampler_(options_, std::move(request.steering)),
      stops_(options_.stop) {
  usage.prompt_tokens = prompt_tokens_;
  usage.image_tokens = request.prompt.image_tokens();
  if (tokenizer) decoder_.emplace(*tokenizer);
  for (PlacedPicture& place : request.prompt.pictures) {
    picture_names_.push_back({place.picture->hash, place.first, place.count});
    const std::size_t tiles = place.picture->tiles.size();
    pictures_.push_back({std::move(place), std::vector<TileRows>(tiles), {}});
  }
}

// The last token that may be generated is never computed.
std::size_t Sequence::most_pages() const noexcept { return pages_for(most_tokens_ - 1); }

std::vector<PageId> Sequence::take_pages() noexcept { return std::exchange(pages_, {}); }

TokenContent Sequence::content_of(std::size_t token) const {
  TokenContent content{ids_[token], false, {}, 0};
  const auto after = std::ranges::upper_bound(picture_names_, token, {}, &NamedPicture::first);
  if (after == picture_names_.begin()) return content;
  const NamedPicture& picture = *std::prev(after);
  if (token >= picture.first + picture.count) return content;
  content.is_image = true;
  content.picture = picture.hash;
  content.offset = static_cast<std::uint32_t>(token - picture.first);
  return content;
}

void Sequence::extend_chain(std::size_t pages) {
  while (chain_.size() < pages) {
    std::array<TokenContent, kPageTokens> contents;
    const std::size_t first = chain_.size() * kPageTokens;
    for (std::size_t i = 0; i < kPageTokens; ++i) contents[i] = content_of(first + i);
    chain_.push_back(hash_page(chain_.empty() ? ContentHash{} : chain_.back(), contents));
  }
}

std::span<const ContentHash> Sequence::cacheable_chain() {
  const std::size_t pages = (prompt_tokens_ - 1) / kPageTokens;
  extend_chain(pages);
  return std::span(chain_).first(pages);
}

void Sequence::add_cached_pages(std::span<const PageId> pages) {
  VL2_CHECK(computed_ == pages_.size() * kPageTokens);
  pages_.insert(pages_.end(), pages.begin(), pages.end());
  named_pages_ += pages.size();
  usage.cached_tokens += pages.size() * kPageTokens;
  advance(pages.size() * kPageTokens);
}

void Sequence::advance(std::size_t count) {
  computed_ += count;
  VL2_CHECK(computed_ <= ids_.size() && computed_ <= pages_.size() * kPageTokens);
  std::erase_if(pictures_, [&](const SequencePicture& picture) {
    return picture.place.first + picture.place.count <= computed_;
  });
}

std::optional<Sequence::NewPage> Sequence::next_unnamed_page() {
  if (named_pages_ == computed_ / kPageTokens) return {};
  const std::size_t page = named_pages_++;
  extend_chain(page + 1);
  return NewPage{pages_[page], chain_[page]};
}

bool Sequence::needs_pictures() const noexcept {
  return std::ranges::any_of(pictures_,
                             [](const SequencePicture& picture) { return picture.rows.empty(); });
}

std::size_t Sequence::tile_count() const noexcept {
  std::size_t count = 0;
  for (const SequencePicture& picture : pictures_) count += picture.tiles.size();
  return count;
}

std::size_t Sequence::tiles_done() const noexcept {
  std::size_t count = 0;
  for (const SequencePicture& picture : pictures_)
    count += static_cast<std::size_t>(
        std::ranges::count_if(picture.tiles, [](const TileRows& rows) { return rows != nullptr; }));
  return count;
}

std::span<const std::int32_t> Sequence::penalized_ids() const noexcept {
  return options_.penalize_prompt ? ids() : ids().subspan(prompt_tokens_);
}

std::string Sequence::accept(std::int32_t token, bool is_end) {
  ids_.push_back(token);
  sampler_.accept(token);
  usage.completion_tokens = generated_tokens();
  if (is_end || !decoder_) return {};
  return stops_.push(decoder_->push(token));
}

std::string Sequence::finish_text() {
  if (!decoder_ || stops_.found()) return {};
  std::string text = stops_.push(decoder_->flush());
  return text + stops_.flush();
}

}  // namespace vl2
