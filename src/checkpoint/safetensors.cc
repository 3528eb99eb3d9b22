// SPDX-License-Identifier: MIT
#include "checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "vl2/error.h"

namespace vl2 {
namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 8;

struct DtypeLine {
  Dtype dtype;
  std::string_view name;
  std::size_t bits;
};

// In the order of the enumerators.
constexpr std::array kDtypes = {
    DtypeLine{Dtype::f32, "F32", 32},        DtypeLine{Dtype::bf16, "BF16", 16},
    DtypeLine{Dtype::f16, "F16", 16},        DtypeLine{Dtype::f64, "F64", 64},
    DtypeLine{Dtype::boolean, "BOOL", 8},    DtypeLine{Dtype::u8, "U8", 8},
    DtypeLine{Dtype::i8, "I8", 8},           DtypeLine{Dtype::u16, "U16", 16},
    DtypeLine{Dtype::i16, "I16", 16},        DtypeLine{Dtype::u32, "U32", 32},
    DtypeLine{Dtype::i32, "I32", 32},        DtypeLine{Dtype::u64, "U64", 64},
    DtypeLine{Dtype::i64, "I64", 64},        DtypeLine{Dtype::f8_e4m3, "F8_E4M3", 8},
    DtypeLine{Dtype::f8_e5m2, "F8_E5M2", 8}, DtypeLine{Dtype::f8_e8m0, "F8_E8M0", 8},
    DtypeLine{Dtype::f6_e2m3, "F6_E2M3", 6}, DtypeLine{Dtype::f6_e3m2, "F6_E3M2", 6},
    DtypeLine{Dtype::f4, "F4", 4},           DtypeLine{Dtype::c64, "C64", 64},
};

constexpr bool dtypes_are_in_order() {
  for (std::size_t i = 0; i < kDtypes.size(); ++i)
    if (static_cast<std::size_t>(kDtypes[i].dtype) != i) return false;
  return true;
}
static_assert(dtypes_are_in_order());

const DtypeLine& line_of(Dtype dtype) noexcept { return kDtypes[static_cast<std::size_t>(dtype)]; }

// Turns one header into views; a class only to carry the file's name into messages.
class HeaderParser {
 public:
  HeaderParser(std::span<const std::uint8_t> bytes, const std::filesystem::path& file)
      : bytes_(bytes), file_(file) {}

