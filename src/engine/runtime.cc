// SPDX-License-Identifier: MIT
#include "engine/runtime.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/stopwatch.h"
#include "engine/generation_options.h"

namespace vl2 {
namespace {

std::size_t pages_of_cache(const Model& model, std::size_t cache_tokens) {
  const std::size_t context = model.context();
  if (cache_tokens == 0) cache_tokens = context + context / 2;
  if (cache_tokens < context) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("cache_tokens is {}, it must be at least the context of {}",
                            cache_tokens, context));
  }
  return (cache_tokens + kPageTokens - 1) / kPageTokens;
}

std::vector<std::size_t> page_bytes(const Model& model) {
  std::vector<std::size_t> bytes;
  for (std::size_t i = 0; i < model.layer_count(); ++i) bytes.push_back(model.page_bytes(i));
  return bytes;
}

void check_positive(std::string_view option, std::size_t value) {
  if (value == 0)
    throw Error(ErrorCode::invalid_argument, fmt::format("{} is 0, it must be at least 1", option));
}

RuntimeOptions checked(RuntimeOptions options) {
  check_positive("chunk_tokens", options.limits.chunk_tokens);
  check_positive("chunk_tokens_while_generating", options.limits.chunk_tokens_while_generating);
  check_positive("max_sequences", options.max_sequences);
  check_positive("tiles_at_once", options.tiles_at_once);
  return options;
}

// Runs what may run out of memory; what came of it, if it failed.
template <class F>
std::optional<Error> attempt(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::out_of_memory, "out of memory; ask for a smaller context or chunk");
  }
  return {};
}

TokenReport report(const Tokenizer& tokenizer, std::span<const float> logits, std::int32_t token,
                   std::size_t top) {
  const auto entry = [&](std::int32_t id, float logprob) {
    return TokenProbability{id, tokenizer.decode(std::span(&id, 1)), logprob};
  };
  const LogProbabilities all = log_probabilities(logits, token, top);
  TokenReport report{entry(token, all.chosen), {}};
  for (const auto& [id, logprob] : all.top) report.top.push_back(entry(id, logprob));
  return report;
}

}  // namespace

Runtime::Runtime(const Model& model, std::optional<Tokenizer> tokenizer, RuntimeOptions options)
    : model_(model),
      tokenizer_(std::move(tokenizer)),
      options_(checked(std::move(options))),
      pool_(page_bytes(model), pages_of_cache(model, options_.cache_tokens)),
      prefixes_(pool_),
      ops_(KernelSet::of(options_.isa, model.operand()), options_.team, arena_),
      pictures_(model, ops_,
                {options_.tiles_at_once, options_.picture_cache_bytes, options_.picture_files,
                 std::string(to_string(options_.isa))}) {}

RequestId Runtime::add(Request request) {
  check_options(request.options);
  const std::vector<std::int32_t>& ids = request.prompt.ids;
  if (ids.empty()) throw Error(ErrorCode::invalid_argument, "the prompt is empty");
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= vocabulary()) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("the prompt has token {}, the model knows 0 to {}", id, vocabulary() - 1));
    }
  }
  for (const auto& [token, bias] : request.steering.logit_bias) {
    if (token >= 0 && token < vocabulary()) continue;
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("logit_bias has token {}, the model knows 0 to {}", token, vocabulary() - 1));
  }
  check_length(cost_of(request.prompt, model_.context()));

  const RequestId id = next_id_++;
  waiting_.push_back(
      std::make_unique<Sequence>(id, std::move(request), tokenizer_, model_.context()));
  return id;
}

void Runtime::cancel(RequestId request) {
  const auto mark = [&](const std::unique_ptr<Sequence>& sequence) {
    if (sequence->id() == request) sequence->cancelled = true;
  };
  std::ranges::for_each(waiting_, mark);
  std::ranges::for_each(running_, mark);
}

std::vector<Event> Runtime::step() {
  events_.clear();
  end_cancelled();
  admit();
  for (const auto& sequence : running_) take_cached_pages(*sequence);
  encode_pictures();
  remove_ended();
  compute_batch();
  remove_ended();
  return std::exchange(events_, {});
}

void Runtime::end_cancelled() {
  for (const auto& sequence : running_)
    if (sequence->cancelled) finish(*sequence, FinishReason::cancelled);
  remove_ended();
  for (const auto& sequence : waiting_)
    if (sequence->cancelled) finish(*sequence, FinishReason::cancelled);
  std::erase_if(waiting_, [](const auto& sequence) { return sequence->ended; });
}

// In order of arrival: the first that does not fit keeps those behind it waiting, so that no
// request waits forever.
void Runtime::admit() {
  while (!waiting_.empty() && running_.size() < options_.max_sequences && fits(*waiting_.front())) {
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    take_cached_pages(*running_.back());
  }
}

// Every running sequence is sure of the pages it may come to need, so that none has to be stopped.
bool Runtime::fits(Sequence& sequence) const {
  const PrefixCache::Match match = prefixes_.match(sequence.cacheable_chain());
  std::size_t promised = sequence.most_pages() - match.pages + match.idle;
  for (const auto& other : running_) promised += other->pages_to_come();
  return promised <= prefixes_.available();
}

