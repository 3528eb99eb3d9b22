// SPDX-License-Identifier: MIT
#include "engine/picture_files.h"

#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::size_t kNumbers = 1000;
constexpr std::size_t kFileBytes = 48 + kNumbers * 4 + 32;
constexpr ContentHash kMaker{1, 2};

TileRows rows_of(float first) {
  auto rows = std::make_shared<std::vector<float>>(kNumbers);
  for (std::size_t i = 0; i < kNumbers; ++i) (*rows)[i] = first + static_cast<float>(i) * 0.1F;
  return rows;
}

class PictureFilesTest : public ::testing::Test {
 protected:
  PictureFilesTest() {
    std::string name = (fs::temp_directory_path() / "vl2-files-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    options_.folder = fs::path(name) / "below" / "cache";
    root_ = name;
  }
  ~PictureFilesTest() override { fs::remove_all(root_); }

  PictureFiles open(const ContentHash& maker = kMaker) {
    return PictureFiles(options_, maker, kNumbers);
  }
  // Those of tiles alone.
  std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(options_.folder))
      if (entry.path().extension() == ".tile") files.push_back(entry.path());
    return files;
  }
  void keep(std::uint64_t tile) {
    PictureFiles store = open();
    store.insert({0, tile}, rows_of(static_cast<float>(tile)));
  }

  fs::path root_;
  PictureFilesOptions options_;
};

TEST_F(PictureFilesTest, TilesSurviveToTheLastBit) {
  {
    PictureFiles store = open();
    EXPECT_EQ(store.find({7, 8}), nullptr);
    store.insert({7, 8}, rows_of(0.3F));
    store.flush();
    ASSERT_NE(store.find({7, 8}), nullptr);
    EXPECT_EQ(store.bytes(), kFileBytes);
  }
  PictureFiles store = open();
  EXPECT_EQ(store.bytes(), kFileBytes);
  ASSERT_NE(store.find({7, 8}), nullptr);
  EXPECT_EQ(*store.find({7, 8}), *rows_of(0.3F));
  EXPECT_EQ(store.find({8, 7}), nullptr);
}

TEST_F(PictureFilesTest, WhatAnotherModelMadeIsNotTaken) {
  keep(1);
  EXPECT_EQ(open({1, 3}).find({0, 1}), nullptr);
  EXPECT_NE(open().find({0, 1}), nullptr);
}

TEST_F(PictureFilesTest, BrokenFilesAreAsIfTheyWereNotThere) {
  keep(1);
  const fs::path file = files().at(0);
  std::ifstream in(file, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  ASSERT_EQ(whole.size(), kFileBytes);
  std::vector<std::string> broken = {"", whole.substr(0, 40), whole.substr(0, whole.size() - 1),
                                     whole + "x"};
  for (const std::size_t at : {std::size_t{0}, std::size_t{10}, std::size_t{30}, std::size_t{42},
                               std::size_t{2000}, whole.size() - 1}) {
    broken.push_back(whole);
    broken.back()[at] ^= 1;
  }
  for (const std::string& bytes : broken) {
    std::ofstream(file, std::ios::binary) << bytes;
    PictureFiles store = open();
    EXPECT_EQ(store.find({0, 1}), nullptr) << bytes.size();
    EXPECT_FALSE(fs::exists(file));
    // It can be kept again.
    store.insert({0, 1}, rows_of(1));
    store.flush();
    EXPECT_NE(store.find({0, 1}), nullptr);
  }
}

TEST_F(PictureFilesTest, WhatWasHalfWrittenWhenTheProgramDiedIsRemoved) {
  keep(1);
  const fs::path file = files().at(0);
  const fs::path half = options_.folder / ("." + file.filename().string() + ".1a2b3c4d");
  std::ofstream(half, std::ios::binary) << "vl2tile1";
  std::ofstream(options_.folder / "notes.txt") << "of somebody else";
  PictureFiles store = open();
  EXPECT_FALSE(fs::exists(half));
  EXPECT_TRUE(fs::exists(options_.folder / "notes.txt"));
  EXPECT_NE(store.find({0, 1}), nullptr);
}

TEST_F(PictureFilesTest, StaysWithinItsBytesAndDropsWhatWasUsedLongestAgo) {
  options_.most_bytes = 2 * kFileBytes + 10;
  PictureFiles store = open();
  for (const std::uint64_t tile : {1U, 2U}) store.insert({0, tile}, rows_of(1));
  store.flush();
  EXPECT_NE(store.find({0, 1}), nullptr);
  store.insert({0, 3}, rows_of(1));
  store.flush();
  EXPECT_EQ(store.bytes(), 2 * kFileBytes);
  EXPECT_EQ(files().size(), 2U);
  EXPECT_EQ(store.find({0, 2}), nullptr);
  EXPECT_NE(store.find({0, 1}), nullptr);
}

TEST_F(PictureFilesTest, KnowsAfterARestartWhatWasUsedLast) {
  for (const std::uint64_t tile : {1U, 2U, 3U}) keep(tile);
  const fs::path oldest = files().at(1);
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const fs::path& file : files()) fs::last_write_time(file, long_ago);
  fs::last_write_time(oldest, long_ago - std::chrono::hours(1));
  options_.most_bytes = 2 * kFileBytes;
  PictureFiles store = open();  // a smaller bound than before counts at once
  EXPECT_EQ(files().size(), 2U);
  EXPECT_FALSE(fs::exists(oldest));
}

TEST_F(PictureFilesTest, OneProgramAFolder) {
  PictureFiles store = open();
  try {
    open();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_THAT(error.what(), HasSubstr(options_.folder.string()));
    EXPECT_THAT(error.what(), HasSubstr("another running program"));
  }
}

TEST_F(PictureFilesTest, AFolderThatCannotBeIsTold) {
  std::ofstream(root_ / "file") << "x";
  options_.folder = root_ / "file" / "cache";
  EXPECT_THROW(open(), Error);
}

TEST_F(PictureFilesTest, AFullDiskIsToldOnceAndIsNoFailure) {
  std::vector<std::string> warnings;
  options_.warn = [&](std::string_view why) { warnings.emplace_back(why); };
  PictureFiles store = open();
  // Files of this process end after a thousand bytes, as on a disk that is full.
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {1000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  for (const std::uint64_t tile : {1U, 2U}) store.insert({0, tile}, rows_of(1));
  store.flush();
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("cannot write"));
  EXPECT_EQ(store.find({0, 1}), nullptr);
  EXPECT_TRUE(files().empty());

  store.insert({0, 1}, rows_of(1));
  store.flush();
  EXPECT_NE(store.find({0, 1}), nullptr);
  EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(PictureFilesTest, AFolderThatDisappearsIsNoFailure) {
  int warnings = 0;
  options_.warn = [&](std::string_view) { ++warnings; };
  PictureFiles store = open();
  store.insert({0, 1}, rows_of(1));
  store.flush();
  fs::remove_all(options_.folder);
  EXPECT_EQ(store.find({0, 1}), nullptr);
  store.insert({0, 2}, rows_of(1));
  store.flush();
  EXPECT_EQ(warnings, 1);
}

}  // namespace
}  // namespace vl2
