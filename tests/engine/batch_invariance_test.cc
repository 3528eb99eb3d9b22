// SPDX-License-Identifier: MIT
// The promise of docs/architecture.md: a token's result depends on its sequence alone, to the last
// bit. Requests run alone first; then together, in random batches, with random chunks, numbers of
// threads and states of the caches, and every logit of every token must be the same.
#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "base/cpu.h"
#include "base/random.h"
#include "engine/models.h"
#include "engine/runtime.h"

namespace vl2 {
namespace {

struct Case {
  std::string model;
  Recipe recipe;
  Isa isa;
};

std::vector<Case> cases() {
  std::vector<std::string> models(std::begin(test::kGoldenCheckpoints),
                                  std::end(test::kGoldenCheckpoints));
  models.push_back("nano");
  std::vector<Case> all;
  for (const std::string& model : models)
    for (const Recipe recipe : kAllRecipes)
      for (const Isa isa : cpu_isas()) all.push_back({model, recipe, isa});
  return all;
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.model + "_" + std::string(to_string(info.param.recipe)) + "_" +
                     std::string(to_string(info.param.isa));
  std::ranges::replace(name, '-', '_');
  return name;
}

// What became of one request.
struct Result {
  std::vector<std::vector<float>> logits;  // [position], empty where a cache spared the work
  std::vector<std::int32_t> tokens;
};

// Random numbers one after the other.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  // least .. most
  std::size_t roll(std::size_t least, std::size_t most) {
    return least + random_bits(seed_, next_++) % (most - least + 1);
  }
  // 0 .. count - 1, each twice.
  std::vector<std::size_t> shuffled_twice(std::size_t count) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < 2 * count; ++i) order.push_back(i % count);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[roll(0, i - 1)]);
    return order;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

Request text_request(const ModelConfig& config, std::size_t tokens, std::uint64_t seed) {
  Request request;
  Dice dice(seed);
  const auto most = static_cast<std::size_t>(config.language.vocab_size) - 1;
  for (std::size_t i = 0; i < tokens; ++i)
    request.prompt.ids.push_back(static_cast<std::int32_t>(dice.roll(0, most)));
  request.options.max_tokens = 4;
  return request;
}

Request picture_request(const LoadedModel& model, const std::string& image, const char* question) {
  Request request;
  const std::vector<Message> messages = {
      {Role::user, question, {load_image(test::golden_image(image))}}};
  request.prompt = prepare_prompt(model, messages, PictureTags::place_missing);
  request.options.max_tokens = 3;
  return request;
}

// Of the models in these tests: little more than the longest request, so that the cache can be
// small.
constexpr std::size_t kContext = 1300;

