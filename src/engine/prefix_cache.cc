// SPDX-License-Identifier: MIT
#include "engine/prefix_cache.h"

#include <ranges>

#include "base/check.h"

namespace vl2 {

PrefixCache::Match PrefixCache::match(std::span<const ContentHash> chain) const {
  Match found;
  for (const ContentHash& name : chain) {
    const auto at = by_name_.find(name);
    if (at == by_name_.end()) break;
    ++found.pages;
    found.idle += entries_[at->second].idle.has_value() ? 1 : 0;
  }
  return found;
}

std::vector<PageId> PrefixCache::acquire(std::span<const ContentHash> chain) {
  std::vector<PageId> pages;
  for (const ContentHash& name : chain) {
    const auto at = by_name_.find(name);
    if (at == by_name_.end()) break;
    const PageId page = at->second;
    Entry& entry = entries_[page];
    if (entry.idle) idle_.erase(*entry.idle);
    entry.idle.reset();
    pool_.add_user(page);
    pages.push_back(page);
  }
  return pages;
}

std::optional<PageId> PrefixCache::allocate() {
  if (pool_.free_count() == 0 && !idle_.empty()) forget(idle_.front());
  return pool_.allocate();
}

void PrefixCache::name(PageId page, const ContentHash& name) {
  Entry& entry = entries_[page];
  VL2_CHECK(!entry.name);
  if (!by_name_.emplace(name, page).second) return;
  entry.name = name;
  pool_.add_user(page);  // the cache itself
}

void PrefixCache::release(std::span<const PageId> pages) {
  // The last page first: of a chain, the end goes before the beginning, without which it would
  // never be found.
  for (const PageId page : pages | std::views::reverse) {
    pool_.remove_user(page);
    Entry& entry = entries_[page];
    if (entry.name && pool_.users(page) == 1) entry.idle = idle_.insert(idle_.end(), page);
  }
}

void PrefixCache::discard(std::span<const PageId> pages) {
  for (const PageId page : pages) {
    pool_.spoil(page);
    if (entries_[page].name) forget(page);
    pool_.remove_user(page);
  }
}

void PrefixCache::forget(PageId page) {
  Entry& entry = entries_[page];
  by_name_.erase(*entry.name);
  if (entry.idle) idle_.erase(*entry.idle);
  entry = {};
  pool_.remove_user(page);
}

}  // namespace vl2
