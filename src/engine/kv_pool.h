// SPDX-License-Identifier: MIT
// The memory of the KV cache: a fixed number of pages of kPageTokens tokens, each with a part in
// every layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "kernels/attention/attention.h"

namespace vl2 {

using PageId = std::uint32_t;

// Counts users of pages; a page without users is free. Memory is zero at first and used page by
// page, so that a large pool costs what is in use. One thread at a time.
class KvPool {
 public:
  // `page_bytes` has a number a layer. Throws Error{out_of_memory} with the size.
  KvPool(std::span<const std::size_t> page_bytes, std::size_t pages);

  // As the model's step takes them.
  std::span<const LayerPages> layers() const noexcept { return layers_; }
  std::size_t page_count() const noexcept { return users_.size(); }
  std::size_t free_count() const noexcept { return free_.size(); }
  std::size_t total_bytes() const noexcept;

  // A page with one user, if one is free.
  std::optional<PageId> allocate();
  void add_user(PageId page);
  void remove_user(PageId page);
  std::uint32_t users(PageId page) const { return users_[page]; }

  // The page holds numbers that are not finite. Attention multiplies what a query doesn't see by
  // zero, so such a page must be zeroed before it has another user; that happens when it is freed.
  void spoil(PageId page) { spoiled_[page] = true; }

 private:
  void clear(PageId page);

  std::vector<AlignedBuffer> slabs_;  // [layer]
  std::vector<LayerPages> layers_;
  std::vector<std::uint32_t> users_;  // [page]
  std::vector<bool> spoiled_;         // [page]
  std::vector<PageId> free_;          // the next one last
};

}  // namespace vl2
