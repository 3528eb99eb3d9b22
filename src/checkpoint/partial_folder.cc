// SPDX-License-Identifier: MIT
#include "checkpoint/partial_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

#include "vl2/error.h"

#include "base/mapped_file.h"
#include "base/write_all.h"
#include "checkpoint/checksum.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kStamp = "vl2-quantize";
// Everything but weights that a model folder needs or that should stay with it.
constexpr std::array<std::string_view, 7> kFiles = {
    "processor_config.json",   "tokenizer.json",    "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "generation_config.json",
    "preprocessor_config.json"};

[[noreturn]] void fail(const char* verb, const fs::path& path, int error) {
  throw Error(ErrorCode::io,
              fmt::format("cannot {} {}: {}", verb, path.string(), std::strerror(error)));
}

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

void wait_for_disk(const fs::path& folder) {
  const Descriptor descriptor{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (descriptor.number < 0 || fsync(descriptor.number) != 0) fail("write", folder, errno);
}

void write_file(const fs::path& path, std::string_view text) {
  const Descriptor file{open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (file.number < 0) fail("write", path, errno);
  if (const int error = write_all(file.number, text)) fail("write", path, error);
  if (fsync(file.number) != 0) fail("write", path, errno);
}

std::uint32_t checksum_of(std::string_view text) {
  return crc32_of({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

bool is_kept(const std::string& name) {
  return std::ranges::find(kFiles, name) != kFiles.end() || name.starts_with("LICENSE") ||
         name.starts_with("NOTICE");
}

std::vector<PackedFile> copy_files(const fs::path& in, const fs::path& out) {
  std::vector<PackedFile> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(in)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || !is_kept(name)) continue;
    const std::string text = read_text_file(entry.path());
    write_file(out / name, text);
    files.push_back({name, text.size(), checksum_of(text)});
  }
  std::ranges::sort(files, {}, &PackedFile::name);
  return files;
}

Json json_of(std::span<const PackedFile> files) {
  Json list = Json::array();
  for (const PackedFile& file : files)
    list.push_back(
        {{"file", file.name}, {"bytes", file.bytes}, {"crc32", checksum_text(file.checksum)}});
  return list;
}

std::string config_with(const fs::path& in, const PackedDescription& description) {
  Json config = Json::parse(read_text_file(in / "config.json"));
  Json& section = config["quantization_config"];
  section["quant_method"] = std::string(kPackedMethod);
  section["version"] = kPackedVersion;
  section["recipe"] = std::string(to_string(description.recipe));
  section["id"] = description.id;
  section["shards"] = json_of(description.shards);
  section["files"] = json_of(description.files);
  return config.dump(2) + "\n";
}

std::string index_of(std::span<const ShardPlan> shards) {
  Json index;
  std::size_t total = 0;
  Json map = Json::object();
  for (const ShardPlan& shard : shards) {
    total += shard.data_bytes();
    for (const ShardTensor& tensor : shard.tensors) map[tensor.name] = shard.file;
  }
  index["metadata"]["total_size"] = total;
  index["weight_map"] = std::move(map);
  return index.dump(2) + "\n";
}

// "a/b/" and "a/b" are the same name.
fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

PartialFolder::PartialFolder(const fs::path& out, const std::string& id, std::size_t shard_bytes)
    : out_(without_slash(out)), path_(out_.string() + ".partial"), stamp_(path_ / kStamp) {
  std::error_code error;
  fs::create_directory(path_, error);
  if (error) fail("make the folder", path_, error.value());
  claim(fmt::format("{} {}\n", id, shard_bytes));
}

PartialFolder::~PartialFolder() {
  if (lock_ >= 0) close(lock_);
}

void PartialFolder::claim(const std::string& stamp) {
  lock_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) fail("open", path_, errno);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0)
    throw Error(ErrorCode::invalid_argument,
                fmt::format("another vl2 quantize is at work in {}", path_.string()));
  std::error_code ignored;
  if (!fs::exists(stamp_, ignored)) {
    if (!fs::is_empty(path_, ignored))
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{} is not from vl2 quantize; move it away", path_.string()));
    write_file(stamp_, stamp);
  } else if (read_text_file(stamp_) != stamp) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} was begun from another model, recipe, shard size or version; "
                            "remove it or choose another name",
                            path_.string()));
  }
}

void PartialFolder::require_space(std::size_t bytes) const {
  std::error_code error;
  const fs::space_info space = fs::space(path_, error);
  if (error || space.available >= bytes) return;
  constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
  throw Error(ErrorCode::io,
              fmt::format("{}: {:.2f} GiB are still to be written and the disk has {:.2f} GiB "
                          "free; free some, or choose another disk",
                          path_.string(), static_cast<double>(bytes) / kGib,
                          static_cast<double>(space.available) / kGib));
}

void PartialFolder::complete(const fs::path& in, PackedDescription description,
                             std::span<const ShardPlan> shards) {
  description.files = copy_files(in, path_);
  if (shards.size() > 1) write_file(path_ / "model.safetensors.index.json", index_of(shards));
  const fs::path unnamed = path_ / "config.json.tmp";
  write_file(unnamed, config_with(in, description));
  wait_for_disk(path_);
  std::error_code error;
  fs::rename(unnamed, path_ / "config.json", error);
  if (!error) wait_for_disk(path_);
  if (!error) fs::rename(path_, out_, error);
  if (error) fail("finish", out_, error.value());
  fs::remove(out_ / kStamp, error);  // no harm if it stays
}

}  // namespace vl2
