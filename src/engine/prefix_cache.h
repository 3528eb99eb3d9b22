// SPDX-License-Identifier: MIT
// Pages that outlive the sequence that filled them, found again by their content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/content_hash.h"
#include "engine/kv_pool.h"

namespace vl2 {

// Every page that sequences use comes from here and goes back here. A full page can be given a
// name (hash_page); it then stays after its last user until its room is needed, the page that was
// given back longest ago first. Since a page's name covers everything before it, and its numbers
// depend on nothing else, a page found by name holds the very bits that computing it would give.
// One thread at a time.
class PrefixCache {
 public:
  // `pool` is borrowed and must be used through this cache alone.
  explicit PrefixCache(KvPool& pool) : pool_(pool), entries_(pool.page_count()) {}

  // Pages that allocate() can still give: free ones and those that only the cache keeps.
  std::size_t available() const noexcept { return pool_.free_count() + idle_.size(); }
  std::size_t named_count() const noexcept { return by_name_.size(); }

  // How a chain of names would be served, without changing anything.
  struct Match {
    std::size_t pages = 0;  // the longest beginning of the chain that is there
    std::size_t idle = 0;   // of those, pages that count as available
  };
  Match match(std::span<const ContentHash> chain) const;

  // The pages of the longest beginning of the chain that is there, for one more user.
  std::vector<PageId> acquire(std::span<const ContentHash> chain);

  // An empty page for one user; makes room if it must. Nothing when available() is 0.
  std::optional<PageId> allocate();

  // Gives a page that its user has filled a name. If another page has that name, nothing happens.
  void name(PageId page, const ContentHash& name);

  // A user is done with the pages of a sequence, in order.
  void release(std::span<const PageId> pages);

  // The same for pages whose numbers are not finite: their names are gone, and they are zeroed.
  void discard(std::span<const PageId> pages);

 private:
  struct Entry {
    std::optional<ContentHash> name;
    std::optional<std::list<PageId>::iterator> idle;  // where it waits, if only the cache keeps it
  };

  void forget(PageId page);

  KvPool& pool_;
  std::vector<Entry> entries_;  // [page]
  std::unordered_map<ContentHash, PageId, ContentHashKey> by_name_;
  std::list<PageId> idle_;  // the next one to go first
};

}  // namespace vl2
