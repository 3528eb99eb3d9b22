// SPDX-License-Identifier: MIT
#include "text/grounding.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "text/special_tokens.h"
#include "text/unicode.h"

namespace vl2 {
namespace {

std::string without(std::string_view text, std::string_view part) {
  std::string rest;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part)) {
    rest += text.substr(0, at);
    text.remove_prefix(at + part.size());
  }
  return rest += text;
}

// The stretches from `open` to the nearest `close` on the same line, without any of these marks.
std::vector<std::string> find_marked(std::string_view text, std::string_view open,
                                     std::string_view close) {
  std::vector<std::string> found;
  for (std::size_t at = text.find(open); at != text.npos; at = text.find(open, at)) {
    const std::size_t inside = at + open.size();
    const std::size_t line_end = std::min(text.find('\n', inside), text.size());
    const std::size_t length = text.substr(inside, line_end - inside).find(close);
    if (length == text.npos) {
      at = line_end;
    } else {
      found.push_back(without(without(text.substr(inside, length), open), close));
      at = inside + length + close.size();
    }
  }
  return found;
}

// One character off each end.
std::string_view cut_ends(std::string_view text) {
  if (text.empty()) return text;
  text.remove_prefix(utf8_step(text, 0).length);
  if (text.empty()) return text;
  std::size_t last = text.size() - 1;
  while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
  return text.substr(0, last);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A decimal number as Python writes one: `07` is none, `-3`, `0.5`, `.5`, `5.` and `1e2` are.
// Numbers too large to be a place in any picture are refused too.
std::optional<double> parse_number(std::string_view text) {
  constexpr double kLargest = 1e9;
  const bool is_signed = !text.empty() && (text.front() == '+' || text.front() == '-');
  const std::string_view magnitude = text.substr(is_signed ? 1 : 0);
  if (magnitude.empty() || (!is_digit(magnitude.front()) && magnitude.front() != '.')) return {};
  const bool is_integer = magnitude.find_first_not_of("0123456789") == magnitude.npos;
  const bool is_padded =
      magnitude.front() == '0' && magnitude.find_first_not_of('0') != magnitude.npos;
  if (is_integer && is_padded) return {};
  double value = 0;
  const char* const first = magnitude.data();
  const char* const last = first + magnitude.size();
  const auto [end, error] = std::from_chars(first, last, value);
  if (error != std::errc() || end != last || value > kLargest) return {};
  return text.front() == '-' ? -value : value;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// The numbers between a pair of brackets. Those after the fourth must be numbers and are ignored.
std::optional<GroundedBox> parse_box(std::string_view text, const std::string& label) {
  std::vector<double> numbers;
  while (true) {
    const std::size_t comma = text.find(',');
    const auto number = parse_number(trim(text.substr(0, comma)));
    if (!number) return {};
    numbers.push_back(*number);
    if (comma == text.npos) break;
    text.remove_prefix(comma + 1);
  }
  if (numbers.size() < 4) return {};
  return GroundedBox{label, numbers[0], numbers[1], numbers[2], numbers[3]};
}

// Appends the boxes of one list; false when one of them is bad.
bool parse_boxes(std::string_view text, const std::string& label, std::vector<GroundedBox>& boxes) {
  std::size_t open = text.find('[');
  while (open != text.npos) {
    const std::size_t close = text.find(']', open);
    if (close == text.npos) break;
    auto box = parse_box(text.substr(open + 1, close - open - 1), label);
    if (!box) return false;
    boxes.push_back(*std::move(box));
    open = text.find('[', close);
  }
  return true;
}

std::int64_t to_pixel(double thousandths, int side) noexcept {
  return static_cast<std::int64_t>(std::trunc(thousandths / 999 * side));
}

}  // namespace

std::vector<GroundedBox> parse_grounding(std::string_view answer) {
  const std::vector<std::string> labels = find_marked(answer, kRefTag, kRefEndTag);
  const std::vector<std::string> lists = find_marked(answer, kDetTag, kDetEndTag);
  if (labels.size() != lists.size()) return {};
  std::vector<GroundedBox> boxes;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!parse_boxes(cut_ends(lists[i]), labels[i], boxes)) return {};
  }
  return boxes;
}

PixelBox to_pixels(const GroundedBox& box, int width, int height) noexcept {
  return {to_pixel(box.x1, width), to_pixel(box.y1, height), to_pixel(box.x2, width),
          to_pixel(box.y2, height)};
}

}  // namespace vl2