  SafetensorsContents parse() {
    const json header = parse_json(header_text());
    SafetensorsContents contents;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__")
        contents.metadata = parse_metadata(entry);
      else
        contents.tensors.push_back(parse_tensor(name, entry));
    }
    check_coverage(contents.tensors);
    return contents;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::bad_checkpoint,
                fmt::format("{}: {}; download the file again", file_.string(), what));
  }
  [[noreturn]] void fail_tensor(const std::string& name, const std::string& what) const {
    fail(fmt::format("tensor {} {}", json(name).dump(), what));
  }

  std::string_view header_text() {
    if (bytes_.size() < kLengthBytes)
      fail(fmt::format("has {} bytes, too few for a safetensors file", bytes_.size()));
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i)
      length |= static_cast<std::uint64_t>(bytes_[i]) << (8 * i);
    if (length > kMaxSafetensorsHeaderBytes)
      fail(fmt::format("claims a header of {} bytes, more than the {} allowed", length,
                       kMaxSafetensorsHeaderBytes));
    if (length > bytes_.size() - kLengthBytes)
      fail(fmt::format("claims a header of {} bytes, but has only {} bytes in all", length,
                       bytes_.size()));
    const auto header = bytes_.subspan(kLengthBytes, static_cast<std::size_t>(length));
    data_ = bytes_.subspan(kLengthBytes + header.size());
    if (header.empty() || header.front() != '{') fail("has a header that is not a JSON object");
    return {reinterpret_cast<const char*>(header.data()), header.size()};
  }

  // Keys may not repeat: readers disagree on which of two would count.
  json parse_json(std::string_view text) const {
    std::vector<std::set<std::string>> keys;
    const auto watch = [&](int, json::parse_event_t event, json& parsed) {
      if (event == json::parse_event_t::object_start) keys.emplace_back();
      if (event == json::parse_event_t::object_end) keys.pop_back();
      if (event == json::parse_event_t::key &&
          !keys.back().insert(parsed.get<std::string>()).second)
        fail(fmt::format("has the name {} twice in its header", parsed.dump()));
      return true;
    };
    try {
      json header = json::parse(text, watch);
      if (!header.is_object()) fail("has a header that is not a JSON object");
      return header;
    } catch (const json::exception&) {
      fail("has a header that is not valid JSON");
    }
  }

  std::map<std::string, std::string> parse_metadata(const json& entry) const {
    if (!entry.is_object()) fail("has a __metadata__ that is not an object");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) fail("has a __metadata__ value that is not a string");
      metadata.emplace(key, value.get<std::string>());
    }
    return metadata;
  }

  TensorView parse_tensor(const std::string& name, const json& entry) const {
    if (!entry.is_object()) fail_tensor(name, "is not described by an object");
    for (const char* field : {"dtype", "shape", "data_offsets"})
      if (!entry.contains(field)) fail_tensor(name, fmt::format("has no {}", field));
    TensorView tensor;
    tensor.name = name;
    tensor.file = &file_;
    tensor.dtype = parse_dtype(name, entry.at("dtype"));
    tensor.shape = parse_sizes(name, "shape", entry.at("shape"));
    const auto offsets = parse_sizes(name, "data_offsets", entry.at("data_offsets"));
    if (offsets.size() != 2) fail_tensor(name, "has data_offsets that are not two numbers");
    const std::size_t begin = offsets[0];
    const std::size_t end = offsets[1];
    if (begin > end || end > data_.size())
      fail_tensor(name, fmt::format("lies at bytes {} to {}, but the file holds {} bytes of data",
                                    begin, end, data_.size()));
    if (byte_size(tensor) != end - begin)
      fail_tensor(name,
                  fmt::format("has shape {} of {}, which does not fill its {} bytes",
                              shape_text(tensor.shape), to_string(tensor.dtype), end - begin));
    tensor.bytes = data_.subspan(begin, end - begin);
    return tensor;
  }

  Dtype parse_dtype(const std::string& name, const json& value) const {
    if (!value.is_string()) fail_tensor(name, "has a dtype that is not a string");
    const auto& text = value.get_ref<const std::string&>();
    const auto line = std::ranges::find(kDtypes, text, &DtypeLine::name);
    if (line == kDtypes.end())
      fail_tensor(name, fmt::format("has the unknown dtype {}", value.dump()));
    return line->dtype;
  }

  std::vector<std::size_t> parse_sizes(const std::string& name, const char* field,
                                       const json& value) const {
    if (!value.is_array()) fail_tensor(name, fmt::format("has a {} that is not a list", field));
    std::vector<std::size_t> sizes;
    for (const json& size : value) {
      if (!size.is_number_unsigned())
        fail_tensor(name, fmt::format("has a {} with something else than whole numbers", field));
      sizes.push_back(size.get<std::size_t>());
    }
    return sizes;
  }

  // Nothing when the tensor is larger than a number can say, or does not end at a byte.
  static std::optional<std::size_t> byte_size(const TensorView& tensor) {
    std::size_t bits = bits_of(tensor.dtype);
    for (const std::size_t size : tensor.shape) {
      if (size != 0 && bits > std::numeric_limits<std::size_t>::max() / size) return std::nullopt;
      bits *= size;
    }
    if (bits % 8 != 0) return std::nullopt;
    return bits / 8;
  }

  // Sorts by position and demands that each tensor begins where the one before it ends.
  void check_coverage(std::vector<TensorView>& tensors) const {
    std::ranges::sort(tensors, {}, [](const TensorView& tensor) {
      return std::pair(tensor.bytes.data(), tensor.bytes.size());
    });
    const std::uint8_t* end = data_.data();
    for (const TensorView& tensor : tensors) {
      if (tensor.bytes.data() < end) fail_tensor(tensor.name, "overlaps the tensor before it");
      if (tensor.bytes.data() > end) fail_tensor(tensor.name, "leaves a hole before it");
      end += tensor.bytes.size();
    }
    const auto rest = data_.data() + data_.size() - end;
    if (rest != 0) fail(fmt::format("has {} bytes after its last tensor", rest));
  }

  std::span<const std::uint8_t> bytes_;
  const std::filesystem::path& file_;
  std::span<const std::uint8_t> data_;  // what follows the header
};

}  // namespace

std::string_view to_string(Dtype dtype) noexcept { return line_of(dtype).name; }

std::size_t bits_of(Dtype dtype) noexcept { return line_of(dtype).bits; }

std::size_t TensorView::count() const noexcept {
  std::size_t product = 1;
  for (const std::size_t size : shape) product *= size;
  return product;
}

std::string shape_text(std::span<const std::size_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

SafetensorsContents parse_safetensors(std::span<const std::uint8_t> bytes,
                                      const std::filesystem::path& file) {
  return HeaderParser(bytes, file).parse();
}

SafetensorsFile::SafetensorsFile(std::filesystem::path path)
    : path_(std::make_unique<const std::filesystem::path>(std::move(path))),
      file_(*path_),
      contents_(parse_safetensors(file_.bytes(), *path_)) {
  by_name_.reserve(contents_.tensors.size());
  for (const TensorView& tensor : contents_.tensors) by_name_.emplace(tensor.name, &tensor);
}

std::span<const std::uint8_t> SafetensorsFile::header_bytes() const noexcept {
  std::size_t data = 0;
  for (const TensorView& tensor : contents_.tensors) data += tensor.bytes.size();
  return file_.bytes().first(file_.bytes().size() - data);
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto entry = by_name_.find(name);
  return entry == by_name_.end() ? nullptr : entry->second;
}

}  // namespace vl2
