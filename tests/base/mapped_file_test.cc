// SPDX-License-Identifier: MIT
#include "base/mapped_file.h"

#include <fstream>

#include <gmock/gmock.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

std::filesystem::path write_file(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::temp_directory_path() / ("vl2_mapped_" + name);
  std::ofstream(path) << text;
  return path;
}

TEST(MappedFile, GivesTheBytes) {
  const auto path = write_file("bytes", "abc");
  const MappedFile file(path);
  EXPECT_THAT(file.bytes(), testing::ElementsAre('a', 'b', 'c'));
  EXPECT_EQ(read_text_file(path), "abc");
}

TEST(MappedFile, EmptyFileHasNoBytes) {
  EXPECT_TRUE(MappedFile(write_file("empty", "")).bytes().empty());
}

TEST(MappedFile, MovingLeavesNothingBehind) {
  MappedFile first(write_file("move", "xyz"));
  const MappedFile second(std::move(first));
  EXPECT_EQ(second.bytes().size(), 3U);
}

TEST(MappedFile, MissingFileIsNamed) {
  try {
    MappedFile file("/nowhere/at/all");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.what(), testing::HasSubstr("/nowhere/at/all"));
  }
}

TEST(MappedFile, FolderIsRefused) {
  try {
    MappedFile file("/");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io);
  }
}

TEST(MappedFile, TextBeyondTheLimitIsRefused) {
  EXPECT_THROW(read_text_file(write_file("long", "12345"), 4), Error);
}

}  // namespace
}  // namespace vl2
