// SPDX-License-Identifier: MIT
// Keeps the model to well-formed boxes inside <|det|>.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/steering.h"
#include "text/tokenizer.h"

namespace vl2 {

// Reads `[[x1, y1, x2, y2], [...], ...]` byte by byte, as the model was trained to write it: one
// space after each comma, whole numbers from 0 to 999 without leading zeros, x1 <= x2, y1 <= y2.
class BoxReader {
 public:
  // False when no list of boxes goes on like that; the reader is then of no use any more.
  bool push(char c);
  // The list is whole.
  bool complete() const noexcept { return step_ == Step::done; }

 private:
  enum class Step { list, box, number, space, after_box, space_before_box, done };
  bool push_digit(int digit);
  bool end_number(char c);
  int least() const noexcept { return number_ < 2 ? 0 : corners_[number_ - 2]; }

  Step step_ = Step::list;
  std::size_t number_ = 0;  // of the box: x1, y1, x2, y2
  int digits_ = 0;          // of that number, so far
  int value_ = 0;
  std::array<int, 4> corners_ = {};
};

// What of a vocabulary can stand in a list of boxes. Immutable, shared by requests.
class BoxTokens {
 public:
  explicit BoxTokens(const Tokenizer& tokenizer);

  const Tokenizer& tokenizer() const noexcept { return tokenizer_; }
  // Tokens of digits, brackets, commas and spaces alone, with their bytes.
  std::span<const std::pair<std::int32_t, std::string_view>> tokens() const noexcept {
    return tokens_;
  }

 private:
  Tokenizer tokenizer_;
  std::vector<std::pair<std::int32_t, std::string_view>> tokens_;
};

// Lets everything through outside <|det|>.
class BoxConstraint : public TokenConstraint {
 public:
  // The prompt's last answer may have begun a list already.
  BoxConstraint(std::shared_ptr<const BoxTokens> tokens, std::span<const std::int32_t> prompt);

  void mask(std::span<float> logits) override;
  void accept(std::int32_t token) override;

 private:
  std::shared_ptr<const BoxTokens> tokens_;
  std::optional<BoxReader> reader_;  // while inside
};

}  // namespace vl2
