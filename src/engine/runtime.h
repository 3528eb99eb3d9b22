// SPDX-License-Identifier: MIT
// A model at work on any number of requests at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "base/parallel.h"
#include "engine/kv_pool.h"
#include "engine/picture_encoder.h"
#include "engine/prefix_cache.h"
#include "engine/request.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"
#include "model/model.h"
#include "tensor/arena.h"
#include "text/tokenizer.h"

namespace vl2 {

// Told the logits [vocab_size] of the token at `position`, for every token that is computed.
using LogitsObserver =
    std::function<void(RequestId request, std::size_t position, std::span<const float> logits)>;

struct RuntimeOptions {
  Isa isa = Isa::portable;  // chosen_isa(), or in tests another of cpu_isas()
  ThreadTeam team = ThreadTeam();
  std::size_t cache_tokens = 0;  // room of the KV cache, at least the context; 0: one and a half
  StepLimits limits;
  std::size_t max_sequences = 64;  // at work at once; further requests wait
  std::size_t tiles_at_once = 2;   // through the vision tower in one step
  std::size_t picture_cache_bytes = std::size_t{256} << 20;
  PictureFilesOptions picture_files = {};  // pictures that survive the program
  LogitsObserver logits_observer = {};     // for tests: then the logits of all tokens are computed
};

// Belongs to one thread: the one that calls step() calls everything else too. Results do not
// depend on what else is at work, on limits, threads or caches.
class Runtime {
 public:
  // `model` is borrowed. Without a tokenizer there is no text, and only max_tokens ends an answer.
  // Throws Error{invalid_argument} for options that make no sense, Error{out_of_memory} with the
  // size of the cache, Error{io} if picture_files cannot be used.
  Runtime(const Model& model, std::optional<Tokenizer> tokenizer, RuntimeOptions options);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Throws Error{invalid_argument} naming the option at fault, Error{too_long} with the numbers.
  RequestId add(Request request);

  // The request ends in the next step, with FinishReason::cancelled. Ids of requests that have
  // ended are ignored.
  void cancel(RequestId request);

  // Nothing to do.
  bool idle() const noexcept { return waiting_.empty() && running_.empty(); }

  // Encodes a group of picture tiles, if a request waits for one, and computes one batch of
  // tokens. What goes wrong with a request is told in its RequestFailed; nothing is thrown.
  std::vector<Event> step();

  std::size_t context_tokens() const noexcept { return model_.context(); }
  // Logits are this many; token ids are smaller.
  std::int32_t vocabulary() const noexcept { return model_.config().language.vocab_size; }
  std::size_t cache_bytes() const noexcept { return pool_.total_bytes(); }
  std::size_t waiting_count() const noexcept { return waiting_.size(); }
  std::size_t running_count() const noexcept { return running_.size(); }
  // Pages of the cache in all, and those that no request is using.
  std::size_t page_count() const noexcept { return pool_.page_count(); }
  std::size_t available_pages() const noexcept { return prefixes_.available(); }
  const TileCounts& tile_counts() const noexcept { return pictures_.counts(); }

 private:
  void end_cancelled();
  void admit();
  bool fits(Sequence& sequence) const;
  void take_cached_pages(Sequence& sequence);
  void encode_pictures();
  void compute_batch();
  std::vector<PlannedSpan> plan();
  void get_pages(const PlannedSpan& span);
  void compute(std::span<const PlannedSpan> plan);
  void use_logits(std::span<const PlannedSpan> plan, Rows logits);
  void observe(const PlannedSpan& span, Rows logits) const;
  void choose_token(Sequence& sequence, std::span<const float> logits);
  void end_if_over(Sequence& sequence, bool is_end);
  void finish(Sequence& sequence, FinishReason reason);
  void fail(Sequence& sequence, const Error& error);
  void remove_ended();
  template <class What>
  void tell(const Sequence& sequence, What what) {
    events_.push_back({sequence.id(), std::move(what)});
  }

  const Model& model_;
  std::optional<Tokenizer> tokenizer_;
  RuntimeOptions options_;
  KvPool pool_;
  PrefixCache prefixes_;
  Arena arena_;
  Ops ops_;
  PictureEncoder pictures_;
  TokenBatch batch_;
  std::deque<std::unique_ptr<Sequence>> waiting_;
  std::vector<std::unique_ptr<Sequence>> running_;  // in order of arrival
  std::vector<Event> events_;                       // of this step
  RequestId next_id_ = 1;
};

}  // namespace vl2
