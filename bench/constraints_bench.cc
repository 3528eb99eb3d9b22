// SPDX-License-Identifier: MIT
// What it costs a step to keep an answer to a JSON schema or to boxes, over a vocabulary of full
// size: the file of VL2_TOKENIZER_V3, which tools/fetch_tokenizer_v3.sh brings.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/mapped_file.h"
#include "server/constraints.h"

namespace vl2 {
namespace {

const Tokenizer* vocabulary() {
  static const std::unique_ptr<Tokenizer> tokenizer = []() -> std::unique_ptr<Tokenizer> {
    const char* path = std::getenv("VL2_TOKENIZER_V3");
    if (path == nullptr) return nullptr;
    const std::string json = read_text_file(path);
    const char* config =
        R"({"bos_token": "<｜begin▁of▁sentence｜>", "eos_token": "<｜end▁of▁sentence｜>"})";
    // The tokens that DeepSeek-VL2 adds to this vocabulary are missing in the file.
    constexpr bool kAddMissingTokens = true;
    return std::make_unique<Tokenizer>(
        Tokenizer::parse({json, config, "VL2_TOKENIZER_V3"}, {kAddMissingTokens}));
  }();
  return tokenizer.get();
}

ResponseFormat receipt_format() {
  ResponseFormat format;
  format.type = ResponseFormat::Type::json_schema;
  format.schema = RequestJson::parse(R"({"type":"object","properties":{
    "shop":{"type":"string","maxLength":40},
    "date":{"type":"string","pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "items":{"type":"array","items":{"type":"object","properties":{
      "name":{"type":"string"},"price":{"type":"number"}},"required":["name","price"],
      "additionalProperties":false}},
    "paid":{"enum":["cash","card"]}},
    "required":["shop","date","items","paid"],"additionalProperties":false})");
  return format;
}

constexpr std::string_view kReceipt =
    R"({"shop": "TEA HOUSE", "date": "2026-11-24", "items": [{"name": "Green tea", "price": 4.5}, )"
    R"({"name": "Cake", "price": 3}], "paid": "cash"})";

std::vector<float> logits() {
  return std::vector<float>(static_cast<std::size_t>(vocabulary()->vocabulary_size()), 1.0F);
}

// A whole answer; time a token. `fresh`: nobody asked for this schema before.
void answer(benchmark::State& state, bool fresh) {
  if (vocabulary() == nullptr) return state.SkipWithError("set VL2_TOKENIZER_V3");
  const std::vector<std::int32_t> ids = vocabulary()->encode(kReceipt);
  std::vector<float> scores = logits();
  Constraints constraints(*vocabulary());
  std::shared_ptr<GrammarMasks> masks = constraints.grammar(receipt_format());
  for (auto _ : state) {
    if (fresh) masks = masks->fresh();
    GrammarConstraint constraint(masks);
    for (const std::int32_t id : ids) {
      constraint.mask(scores);
      constraint.accept(id);
    }
  }
  state.counters["per_token"] =
      benchmark::Counter(static_cast<double>(state.iterations() * ids.size()),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void json_known(benchmark::State& state) { answer(state, false); }
void json_fresh(benchmark::State& state) { answer(state, true); }

void boxes(benchmark::State& state) {
  if (vocabulary() == nullptr) return state.SkipWithError("set VL2_TOKENIZER_V3");
  std::vector<float> scores = logits();
  const Constraints constraints(*vocabulary());
  const auto constraint = constraints.boxes({});
  constraint->accept(vocabulary()->det_id());
  for (auto _ : state) constraint->mask(scores);
}

BENCHMARK(json_known)->Unit(benchmark::kMillisecond);
BENCHMARK(json_fresh)->Unit(benchmark::kMillisecond);
BENCHMARK(boxes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vl2

BENCHMARK_MAIN();
