// SPDX-License-Identifier: MIT
#include "checkpoint/shard_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "vl2/error.h"

#include "base/aligned.h"
#include "base/check.h"
#include "base/mapped_file.h"
#include "checkpoint/checksum.h"
#include "checkpoint/packed_text.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

// Where data begins, so that packed matrices, whose sizes are multiples of it, lie at multiples
// too.
constexpr std::size_t kAlignment = 64;

// Length and JSON text. As long for one set of checksums as for another.
std::string header_of(const ShardPlan& plan, std::span<const std::uint32_t> checksums) {
  using Json = nlohmann::ordered_json;
  Json metadata = {{"format", std::string(kPackedMethod)},
                   {"version", std::to_string(kPackedVersion)},
                   {"id", plan.id}};
  Json entries;
  std::size_t offset = 0;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const ShardTensor& tensor = plan.tensors[i];
    metadata[tensor.name] = with_checksum(tensor.description, checksums[i]);
    entries[tensor.name] = {{"dtype", std::string(to_string(tensor.dtype))},
                            {"shape", tensor.shape},
                            {"data_offsets", {offset, offset + tensor.bytes()}}};
    offset += tensor.bytes();
  }
  Json header = {{"__metadata__", std::move(metadata)}};
  header.update(entries);
  std::string text = header.dump();
  text.resize(round_up(sizeof(std::uint64_t) + text.size(), kAlignment) - sizeof(std::uint64_t),
              ' ');
  std::string length;
  for (std::size_t i = 0; i < sizeof(std::uint64_t); ++i)
    length += static_cast<char>(text.size() >> (8 * i) & 0xffU);
  return length + text;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::span<const std::uint8_t> numbers_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

// The checksums in the header of a file that may be something else altogether.
std::optional<std::vector<std::uint32_t>> checksums_in(const SafetensorsFile& file,
                                                       const ShardPlan& plan) {
  std::vector<std::uint32_t> checksums;
  for (const ShardTensor& tensor : plan.tensors) {
    const auto entry = file.metadata().find(tensor.name);
    if (entry == file.metadata().end()) return std::nullopt;
    const auto checksum = split_description(entry->second).second;
    if (!checksum) return std::nullopt;
    checksums.push_back(*checksum);
  }
  return checksums;
}

}  // namespace

std::size_t ShardTensor::bytes() const noexcept {
  std::size_t count = 1;
  for (const std::size_t size : shape) count *= size;
  return count * bits_of(dtype) / 8;
}

std::size_t ShardPlan::data_bytes() const noexcept {
  std::size_t total = 0;
  for (const ShardTensor& tensor : tensors) total += tensor.bytes();
  return total;
}

ShardWriter::ShardWriter(const fs::path& folder, const ShardPlan& plan)
    : plan_(plan),
      path_(folder / plan.file),
      temporary_(folder / (plan.file + ".tmp")),
      checksums_(plan.tensors.size(), 0) {
  descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno);
  const std::string header = header_of(plan_, checksums_);
  write_all(bytes_of(header), 0);
  offset_ = header.size();
}

ShardWriter::~ShardWriter() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void ShardWriter::fail(int error) const {
  throw Error(ErrorCode::io,
              fmt::format("cannot write {}: {}", path_.string(), std::strerror(error)));
}

void ShardWriter::write_all(std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(written < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void ShardWriter::write(std::span<const std::byte> bytes) {
  VL2_CHECK(tensor_ < plan_.tensors.size());
  write_all(bytes, offset_);
  offset_ += bytes.size();
  tensor_bytes_ += bytes.size();
  checksums_[tensor_] = crc32_of(numbers_of(bytes), checksums_[tensor_]);
  const std::size_t whole = plan_.tensors[tensor_].bytes();
  VL2_CHECK(tensor_bytes_ <= whole);
  if (tensor_bytes_ < whole) return;
  ++tensor_;
  tensor_bytes_ = 0;
}

PackedFile ShardWriter::finish() {
  VL2_CHECK(tensor_ == plan_.tensors.size());
  const std::string header = header_of(plan_, checksums_);
  write_all(bytes_of(header), 0);
  if (fsync(descriptor_) != 0) fail(errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
  std::error_code error;
  fs::rename(temporary_, path_, error);
  if (error) fail(error.value());
  return {plan_.file, offset_, crc32_of(numbers_of(bytes_of(header)))};
}

std::optional<PackedFile> finished_shard(const fs::path& folder, const ShardPlan& plan) {
  const fs::path path = folder / plan.file;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  try {
    const SafetensorsFile file(path);
    const auto checksums = checksums_in(file, plan);
    if (!checksums) return std::nullopt;
    const std::string expected = header_of(plan, *checksums);
    const auto header = file.header_bytes();
    if (!std::ranges::equal(header, numbers_of(bytes_of(expected)))) return std::nullopt;
    return PackedFile{plan.file, header.size() + plan.data_bytes(), crc32_of(header)};
  } catch (const Error&) {
    return std::nullopt;  // damaged: it is written again
  }
}

}  // namespace vl2
