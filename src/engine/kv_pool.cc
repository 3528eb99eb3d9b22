// SPDX-License-Identifier: MIT
#include "engine/kv_pool.h"

#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/check.h"

namespace vl2 {

KvPool::KvPool(std::span<const std::size_t> page_bytes, std::size_t pages)
    : users_(pages), spoiled_(pages), free_(pages) {
  const std::size_t each = std::accumulate(page_bytes.begin(), page_bytes.end(), std::size_t{0});
  try {
    for (const std::size_t bytes : page_bytes) {
      AlignedBuffer& slab = slabs_.emplace_back(bytes * pages);
      layers_.push_back({slab.data(), bytes});
    }
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("the KV cache of {} tokens takes {} MiB, which this machine does not "
                            "give; ask for a smaller context or cache",
                            pages * kPageTokens, (each * pages) >> 20));
  }
  // Low pages first: they are the ones that were used before.
  for (std::size_t i = 0; i < pages; ++i) free_[i] = static_cast<PageId>(pages - 1 - i);
}

std::size_t KvPool::total_bytes() const noexcept {
  std::size_t sum = 0;
  for (const AlignedBuffer& slab : slabs_) sum += slab.size();
  return sum;
}

std::optional<PageId> KvPool::allocate() {
  if (free_.empty()) return {};
  const PageId page = free_.back();
  free_.pop_back();
  VL2_CHECK(users_[page] == 0);
  users_[page] = 1;
  return page;
}

void KvPool::add_user(PageId page) {
  VL2_CHECK(page < users_.size() && users_[page] > 0);
  ++users_[page];
}

void KvPool::remove_user(PageId page) {
  VL2_CHECK(page < users_.size() && users_[page] > 0);
  if (--users_[page] > 0) return;
  if (spoiled_[page]) clear(page);
  free_.push_back(page);
}

void KvPool::clear(PageId page) {
  for (const LayerPages& layer : layers_)
    std::memset(layer.data + page * layer.page_bytes, 0, layer.page_bytes);
  spoiled_[page] = false;
}

}  // namespace vl2
