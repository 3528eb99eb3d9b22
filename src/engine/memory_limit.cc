// SPDX-License-Identifier: MIT
#include "engine/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include <unistd.h>

namespace vl2 {
namespace {

// The number after a word in a file of lines like "word number"; `otherwise` if there is none.
std::size_t number_in(const char* name, const std::string& wanted, std::size_t otherwise) {
  std::ifstream file(name);
  std::string word;
  while (file >> word) {
    std::size_t number = 0;
    if (word == wanted && file >> number) return number;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return otherwise;
}

std::size_t machine_kib(const char* what) { return number_in("/proc/meminfo", what, 0); }

struct ControlGroup {
  const char* limit;  // "max" or a huge number where there is none
  const char* used;
  const char* statistics;
  const char* file_cache;  // of statistics: counted as used, but given back when it is wanted
};

constexpr ControlGroup kVersions[] = {
    {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat",
     "file"},
    {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
     "/sys/fs/cgroup/memory/memory.stat", "cache"}};

std::size_t minus(std::size_t a, std::size_t b) { return a - std::min(a, b); }

}  // namespace

MemoryThere memory_there() {
  MemoryThere there{machine_kib("MemTotal:") << 10,
                    (machine_kib("MemAvailable:") + machine_kib("SwapFree:")) << 10};
  if (there.limit_bytes == 0 || there.free_bytes == 0) {  // a container without /proc
    const std::size_t all = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
                            static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    there = {all, all};
  }
  for (const ControlGroup& group : kVersions) {
    std::size_t limit = 0;
    if (!(std::ifstream(group.limit) >> limit) || limit >= there.limit_bytes) continue;
    std::size_t used = 0;
    std::ifstream(group.used) >> used;
    const std::size_t cache = number_in(group.statistics, group.file_cache, 0);
    there = {limit, std::min(there.free_bytes, minus(limit, minus(used, cache)))};
  }
  return there;
}

}  // namespace vl2
