// SPDX-License-Identifier: MIT
#include "base/aligned.h"

#include <cstdint>
#include <string>

#include <sys/mman.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

}  // namespace

AlignedBuffer::AlignedBuffer(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  const bool huge = bytes >= kHugePageBytes;
  // A mapping starts at any 4 KB page: for huge pages, map more and cut to the boundary. The end
  // has small pages; a huge one there would cost a megabyte of each matrix of a model.
  const std::size_t wanted = round_up(bytes, kPageBytes);
  const std::size_t mapped = huge ? wanted + kHugePageBytes : wanted;
  void* raw = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) {
    throw Error(ErrorCode::out_of_memory,
                "cannot allocate " + std::to_string(bytes >> 20) + " MiB of memory");
  }
  auto* begin = static_cast<std::byte*>(raw);
  if (huge) {
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    const std::size_t before = round_up(address, kHugePageBytes) - address;
    if (before > 0) munmap(begin, before);
    begin += before;
    const std::size_t after = mapped - before - wanted;
    if (after > 0) munmap(begin + wanted, after);
    madvise(begin, wanted / kHugePageBytes * kHugePageBytes, MADV_HUGEPAGE);
  }
  data_ = std::unique_ptr<std::byte[], Unmap>(begin, Unmap{wanted});
}

void Unmap::operator()(std::byte* data) const noexcept { munmap(data, mapped_bytes); }

}  // namespace vl2
