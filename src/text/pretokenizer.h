// SPDX-License-Identifier: MIT
// Cuts text into the pieces that the byte-pair merges work on, as the `pre_tokenizer` of a
// Hugging Face tokenizer.json says: a sequence of Split, Digits and, last, ByteLevel.
#pragma once

#include <string_view>
#include <vector>

#include "text/json_field.h"
#include "text/regex.h"

namespace vl2 {

// What becomes of the stretches that a pattern matches.
enum class SplitBehavior { isolated, removed, merged_with_previous, merged_with_next, contiguous };

// Immutable and shared by threads; movable.
class Pretokenizer {
 public:
  // Throws Error{unsupported} naming the type of a step that is not known, and
  // Error{bad_checkpoint} on bad fields and patterns.
  explicit Pretokenizer(const JsonField& field);

  // Appends the pieces of `text`, none of them empty, as views into it, in order. Unless a pattern
  // is `removed`, they cover the text.
  // Text that is not UTF-8: bytes of broken sequences become pieces of their own, and patterns see
  // each valid stretch between them as a whole text.
  void split(std::string_view text, RegexScratch& scratch,
             std::vector<std::string_view>& pieces) const;

 private:
  struct Step {
    Regex pattern;
    SplitBehavior behavior = SplitBehavior::isolated;
    bool invert = false;  // the stretches between matches count as the matches
  };

  void add_step(const JsonField& field, bool is_last);
  void add_split(const JsonField& field);
  void add_byte_level(const JsonField& field, bool is_last);
  void split_valid(std::string_view text, RegexScratch& scratch,
                   std::vector<std::string_view>& pieces) const;
  static void apply(const Step& step, std::string_view text, RegexScratch& scratch,
                    std::vector<std::string_view>& pieces);

  std::vector<Step> steps_;
};

}  // namespace vl2
