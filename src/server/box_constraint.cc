// SPDX-License-Identifier: MIT
#include "server/box_constraint.h"

#include <algorithm>
#include <limits>

namespace vl2 {
namespace {

constexpr int kMost = 999;
constexpr int kMostDigits = 3;

}  // namespace

bool BoxReader::push(char c) {
  switch (step_) {
    case Step::list:
      step_ = Step::box;
      return c == '[';
    case Step::box:
      step_ = Step::number;
      number_ = 0;
      digits_ = value_ = 0;
      return c == '[';
    case Step::number:
      return c >= '0' && c <= '9' ? push_digit(c - '0') : end_number(c);
    case Step::space:
      step_ = Step::number;
      digits_ = value_ = 0;
      return c == ' ';
    case Step::after_box:
      step_ = c == ',' ? Step::space_before_box : Step::done;
      return c == ',' || c == ']';
    case Step::space_before_box:
      step_ = Step::box;
      return c == ' ';
    case Step::done:
      break;
  }
  return false;
}

// A beginning of a number is fine if some number from least() to 999 begins like that.
bool BoxReader::push_digit(int digit) {
  if (digits_ == kMostDigits || (digits_ > 0 && value_ == 0)) return false;
  value_ = value_ * 10 + digit;
  ++digits_;
  int largest = value_;
  for (int more = digits_; more < kMostDigits && value_ > 0; ++more) largest = largest * 10 + 9;
  return largest >= least();
}

bool BoxReader::end_number(char c) {
  const bool is_last = number_ == 3;
  if (digits_ == 0 || value_ < least() || value_ > kMost || c != (is_last ? ']' : ','))
    return false;
  corners_[number_++] = value_;
  step_ = is_last ? Step::after_box : Step::space;
  return true;
}

BoxTokens::BoxTokens(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
  for (std::int32_t id = 0; id < tokenizer_.vocabulary_size(); ++id) {
    const std::string_view bytes = tokenizer_.bytes(id);
    if (bytes.empty() || tokenizer_.is_special(id)) continue;
    if (bytes.find_first_not_of("0123456789[], ") == bytes.npos) tokens_.emplace_back(id, bytes);
  }
}

BoxConstraint::BoxConstraint(std::shared_ptr<const BoxTokens> tokens,
                             std::span<const std::int32_t> prompt)
    : tokens_(std::move(tokens)) {
  const auto answer =
      std::find(prompt.rbegin(), prompt.rend(), tokens_->tokenizer().assistant_id()).base();
  for (auto token = answer; token != prompt.end(); ++token) BoxConstraint::accept(*token);
}

void BoxConstraint::mask(std::span<float> logits) {
  if (!reader_) return;
  constexpr float kOut = -std::numeric_limits<float>::infinity();
  std::vector<std::pair<std::size_t, float>> kept;
  const auto keep = [&](std::int32_t id) {
    const auto index = static_cast<std::size_t>(id);
    kept.emplace_back(index, logits[index]);
  };
  if (reader_->complete()) {
    keep(tokens_->tokenizer().det_end_id());
  } else {
    for (const auto& [id, bytes] : tokens_->tokens()) {
      BoxReader reader = *reader_;
      if (std::ranges::all_of(bytes, [&](char c) { return reader.push(c); })) keep(id);
    }
  }
  std::ranges::fill(logits, kOut);
  for (const auto& [index, logit] : kept) logits[index] = logit;
}

// What a prompt has inside <|det|> may be no list of boxes; then it is left alone.
void BoxConstraint::accept(std::int32_t token) {
  const Tokenizer& tokenizer = tokens_->tokenizer();
  if (token == tokenizer.det_id()) {
    reader_.emplace();
  } else if (token == tokenizer.det_end_id()) {
    reader_.reset();
  } else if (reader_) {
    for (const char c : tokenizer.bytes(token)) {
      if (reader_->push(c)) continue;
      reader_.reset();
      return;
    }
  }
}

}  // namespace vl2
