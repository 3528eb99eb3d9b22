// SPDX-License-Identifier: MIT
// Which bytes each token id stands for, and back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer_file.h"

namespace vl2 {

// Immutable and shared by threads.
class Vocabulary {
 public:
  explicit Vocabulary(const TokenizerFile& file);

  // One more than the highest id.
  std::int32_t size() const noexcept { return static_cast<std::int32_t>(bytes_.size()); }

  // Empty for an id without a token, any id.
  std::string_view bytes(std::int32_t id) const noexcept;
  bool is_special(std::int32_t id) const noexcept;

  // The entry of the file's vocabulary that stands for these bytes.
  std::optional<std::int32_t> id_of_bytes(std::string_view bytes) const;
  std::optional<std::int32_t> id_of_added_token(std::string_view text) const;

  // The token of every single byte. Throws Error{bad_checkpoint} naming `file_name` and the byte
  // that lacks one: without it text could not be given back.
  std::array<std::int32_t, 256> byte_ids(const std::string& file_name) const;

 private:
  // Lets a map of strings be asked with a view.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  using Ids = std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>>;

  static std::optional<std::int32_t> look_up(const Ids& ids, std::string_view text);
  bool has(std::int32_t id) const noexcept { return id >= 0 && id < size(); }

  std::vector<std::string> bytes_;  // [id]
  std::vector<bool> is_special_;    // [id]
  Ids words_;                       // by bytes
  Ids added_;                       // by text
};

}  // namespace vl2