class BatchInvariance : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const Case& c = GetParam();
    model_ = &test::model(c.model == "nano" ? test::nano() : test::golden_checkpoint(c.model),
                          c.recipe, kContext);
    make_requests();
    for (std::size_t i = 0; i < requests_.size(); ++i) alone_.push_back(run_alone(i));
  }

  // The definition of the kernels is a hundred times slower than the others: it gets less to do.
  bool slow() const { return GetParam().isa == Isa::portable; }

  void make_requests() {
    const ModelConfig& config = model_->config();
    // Longer than a segment of the attention, or at least than a block.
    requests_.push_back(text_request(config, slow() ? 133 : 1100, 1));
    requests_.push_back(text_request(config, 45, 2));
    requests_.push_back(text_request(config, 1, 3));
    // Begins as the first one, and draws its tokens.
    requests_.push_back(text_request(config, slow() ? 70 : 150, 1));
    requests_.back().options.temperature = 1.0;
    requests_.back().options.seed = 7;
    if (slow() && GetParam().model != "mha-softmax") return;
    requests_.push_back(picture_request(*model_, "odd_420_101x67.jpg", "What is it?"));
    if (slow()) return;
    requests_.push_back(picture_request(*model_, "odd_420_101x67.jpg", "Describe the image."));
  }

  RuntimeOptions options() const {
    RuntimeOptions options;
    options.isa = GetParam().isa;
    options.team = ThreadTeam(1);
    return options;
  }

  Result run_alone(std::size_t index) const {
    Result result;
    RuntimeOptions alone = options();
    alone.logits_observer = [&](RequestId, std::size_t position, std::span<const float> logits) {
      result.logits.resize(std::max(result.logits.size(), position + 1));
      result.logits[position].assign(logits.begin(), logits.end());
    };
    Runtime runtime(model_->model, model_->tokenizer, alone);
    runtime.add(requests_[index]);
    while (!runtime.idle())
      for (const Event& event : runtime.step())
        if (const auto* chosen = std::get_if<TokenChosen>(&event.what))
          result.tokens.push_back(chosen->token);
    return result;
  }

  // Everything in random company: other threads, other chunks, and room for little more than one
  // request, so that requests wait and pages and tiles are thrown out.
  RuntimeOptions random_options(Dice& dice) const {
    RuntimeOptions together = options();
    together.team = ThreadTeam(static_cast<int>(dice.roll(1, 4)));
    together.limits = {dice.roll(20, 700), dice.roll(20, 300)};
    together.max_sequences = dice.roll(2, 6);
    together.tiles_at_once = dice.roll(1, 3);
    together.cache_tokens = kContext + dice.roll(0, 800);
    together.picture_cache_bytes = dice.roll(0, 1) * (std::size_t{64} << 20);
    return together;
  }

  void run_together(std::uint64_t seed);

  const LoadedModel* model_ = nullptr;
  std::vector<Request> requests_;
  std::vector<Result> alone_;  // [request]
  std::size_t cached_tokens_ = 0;
  std::size_t compared_rows_ = 0;
};

// Every request twice, in random order, begun at random steps, some cancelled.
void BatchInvariance::run_together(std::uint64_t seed) {
  Dice dice(seed);
  RuntimeOptions together = random_options(dice);
  std::map<RequestId, std::size_t> index_of;
  std::map<RequestId, std::vector<std::int32_t>> tokens;
  together.logits_observer = [&](RequestId request, std::size_t position,
                                 std::span<const float> logits) {
    const std::vector<float>& expected = alone_[index_of.at(request)].logits.at(position);
    ASSERT_EQ(std::memcmp(expected.data(), logits.data(), logits.size_bytes()), 0)
        << "request " << index_of.at(request) << " position " << position << " seed " << seed;
    ++compared_rows_;
  };
  Runtime runtime(model_->model, model_->tokenizer, together);
  const std::vector<std::size_t> order = dice.shuffled_twice(requests_.size());

  for (std::size_t next = 0; next < order.size() || !runtime.idle();) {
    for (std::size_t n = dice.roll(0, 2); n > 0 && next < order.size(); --n, ++next)
      index_of[runtime.add(requests_[order[next]])] = order[next];
    if (dice.roll(0, 20) == 0) runtime.cancel(dice.roll(1, order.size()));
    for (const Event& event : runtime.step()) {
      ASSERT_FALSE(std::holds_alternative<RequestFailed>(event.what));
      std::vector<std::int32_t>& chosen = tokens[event.request];
      if (const auto* token = std::get_if<TokenChosen>(&event.what)) chosen.push_back(token->token);
      const auto* finished = std::get_if<RequestFinished>(&event.what);
      if (finished == nullptr) continue;
      cached_tokens_ += finished->usage.cached_tokens;
      std::vector<std::int32_t> expected = alone_[index_of.at(event.request)].tokens;
      if (finished->reason == FinishReason::cancelled) expected.resize(chosen.size());
      EXPECT_EQ(chosen, expected);
    }
  }
  EXPECT_EQ(tokens.size(), order.size());
  EXPECT_EQ(runtime.available_pages(), runtime.page_count());
}

TEST_P(BatchInvariance, NothingAroundASequenceChangesABit) {
  for (std::uint64_t seed = 0; seed < (slow() ? 1U : 3U); ++seed) {
    run_together(seed);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(cached_tokens_, 0U);
  EXPECT_GT(compared_rows_, alone_.front().logits.size());
}

INSTANTIATE_TEST_SUITE_P(, BatchInvariance, ::testing::ValuesIn(cases()), name_of);

}  // namespace
}  // namespace vl2
