// SPDX-License-Identifier: MIT
#include "text/regex.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    kFree(pointer);
  }
};

template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Free<kFree>>;

template <typename T>
T* allocated(T* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

// White_Space as the inside of a character class. PCRE2's own \s also takes U+180E.
constexpr std::string_view kSpaceClass = R"(\t-\r\x{85}\p{Z})";

// Copies one character class from `at`, its opening bracket, and returns where it ends. A \S
// inside a class stays: it can't be written there. Ruby's nested classes and intersections mean
// something else to PCRE2 and are refused.
std::size_t translate_class(std::string_view pattern, std::size_t at, const std::string& where,
                            std::string& result) {
  const auto starts = [&](std::string_view prefix) {
    return pattern.substr(at, prefix.size()) == prefix;
  };
  const auto take = [&](std::size_t count) {
    result += pattern.substr(at, count);
    at += count;
  };
  take(starts("[^") ? 2 : 1);
  if (starts("]")) take(1);  // a bracket in first place stands for itself
  while (at < pattern.size() && pattern[at] != ']') {
    if (starts("\\s")) {
      result += kSpaceClass;
      at += 2;
    } else if (starts("[:")) {
      take(std::min(pattern.find(":]", at), pattern.size() - 2) + 2 - at);
    } else if (starts("[") || starts("&&")) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{}: the pattern \"{}\" combines character classes, which this "
                              "version can't run",
                              where, pattern));
    } else {
      take(starts("\\") ? 2 : 1);
    }
  }
  return at;
}

// Rewrites \s and \S for PCRE2.
std::string translate(std::string_view pattern, const std::string& where) {
  // `\s+$` alone retries at every character of a run of spaces that does not end its line, which
  // takes quadratic time. A match can only begin where a run does or where the search does, and
  // saying so makes it linear.
  if (pattern == R"(\s+$)") return translate(R"((?:\G|(?<!\s))\s+$)", where);
  std::string result;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::string_view two = pattern.substr(at, 2);
    if (two == "\\s") {
      result += fmt::format("[{}]", kSpaceClass);
    } else if (two == "\\S") {
      result += fmt::format("[^{}]", kSpaceClass);
    } else if (two[0] == '[') {
      at = translate_class(pattern, at, where, result);
      continue;
    } else {
      result += two[0] == '\\' ? two : two.substr(0, 1);
      at += two[0] == '\\' ? two.size() : 1;
      continue;
    }
    at += 2;
  }
  return result;
}

pcre2_code* compile(std::string_view pattern, std::uint32_t options, const std::string& where) {
  const Owned<pcre2_compile_context, pcre2_compile_context_free> context(
      allocated(pcre2_compile_context_create(nullptr)));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  std::size_t offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   options | PCRE2_UTF, &error, &offset, context.get());
  if (code != nullptr) {
    // Without JIT support matching is slower and otherwise the same.
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return code;
  }
  std::array<PCRE2_UCHAR, 256> message{};
  pcre2_get_error_message(error, message.data(), message.size());
  throw Error(ErrorCode::bad_checkpoint,
              fmt::format("{}: the pattern \"{}\" does not compile: {}", where, pattern,
                          reinterpret_cast<const char*>(message.data())));
}

// `\C` would match half a character.
constexpr std::uint32_t kRegexOptions = PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;

// Steps allowed before a pattern counts as hopeless: plenty for any text that is read once or a
// few times over.
std::uint32_t step_limit(std::size_t text_bytes) {
  constexpr std::size_t kBase = 10'000'000;
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(UINT32_MAX, kBase + std::min<std::size_t>(text_bytes, kBase) * 64));
}

constexpr std::size_t kJitStackStartBytes = std::size_t{32} << 10;
constexpr std::size_t kJitStackMaxBytes = std::size_t{8} << 20;

}  // namespace

struct RegexScratch::State {
  Owned<pcre2_match_data, pcre2_match_data_free> data{
      allocated(pcre2_match_data_create(1, nullptr))};
  Owned<pcre2_match_context, pcre2_match_context_free> context{
      allocated(pcre2_match_context_create(nullptr))};
  Owned<pcre2_jit_stack, pcre2_jit_stack_free> stack{
      allocated(pcre2_jit_stack_create(kJitStackStartBytes, kJitStackMaxBytes, nullptr))};
};

RegexScratch::RegexScratch() : state_(std::make_unique<State>()) {
  pcre2_jit_stack_assign(state_->context.get(), nullptr, state_->stack.get());
}
RegexScratch::RegexScratch(RegexScratch&&) noexcept = default;
RegexScratch& RegexScratch::operator=(RegexScratch&&) noexcept = default;
RegexScratch::~RegexScratch() = default;

struct Regex::Code {
  Owned<pcre2_code, pcre2_code_free> compiled;
};

Regex::Regex(std::shared_ptr<const Code> code) : code_(std::move(code)) {}

Regex::Regex(std::string_view pattern, const std::string& where) {
  auto code = std::make_shared<Code>();
  code->compiled.reset(compile(translate(pattern, where), kRegexOptions, where));
  code_ = std::move(code);
}

Regex Regex::literal(std::string_view text) {
  auto code = std::make_shared<Code>();
  code->compiled.reset(compile(text, PCRE2_LITERAL, "literal"));
  return Regex(std::move(code));
}

std::optional<RegexMatch> Regex::find(std::string_view text, std::size_t from,
                                      RegexScratch& scratch) const {
  const RegexScratch::State& state = *scratch.state_;
  pcre2_set_match_limit(state.context.get(), step_limit(text.size()));
  const auto run = [&](std::uint32_t options) {
    return pcre2_match(code_->compiled.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                       text.size(), from, options | PCRE2_NO_UTF_CHECK, state.data.get(),
                       state.context.get());
  };
  int result = run(0);
  // The interpreter keeps its state on the heap, so that it goes further than the JIT's stack.
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = run(PCRE2_NO_JIT);
  if (result == PCRE2_ERROR_NOMATCH) return {};
  if (result == PCRE2_ERROR_NOMEMORY) throw std::bad_alloc();
  if (result < 0) {
    throw Error(ErrorCode::unsupported,
                fmt::format("a pattern of the tokenizer gives up on a text of {} bytes (PCRE2 "
                            "error {}); shorten the text or simplify the pattern",
                            text.size(), result));
  }
  const std::size_t* bounds = pcre2_get_ovector_pointer(state.data.get());
  return RegexMatch{std::min(bounds[0], bounds[1]), bounds[1]};
}

}  // namespace vl2