// Not only when a sequence begins: another one may meanwhile have computed what comes next.
void Runtime::take_cached_pages(Sequence& sequence) {
  if (!sequence.in_prompt() || sequence.computed() != sequence.pages().size() * kPageTokens) return;
  const auto chain = sequence.cacheable_chain();
  if (chain.size() <= sequence.pages().size()) return;
  sequence.add_cached_pages(prefixes_.acquire(chain.subspan(sequence.pages().size())));
}

// One group for the first sequence that waits for one.
void Runtime::encode_pictures() {
  for (const auto& sequence : running_) {
    if (!sequence->needs_pictures() || pictures_.collect(*sequence)) continue;
    const Stopwatch stopwatch;
    const auto error = attempt([&] {
      pictures_.encode_group(*sequence);
      pictures_.collect(*sequence);
    });
    sequence->timings.vision += stopwatch.seconds();
    if (error) return fail(*sequence, *error);
    tell(*sequence, PictureProgress{sequence->tiles_done(), sequence->tile_count()});
    return;
  }
}

void Runtime::compute_batch() {
  const std::vector<PlannedSpan> spans = plan();
  if (spans.empty()) return;
  const auto error = attempt([&] { compute(spans); });
  if (!error) return;
  for (const PlannedSpan& span : spans)
    if (!span.sequence->ended) fail(*span.sequence, *error);
}

std::vector<PlannedSpan> Runtime::plan() {
  std::vector<Sequence*> ready;
  for (const auto& sequence : running_)
    if (!sequence->needs_pictures()) ready.push_back(sequence.get());
  return plan_step(ready, options_.limits);
}

void Runtime::get_pages(const PlannedSpan& span) {
  while (span.sequence->pages().size() * kPageTokens < span.first + span.count) {
    const std::optional<PageId> page = prefixes_.allocate();
    VL2_CHECK(page.has_value());  // fits() saw to it
    span.sequence->add_page(*page);
  }
}

void Runtime::compute(std::span<const PlannedSpan> plan) {
  const Stopwatch stopwatch;
  for (const PlannedSpan& span : plan) get_pages(span);
  fill_batch(plan, options_.logits_observer != nullptr, batch_);
  arena_.reset();
  Step step{batch_, ops_, pool_.layers()};
  const Rows logits = model_.forward(step);
  const double seconds = stopwatch.seconds();

  for (const PlannedSpan& span : plan) {
    Sequence& sequence = *span.sequence;
    const bool in_prompt = sequence.in_prompt();
    (in_prompt ? sequence.timings.prefill : sequence.timings.decode) += seconds;
    sequence.advance(span.count);
    while (const auto full = sequence.next_unnamed_page()) prefixes_.name(full->page, full->name);
    if (in_prompt) tell(sequence, PromptProgress{sequence.computed(), sequence.prompt_tokens()});
  }
  use_logits(plan, logits);
}

void Runtime::use_logits(std::span<const PlannedSpan> plan, Rows logits) {
  const bool all = options_.logits_observer != nullptr;
  std::size_t row = 0;
  for (const PlannedSpan& span : plan) {
    // The span was planned before its sequence went on.
    const bool wanted = span.sequence->uncomputed() == 0;
    const std::size_t rows = all ? span.count : (wanted ? 1 : 0);
    if (all) observe(span, logits.slice(row, rows));
    row += rows;
    if (!wanted) continue;
    const auto last = logits[row - 1];
    const auto error = attempt([&] { choose_token(*span.sequence, last); });
    if (error) fail(*span.sequence, *error);
  }
}

void Runtime::observe(const PlannedSpan& span, Rows logits) const {
  for (std::size_t i = 0; i < span.count; ++i)
    options_.logits_observer(span.sequence->id(), span.first + i, logits[i]);
}

void Runtime::choose_token(Sequence& sequence, std::span<const float> logits) {
  const std::int32_t token =
      sequence.sampler().sample(logits, sequence.penalized_ids(), sequence.ids().size());
  const bool is_end = tokenizer_ && token == tokenizer_->eos_id();
  TokenChosen chosen{token, sequence.accept(token, is_end), {}};
  if (sequence.wants_reports() && tokenizer_)
    chosen.report = report(*tokenizer_, logits, token, sequence.options().logprobs);
  tell(sequence, std::move(chosen));
  end_if_over(sequence, is_end);
}

void Runtime::end_if_over(Sequence& sequence, bool is_end) {
  if (is_end || sequence.stop_string_found())
    finish(sequence, FinishReason::stop);
  else if (sequence.at_limit())
    finish(sequence, FinishReason::length);
}

void Runtime::finish(Sequence& sequence, FinishReason reason) {
  std::string text = sequence.finish_text();
  // The text that was held back may have completed a stop string.
  if (sequence.stop_string_found()) reason = FinishReason::stop;
  prefixes_.release(sequence.take_pages());
  sequence.ended = true;
  tell(sequence, RequestFinished{reason, std::move(text), sequence.usage, sequence.timings});
}

void Runtime::fail(Sequence& sequence, const Error& error) {
  prefixes_.discard(sequence.take_pages());
  sequence.ended = true;
  tell(sequence, RequestFailed{error});
}

void Runtime::remove_ended() {
  std::erase_if(running_, [](const auto& sequence) { return sequence->ended; });
}

}  // namespace vl2
