// SPDX-License-Identifier: MIT
#include "checkpoint/packed_folder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "vl2/error.h"

#include "base/mapped_file.h"
#include "checkpoint/checksum.h"
#include "checkpoint/packed_text.h"
#include "checkpoint/tensor_values.h"

namespace vl2 {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigBytes = std::size_t{16} << 20;

[[noreturn]] void fail(const fs::path& where, const std::string& what) {
  throw Error(ErrorCode::bad_checkpoint, fmt::format("{}: {}", where.string(), what));
}

// Turns config.json's section into a description; a class only to carry the file's name.
class DescriptionReader {
 public:
  explicit DescriptionReader(fs::path file) : file_(std::move(file)) {}

  PackedDescription read(const json& section) const {
    if (!section.is_object()) broken("is not an object");
    const std::string method = text(section, "quant_method");
    if (method != kPackedMethod) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{}: the weights are quantized by the method \"{}\"; take the "
                              "released weights, and --weights or vl2 quantize",
                              file_.string(), method));
    }
    const std::uint64_t version = number(section, "version");
    if (version != kPackedVersion) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{}: the folder was packed in version {} of the format, this program "
                              "reads version {}; run vl2 quantize again",
                              file_.string(), version, kPackedVersion));
    }
    PackedDescription description;
    description.recipe = recipe_from_text(text(section, "recipe"));
    description.id = text(section, "id");
    description.shards = files(section, "shards");
    description.files = files(section, "files");
    if (description.shards.empty()) broken("names no shards");
    return description;
  }

 private:
  [[noreturn]] void broken(const std::string& what) const {
    fail(file_, fmt::format("quantization_config {}; copy the file again", what));
  }
  std::string text(const json& object, const char* key) const {
    if (!object.contains(key) || !object[key].is_string())
      broken(fmt::format("has no text \"{}\"", key));
    return object[key].get<std::string>();
  }
  std::uint64_t number(const json& object, const char* key) const {
    if (!object.contains(key) || !object[key].is_number_unsigned())
      broken(fmt::format("has no number \"{}\"", key));
    return object[key].get<std::uint64_t>();
  }
  Recipe recipe_from_text(const std::string& name) const {
    try {
      return recipe_from(name);
    } catch (const Error&) {
      broken(fmt::format("has the unknown recipe \"{}\"", name));
    }
  }
  std::vector<PackedFile> files(const json& section, const char* key) const {
    if (!section.contains(key) || !section[key].is_array())
      broken(fmt::format("has no list \"{}\"", key));
    std::vector<PackedFile> list;
    for (const json& entry : section[key]) {
      if (!entry.is_object()) broken(fmt::format("has no objects in \"{}\"", key));
      PackedFile file{text(entry, "file"), number(entry, "bytes"), 0};
      if (file.name.empty() || file.name.find('/') != std::string::npos || file.name[0] == '.')
        broken(fmt::format("names a file {} that is not in the folder", json(file.name).dump()));
      const auto checksum = checksum_from_text(text(entry, "crc32"));
      if (!checksum) broken(fmt::format("has a crc32 of {} that is none", file.name));
      file.checksum = *checksum;
      list.push_back(std::move(file));
    }
    return list;
  }

  fs::path file_;
};

bool is_finite(float value) noexcept { return std::isfinite(value); }

// Multipliers end each pair of a quantized matrix: [stack * pairs][pair_bytes].
bool multipliers_are_finite(const TensorView& tensor, WeightFormat format) {
  if (!is_quantized(format)) return true;
  constexpr std::size_t kBytes = kPairColumns * sizeof(float);
  const std::size_t pair_bytes = tensor.shape.back();
  float multipliers[kPairColumns];
  for (std::size_t end = pair_bytes; end <= tensor.bytes.size(); end += pair_bytes) {
    std::memcpy(multipliers, tensor.bytes.data() + end - kBytes, kBytes);
    if (!std::ranges::all_of(multipliers, is_finite)) return false;
  }
  return true;
}

}  // namespace

