// SPDX-License-Identifier: MIT
#include "engine/memory_limit.h"

#include <algorithm>
#include <fstream>

#include <unistd.h>

namespace vl2 {
namespace {

// Version 2 and version 1 of control groups. The file holds "max" or a huge number where there is
// no limit.
constexpr const char* kLimitFiles[] = {"/sys/fs/cgroup/memory.max",
                                       "/sys/fs/cgroup/memory/memory.limit_in_bytes"};

}  // namespace

std::size_t memory_limit_bytes() {
  std::size_t limit = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (const char* name : kLimitFiles) {
    std::ifstream file(name);
    std::size_t bytes = 0;
    if (file >> bytes) limit = std::min(limit, bytes);
  }
  return limit;
}

}  // namespace vl2
