// SPDX-License-Identifier: MIT
// What the vision tower made of picture tiles, in files: they survive the program.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

#include "engine/content_hash.h"
#include "engine/picture_cache.h"

namespace vl2 {

struct PictureFilesOptions {
  std::filesystem::path folder = {};  // made if it is not there; empty: no files are kept
  std::size_t most_bytes = std::size_t{4} << 30;
  // Told in one line what could not be written, once until writing works again. Any thread.
  std::function<void(std::string_view why)> warn = {};
};

// A file a tile, named by what made it and by its pixels, with a checksum: what is broken, or half
// written when the program was killed, is as if it were not there. Bounded in bytes; the file that
// was used longest ago goes first, also over restarts. Files are written by a thread of its own.
// find() and insert() are for one thread.
class PictureFiles {
 public:
  // `maker` names everything that the rows depend on besides the pixels; a tile has so many
  // `numbers`. Throws Error{io} if the folder cannot be made, or belongs to another running
  // program.
  PictureFiles(PictureFilesOptions options, const ContentHash& maker, std::size_t numbers);
  // Writes what is waiting.
  ~PictureFiles();
  PictureFiles(const PictureFiles&) = delete;
  PictureFiles& operator=(const PictureFiles&) = delete;

  // Null if it is not there.
  TileRows find(const ContentHash& tile);
  // Will be written soon, unless too many are waiting already. What fails is told to warn().
  void insert(const ContentHash& tile, TileRows rows);

  // Waits until nothing is waiting to be written.
  void flush();
  std::size_t bytes() const;  // of all files

 private:
  struct Entry {
    std::string name;
    std::size_t bytes = 0;
  };

  std::string name_of(const ContentHash& tile) const;
  std::size_t file_bytes() const noexcept;
  void lock_folder();
  void read_folder();
  void run();
  void write(const ContentHash& tile, const TileRows& rows);
  TileRows read(const std::string& name, const ContentHash& tile) const;
  // The next three with the mutex held.
  void remember(const std::string& name, std::size_t bytes);
  void forget(const std::string& name);
  void make_room(std::size_t bytes);

  PictureFilesOptions options_;
  ContentHash maker_;
  std::size_t numbers_;
  int lock_ = -1;  // a descriptor whose lock the system gives back when the program dies

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // used last first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_name_;
  std::deque<std::pair<ContentHash, TileRows>> waiting_;
  bool writing_ = false;
  bool ending_ = false;
  bool failing_ = false;  // of the writing thread alone
  std::thread thread_;
};

}  // namespace vl2