std::optional<PackedDescription> read_packed_description(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  json config;
  try {
    config = json::parse(read_text_file(path, kMaxConfigBytes));
  } catch (const json::exception&) {
    fail(path, "is not valid JSON; copy the file again");
  }
  if (!config.is_object() || !config.contains("quantization_config")) return std::nullopt;
  if (config["quantization_config"].is_null()) return std::nullopt;
  return DescriptionReader(path).read(config["quantization_config"]);
}

PackedFolder::PackedFolder(fs::path folder, PackedDescription description)
    : folder_(std::move(folder)), description_(std::move(description)) {
  check_sizes();
  checkpoint_ = std::make_shared<const Checkpoint>(folder_);
  check_shards();
}

void PackedFolder::check_sizes() const {
  for (const PackedFile& shard : description_.shards) {
    const fs::path path = folder_ / shard.name;
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(path, error);
    if (error) fail(path, "is missing or cannot be read; copy it from where the folder came from");
    if (bytes != shard.bytes)
      fail(path,
           fmt::format("has {} bytes, config.json says {}; copy it again", bytes, shard.bytes));
  }
}

void PackedFolder::check_shards() const {
  for (const SafetensorsFile& file : checkpoint_->files()) {
    const fs::path& path = file.path();
    const auto described =
        std::ranges::find(description_.shards, path.filename().string(), &PackedFile::name);
    if (described == description_.shards.end())
      fail(path, "is not among the shards that config.json lists; the folder is a mixture of two");
    const auto id = file.metadata().find("id");
    if (id == file.metadata().end() || id->second != description_.id)
      fail(path, "belongs to another packed folder than config.json; copy the right one here");
    if (crc32_of(file.header_bytes()) != described->checksum)
      fail(path, "has a damaged header; copy it again");
  }
  if (checkpoint_->files().size() != description_.shards.size())
    fail(folder_, fmt::format("holds {} shards, config.json lists {}", checkpoint_->files().size(),
                              description_.shards.size()));
}

const std::string& PackedFolder::metadata_of(const TensorView& tensor) const {
  for (const SafetensorsFile& file : checkpoint_->files()) {
    if (&file.path() != tensor.file) continue;
    const auto entry = file.metadata().find(tensor.name);
    if (entry != file.metadata().end()) return entry->second;
  }
  fail(*tensor.file, fmt::format("does not describe tensor {}; copy it again", tensor.name));
}

std::string PackedFolder::description_of(const TensorView& tensor) const {
  return split_description(metadata_of(tensor)).first;
}

void PackedFolder::verify_tensor(const TensorView& tensor) const {
  const auto [description, checksum] = split_description(metadata_of(tensor));
  if (checksum != crc32_of(tensor.bytes))
    fail(*tensor.file, fmt::format("tensor {} is damaged; copy the file again", tensor.name));
  bool finite = true;
  if (tensor.dtype == Dtype::u8) {
    const std::string format = description.substr(0, description.find(' '));
    finite = multipliers_are_finite(tensor, weight_format_from(format));
  } else {
    finite = !first_non_finite(tensor).has_value();
  }
  if (!finite)
    fail(*tensor.file, fmt::format("tensor {} holds numbers that are not finite", tensor.name));
}

void PackedFolder::verify(
    const std::function<bool(std::size_t done, std::size_t total)>& progress) const {
  for (const PackedFile& file : description_.files) {
    const MappedFile mapped(folder_ / file.name);
    if (mapped.bytes().size() != file.bytes || crc32_of(mapped.bytes()) != file.checksum)
      fail(folder_ / file.name, "is not the file that vl2 quantize put here");
  }
  std::size_t done = 0;
  for (const TensorView* tensor : checkpoint_->tensors()) {
    verify_tensor(*tensor);
    release_pages(tensor->bytes);
    done += tensor->bytes.size();
    if (progress && !progress(done, checkpoint_->total_bytes()))
      throw Error(ErrorCode::cancelled, "checking the folder was stopped");
  }
}

}  // namespace vl2
