// SPDX-License-Identifier: MIT
// Folders and files, sound and broken ones, for the tests of this floor.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <stdlib.h>

#include "vl2/error.h"

namespace vl2 {

// Empty at first, gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "vl2_checkpoint_XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

// A safetensors file from its three parts, whatever they say.
inline std::string safetensors_bytes(const std::string& header, const std::string& data,
                                     std::uint64_t claimed_header_bytes) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>((claimed_header_bytes >> (8 * i)) & 0xffU);
  return file + header + data;
}

inline std::string safetensors_bytes(const std::string& header, const std::string& data) {
  return safetensors_bytes(header, data, header.size());
}

// One tensor; its bytes are zero.
inline std::string one_tensor(const std::string& name, const std::string& dtype,
                              const nlohmann::json& shape, std::size_t bytes) {
  const nlohmann::json header = {
      {name, {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {0, bytes}}}}};
  return safetensors_bytes(header.dump(), std::string(bytes, '\0'));
}

// The bytes of numbers as they lie in memory.
template <class T>
std::string bytes_of(std::initializer_list<T> numbers) {
  std::string bytes(numbers.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), numbers.begin(), bytes.size());
  return bytes;
}

// f() must throw an Error of this code, with all these parts in a message of one line.
template <class F>
void expect_error(ErrorCode code, const std::vector<std::string>& parts, F&& f) {
  try {
    f();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string& part : parts) EXPECT_THAT(error.what(), testing::HasSubstr(part));
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
  }
}

}  // namespace vl2
