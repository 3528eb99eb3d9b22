// SPDX-License-Identifier: MIT
#include "checkpoint/checkpoint.h"

#include <algorithm>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "vl2/error.h"

#include "base/mapped_file.h"

namespace vl2 {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::string_view kSingleFile = "model.safetensors";
constexpr std::string_view kIndexFile = "model.safetensors.index.json";
constexpr std::size_t kMaxIndexBytes = std::size_t{64} << 20;

[[noreturn]] void fail(const fs::path& where, const std::string& what) {
  throw Error(ErrorCode::bad_checkpoint, fmt::format("{}: {}", where.string(), what));
}

// Tensor names to file names.
using WeightMap = std::map<std::string, std::string>;

bool is_there(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at counts as missing
  return fs::exists(path, ignored);
}

// A file of the same folder: no separators, no "..", nothing hidden, no control characters.
bool is_plain_name(std::string_view name) {
  const auto is_plain = [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '/' && c != '\\' && c != '\x7f';
  };
  return !name.starts_with('.') && name.ends_with(".safetensors") &&
         std::ranges::all_of(name, is_plain);
}

WeightMap read_weight_map(const fs::path& path) {
  json index;
  try {
    index = json::parse(read_text_file(path, kMaxIndexBytes));
  } catch (const json::exception&) {
    fail(path, "is not valid JSON; download the file again");
  }
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    fail(path, "has no weight_map that maps tensor names to files");
  WeightMap map;
  for (const auto& [tensor, file] : index["weight_map"].items()) {
    if (!file.is_string() || !is_plain_name(file.get_ref<const std::string&>()))
      fail(path, fmt::format("weight_map places tensor {} in {}, which is not the plain name of a "
                             ".safetensors file in the same folder",
                             json(tensor).dump(), file.dump()));
    map.emplace(tensor, file.get<std::string>());
  }
  if (map.empty()) fail(path, "has an empty weight_map");
  return map;
}

std::vector<SafetensorsFile> open_shards(const fs::path& folder, const WeightMap& map) {
  const fs::path index = folder / kIndexFile;
  std::map<std::string, std::size_t> opened;  // file name to its place in `files`
  std::vector<SafetensorsFile> files;
  for (const auto& [tensor, name] : map) {
    if (opened.contains(name)) continue;
    if (!is_there(folder / name))
      fail(index, fmt::format("lists {}, which is not in the folder; download it", name));
    opened.emplace(name, files.size());
    files.emplace_back(folder / name);
  }
  for (const auto& [tensor, name] : map)
    if (files[opened.at(name)].find(tensor) == nullptr)
      fail(index, fmt::format("places tensor {} in {}, which does not hold it", json(tensor).dump(),
                              name));
  return files;
}

// Without an index: every model*.safetensors, by name.
std::vector<fs::path> list_files(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("model") && name.ends_with(".safetensors")) paths.push_back(entry->path());
  }
  if (error)
    throw Error(ErrorCode::io,
                fmt::format("cannot list the folder {}: {}", folder.string(), error.message()));
  std::ranges::sort(paths);
  return paths;
}

std::vector<SafetensorsFile> open_files(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    throw Error(ErrorCode::not_found, fmt::format("there is no model folder {}", folder.string()));
  if (!is_there(folder / kSingleFile) && is_there(folder / kIndexFile))
    return open_shards(folder, read_weight_map(folder / kIndexFile));

  std::vector<SafetensorsFile> files;
  if (is_there(folder / kSingleFile)) {
    files.emplace_back(folder / kSingleFile);
  } else {
    for (const fs::path& path : list_files(folder)) files.emplace_back(path);
  }
  if (files.empty())
    throw Error(ErrorCode::not_found,
                fmt::format("{} holds no weights; expected {} or shards with {}", folder.string(),
                            kSingleFile, kIndexFile));
  return files;
}

}  // namespace

Checkpoint::Checkpoint(fs::path folder) : folder_(std::move(folder)), files_(open_files(folder_)) {
  for (const SafetensorsFile& file : files_) {
    for (const TensorView& tensor : file.tensors()) {
      const auto [entry, is_new] = by_name_.emplace(tensor.name, &tensor);
      if (!is_new)
        fail(folder_, fmt::format("tensor {} is in {} and again in {}", json(tensor.name).dump(),
                                  entry->second->file->filename().string(),
                                  file.path().filename().string()));
      tensors_.push_back(&tensor);
    }
  }
  std::ranges::sort(tensors_, {}, &TensorView::name);
}

std::size_t Checkpoint::total_bytes() const noexcept {
  std::size_t total = 0;
  for (const TensorView* tensor : tensors_) total += tensor->bytes.size();
  return total;
}

const TensorView* Checkpoint::find(std::string_view name) const {
  const auto entry = by_name_.find(name);
  return entry == by_name_.end() ? nullptr : entry->second;
}

const TensorView& Checkpoint::tensor(std::string_view name) const {
  const TensorView* found = find(name);
  if (found == nullptr) fail(folder_, fmt::format("tensor {} is missing from the weights", name));
  return *found;
}

const TensorView& Checkpoint::expect(std::string_view name,
                                     std::span<const std::size_t> shape) const {
  const TensorView& found = tensor(name);
  if (!std::ranges::equal(found.shape, shape))
    fail(*found.file, fmt::format("tensor {} has shape {}, but config.json asks for {}", name,
                                  shape_text(found.shape), shape_text(shape)));
  return found;
}

const TensorView& Checkpoint::expect(std::string_view name,
                                     std::initializer_list<std::size_t> shape) const {
  return expect(name, std::span(shape.begin(), shape.size()));
}

}  // namespace vl2
