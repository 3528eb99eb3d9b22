// SPDX-License-Identifier: MIT
// The library: load a model, ask about pictures.
//
//   vl2::Engine engine({.model = "deepseek-vl2-tiny"});
//   std::vector<vl2::Message> messages = {
//       {vl2::Role::user, "What is on the sign?", {vl2::load_image("sign.png")}}};
//   vl2::Answer answer = engine.chat(messages);
//   std::puts(answer.text.c_str());
//
// The same request gives the same answer, bit for bit, whatever the chunk size, the number of
// threads, and what the engine has cached. All errors are vl2::Error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vl2/error.h"
#include "vl2/image.h"
#include "vl2/message.h"

namespace vl2 {

// What takes long enough to be told about.
enum class Stage {
  loading,   // bytes of the checkpoint
  pictures,  // tiles of the request's pictures through the vision tower
  prompt,    // tokens of the prompt
};
struct Progress {
  Stage stage = Stage::loading;
  std::size_t done = 0;
  std::size_t total = 0;
};
// Called on the thread that called the engine. Return false to stop: the call then throws
// Error{cancelled} while loading, and ends with FinishReason::cancelled while answering.
using ProgressCallback = std::function<bool(const Progress&)>;

struct EngineOptions {
  std::filesystem::path model = {};  // a folder as downloaded from the hub
  std::string weights = "auto";      // in memory: f32, bf16, int8, int4, int4-max, or auto:
                                     // as the folder has them, released ones in bf16
  std::string vision = "bf16";       // activations of the vision tower: bf16 or int8
  int threads = 0;                   // 0: as many as the process may use
  std::size_t context_tokens = 0;    // longest sequence; 0: max_position_embeddings of the model
  std::size_t chunk_tokens = 2048;   // most rows of a prompt that one step takes
  std::size_t cache_tokens = 0;      // room of the KV cache; 0: one context and a half
  ProgressCallback progress = {};    // while loading
};

// Hugging Face's generate() semantics, in its order: repetition penalty, n-gram ban, temperature,
// top-k, top-p, min-p. With temperature 0 the most probable token is taken, after the penalties.
struct GenerationOptions {
  std::size_t max_tokens = 512;
  double temperature = 0.0;
  int top_k = 50;  // 0: off. generate()'s default, which the original never changes
  double top_p = 1.0;
  double min_p = 0.0;
  double repetition_penalty = 1.0;
  bool penalize_prompt = true;  // the penalty and the ban count the prompt's tokens too
  int no_repeat_ngram_size = 0;
  std::uint64_t seed = 0;
  std::vector<std::string> stop = {};  // the answer ends before the first of these
  std::size_t logprobs = 0;  // how many of the most probable tokens to report at each step
};

enum class FinishReason {
  stop,       // the end-of-sentence token or a stop string
  length,     // max_tokens or the end of the context
  cancelled,  // a callback said so
};
std::string_view to_string(FinishReason reason) noexcept;

// A grounded box of the answer: <|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>.
struct Box {
  std::string label;
  std::size_t image = 0;               // index over all pictures of the conversation
  int x1 = 0, y1 = 0, x2 = 0, y2 = 0;  // pixels of that picture, truncated as the original does
};

struct TokenProbability {
  std::int32_t token = 0;
  std::string text;
  float logprob = 0.0F;  // natural logarithm, of the distribution before temperature and cuts
};
struct TokenReport {
  TokenProbability chosen;
  std::vector<TokenProbability> top;  // the most probable first
};

struct Usage {
  std::size_t prompt_tokens = 0;  // pictures included
  std::size_t image_tokens = 0;
  std::size_t cached_tokens = 0;  // of the prompt, taken from the KV cache
  std::size_t completion_tokens = 0;
};

// Seconds.
struct Timings {
  double vision = 0.0;
  double prefill = 0.0;
  double decode = 0.0;
};

struct Answer {
  std::string text;  // without the end-of-sentence token
  std::vector<std::int32_t> prompt_token_ids;
  std::vector<std::int32_t> token_ids;  // with the end-of-sentence id, if it came
  FinishReason finish_reason = FinishReason::stop;
  std::vector<Box> boxes;
  std::vector<TokenReport> logprobs;  // one a token if asked for
  Usage usage;
  Timings timings;
};

// What a request will take of the context.
struct PromptCost {
  std::size_t text_tokens = 0;
  std::vector<std::size_t> image_tokens;  // a number a picture
  std::size_t context_tokens = 0;         // of the engine
  std::size_t total() const noexcept;
};

struct ModelInfo {
  std::string name;  // the folder's name
  std::string weights;
  std::string instruction_set;
  int threads = 0;
  std::size_t context_tokens = 0;
  std::size_t weight_bytes = 0;
  std::size_t cache_bytes = 0;
  double load_seconds = 0.0;
};

// How pictures meet their <image> tags.
enum class PictureTags {
  place_missing,  // pictures without a tag come first, one a line, as in the original's demo
  strict,         // the original's processor: too few pictures is an error, surplus is ignored
};

struct ChatCallbacks {
  // Pieces of the answer as they come, always whole characters. Return false to stop.
  std::function<bool(std::string_view text)> text = {};
  ProgressCallback progress = {};  // pictures, prompt
};

// One caller at a time. Keeps what it computed for earlier prompts and pictures, so that the
// second question about a picture is fast.
class Engine {
 public:
  explicit Engine(const EngineOptions& options);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  // Answers the last message, or goes on writing it if it is the assistant's. Throws
  // Error{invalid_argument} for conversations the model's template cannot express and for options
  // out of range, Error{too_long} with the numbers when the prompt does not fit.
  Answer chat(std::span<const Message> messages, const GenerationOptions& options = {},
              const ChatCallbacks& callbacks = {}, PictureTags tags = PictureTags::place_missing);

  // Throws as chat() does for conversations that cannot be expressed.
  PromptCost cost(std::span<const Message> messages,
                  PictureTags tags = PictureTags::place_missing) const;

  const ModelInfo& info() const noexcept;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace vl2
