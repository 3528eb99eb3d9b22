// SPDX-License-Identifier: MIT
#include "engine/picture_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vl2/error.h"

#include "base/atomic_file.h"
#include "base/sha256.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".tile";
constexpr std::size_t kNameLength = 64 + kSuffix.size();  // two hashes in hexadecimal digits
constexpr std::size_t kMostWaiting = 64;

// What stands before a tile's numbers; behind them stands the SHA-256 of both.
struct Header {
  std::array<char, 8> magic = {'v', 'l', '2', 't', 'i', 'l', 'e', '1'};
  ContentHash maker;
  ContentHash tile;
  std::uint64_t numbers = 0;
};
static_assert(sizeof(Header) == 48, "written to files as it lies in memory");
using Checksum = std::array<std::uint8_t, 32>;

bool is_tile_name(std::string_view name) {
  return name.size() == kNameLength && name.ends_with(kSuffix) &&
         name.find_first_not_of("0123456789abcdef") == name.size() - kSuffix.size();
}

// What AtomicFile leaves behind when the program is killed.
bool is_unfinished(std::string_view name) {
  return name.starts_with('.') && name.size() > kNameLength + 1 &&
         is_tile_name(name.substr(1, kNameLength));
}

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error cannot_use(const fs::path& folder, const std::string& why) {
  return Error(ErrorCode::io, fmt::format("cannot keep pictures in {}: {}", folder.string(), why));
}

struct FoundFile {
  fs::file_time_type used;
  std::string name;
  std::size_t bytes = 0;
};

}  // namespace

PictureFiles::PictureFiles(PictureFilesOptions options, const ContentHash& maker,
                           std::size_t numbers)
    : options_(std::move(options)), maker_(maker), numbers_(numbers) {
  std::error_code error;
  fs::create_directories(options_.folder, error);
  if (error) throw cannot_use(options_.folder, error.message());
  lock_folder();
  read_folder();
  thread_ = std::thread([this] { run(); });
}

PictureFiles::~PictureFiles() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  thread_.join();
  close(lock_);
}

void PictureFiles::lock_folder() {
  const fs::path path = options_.folder / "lock";
  lock_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) throw cannot_use(options_.folder, std::strerror(errno));
  if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  const bool taken = errno == EWOULDBLOCK;
  const std::string why =
      taken ? "another running program uses it; give each its own folder" : std::strerror(errno);
  close(lock_);
  throw cannot_use(options_.folder, why);
}

void PictureFiles::read_folder() {
  std::vector<FoundFile> found;
  std::error_code error;
  std::error_code ignored;  // of files that are gone again
  for (fs::directory_iterator entry(options_.folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_unfinished(name)) fs::remove(entry->path(), ignored);
    if (!is_tile_name(name) || !entry->is_regular_file(ignored)) continue;
    const std::uintmax_t bytes = entry->file_size(ignored);
    if (!ignored) found.push_back({entry->last_write_time(ignored), name, bytes});
  }
  if (error) throw cannot_use(options_.folder, error.message());
  std::ranges::sort(found, {}, &FoundFile::used);
  const std::lock_guard lock(mutex_);
  for (const FoundFile& file : found) remember(file.name, file.bytes);
  make_room(0);
}

std::string PictureFiles::name_of(const ContentHash& tile) const {
  return fmt::format("{:016x}{:016x}{:016x}{:016x}{}", maker_.high, maker_.low, tile.high, tile.low,
                     kSuffix);
}

std::size_t PictureFiles::file_bytes() const noexcept {
  return sizeof(Header) + numbers_ * sizeof(float) + sizeof(Checksum);
}

std::size_t PictureFiles::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void PictureFiles::remember(const std::string& name, std::size_t bytes) {
  forget(name);
  entries_.push_front({name, bytes});
  by_name_[name] = entries_.begin();
  bytes_ += bytes;
}

void PictureFiles::forget(const std::string& name) {
  const auto at = by_name_.find(name);
  if (at == by_name_.end()) return;
  bytes_ -= at->second->bytes;
  entries_.erase(at->second);
  by_name_.erase(at);
}

void PictureFiles::make_room(std::size_t bytes) {
  while (!entries_.empty() && bytes_ + bytes > options_.most_bytes) {
    const std::string name = entries_.back().name;
    std::error_code ignored;  // a file that cannot go is not asked again
    fs::remove(options_.folder / name, ignored);
    forget(name);
  }
}

TileRows PictureFiles::find(const ContentHash& tile) {
  const std::string name = name_of(tile);
  {
    const std::lock_guard lock(mutex_);
    const auto at = by_name_.find(name);
    if (at == by_name_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, at->second);
  }
  TileRows rows = read(name, tile);
  if (rows == nullptr) {
    const std::lock_guard lock(mutex_);
    std::error_code ignored;
    fs::remove(options_.folder / name, ignored);
    forget(name);
  }
  return rows;
}

TileRows PictureFiles::read(const std::string& name, const ContentHash& tile) const {
  const fs::path path = options_.folder / name;
  // A copy: a mapped file that somebody shortens would end the program.
  std::vector<char> bytes(file_bytes() + 1);
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  const Header expected{.maker = maker_, .tile = tile, .numbers = numbers_};
  if (bytes.size() != file_bytes() || std::memcmp(bytes.data(), &expected, sizeof expected) != 0)
    return nullptr;
  const std::size_t checked = bytes.size() - sizeof(Checksum);
  const Checksum sum = sha256({reinterpret_cast<const std::uint8_t*>(bytes.data()), checked});
  if (std::memcmp(bytes.data() + checked, sum.data(), sum.size()) != 0) return nullptr;
  // So that the next start knows what was used last. Nothing depends on its success.
  static_cast<void>(utimensat(AT_FDCWD, path.c_str(), nullptr, 0));
  std::vector<float> rows(numbers_);
  std::memcpy(rows.data(), bytes.data() + sizeof(Header), rows.size() * sizeof(float));
  return std::make_shared<const std::vector<float>>(std::move(rows));
}

void PictureFiles::insert(const ContentHash& tile, TileRows rows) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMostWaiting || by_name_.contains(name_of(tile))) return;
  waiting_.emplace_back(tile, std::move(rows));
  changed_.notify_all();
}

void PictureFiles::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_.empty() && !writing_; });
}

void PictureFiles::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const auto [tile, rows] = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = true;
    lock.unlock();
    std::optional<std::string> failure;
    try {
      write(tile, rows);
    } catch (const Error& error) {
      failure = error.what();
    } catch (const std::bad_alloc&) {
      failure = "there is no memory to write a picture to disk";
    }
    if (failure && !std::exchange(failing_, true) && options_.warn) options_.warn(*failure);
    if (!failure) failing_ = false;
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

void PictureFiles::write(const ContentHash& tile, const TileRows& rows) {
  if (rows->size() != numbers_ || file_bytes() > options_.most_bytes) return;
  const std::string name = name_of(tile);
  {
    const std::lock_guard lock(mutex_);
    make_room(file_bytes());
  }
  const Header header{.maker = maker_, .tile = tile, .numbers = numbers_};
  std::vector<std::uint8_t> bytes(file_bytes());
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, rows->data(), rows->size() * sizeof(float));
  const std::span<const std::uint8_t> checked =
      std::span(bytes).first(bytes.size() - sizeof(Checksum));
  const Checksum sum = sha256(checked);
  std::memcpy(bytes.data() + checked.size(), sum.data(), sum.size());

  AtomicFile file(options_.folder / name);
  file.write(as_text(bytes));
  file.commit();
  const std::lock_guard lock(mutex_);
  remember(name, file_bytes());
}

}  // namespace vl2
