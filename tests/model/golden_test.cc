// SPDX-License-Identifier: MIT
// Every number the forward pass computes, held against the original code.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <numeric>

#include <gtest/gtest.h>

#include "model/golden_case.h"
#include "model/sequence_runner.h"

namespace vl2 {
namespace {

// Another fp32 implementation lands within 1e-4 of values of unit size (goldens/README.md).
constexpr double kTolerance = 2e-4;

// What the model reports while it runs.
struct Record {
  std::map<std::string, std::vector<float>> rows;  // "name" or "name/layer"
  std::map<std::string, std::size_t> widths;

  Observer observer() {
    return [this](std::string_view name, int layer, Rows view) {
      std::string key(name);
      if (layer >= 0) key += "/" + std::to_string(layer);
      if (rows.contains(key)) return;  // the first picture's
      std::vector<float>& out = rows[key];
      for (std::size_t i = 0; i < view.count; ++i)
        out.insert(out.end(), view[i].begin(), view[i].end());
      widths[key] = view.width;
    };
  }
  std::span<const float> last(const std::string& key) const {
    const std::span<const float> all(rows.at(key));
    return all.last(widths.at(key));
  }
};

double largest_difference(std::span<const float> a, std::span<const float> b) {
  EXPECT_LE(b.size(), a.size());
  double worst = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
  }
  return worst;
}

// The pictures' rows and where they go. The vectors own what the views show.
struct EncodedPictures {
  std::vector<std::vector<float>> storage;
  std::vector<PictureRows> views;
};

EncodedPictures encode_pictures(const GoldenCase& golden, const TestModel& test,
                                SequenceRunner& runner, const Observer* observer = nullptr) {
  EncodedPictures pictures;
  const auto hidden = static_cast<std::size_t>(test.config.language.hidden_size);
  auto at = golden.image_mask.begin();
  const auto used = static_cast<std::size_t>(
      std::count(golden.image_mask.begin(), golden.image_mask.end(), std::uint8_t{1}));
  std::size_t placed = 0;
  for (const Image& image : golden.images) {
    if (placed == used) break;  // surplus pictures are not in the prompt
    pictures.storage.push_back(runner.encode(image, golden.tiling, observer));
    at = std::find(at, golden.image_mask.end(), std::uint8_t{1});
    const std::size_t count = pictures.storage.back().size() / hidden;
    pictures.views.push_back({static_cast<std::size_t>(at - golden.image_mask.begin()), count,
                              pictures.storage.back().data()});
    at += static_cast<std::ptrdiff_t>(count);
    placed += count;
  }
  EXPECT_EQ(placed, used);
  return pictures;
}

struct Parameter {
  std::string checkpoint;
  Isa isa;
};

class Golden : public testing::TestWithParam<Parameter> {
 protected:
  static TestModel load(Recipe recipe) {
    return {golden_path("checkpoints/" + GetParam().checkpoint), recipe, GetParam().isa};
  }
  // Plainer kernels are slow: a short prompt and one picture show them right.
  static std::vector<std::string> conversations() {
    if (GetParam().isa == cpu_isas().back()) return golden_conversations(GetParam().checkpoint);
    if (GetParam().isa == Isa::portable && GetParam().checkpoint != "mla-general") return {"text"};
    return {"text", "one_image"};
  }
};

void expect_same_experts(const GoldenCase& golden, const Record& record) {
  for (const auto& [layer, moe] : golden.moe) {
    const std::span<const float> row = record.last("routing/" + std::to_string(layer));
    const std::size_t top_k = row.size() / 2;
    ASSERT_EQ(top_k, moe.expert_ids.size());
    std::vector<std::size_t> order(top_k);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return row[a] < row[b]; });
    for (std::size_t i = 0; i < top_k; ++i) {
      EXPECT_EQ(static_cast<std::int32_t>(row[order[i]]), moe.expert_ids[i]) << "layer " << layer;
      EXPECT_NEAR(row[top_k + order[i]], moe.weights[i], kTolerance) << "layer " << layer;
    }
  }
}

TEST_P(Golden, EveryRecordedPointAgreesInF32) {
  const TestModel test = load(Recipe::f32);
  for (const std::string& conversation : conversations()) {
    const GoldenCase golden = load_golden_case(GetParam().checkpoint, conversation);
    SCOPED_TRACE(golden.name());
    SequenceRunner runner(test, golden.input_ids.size() + golden.greedy_ids.size());
    Record record;
    const Observer observer = record.observer();
    const EncodedPictures pictures = encode_pictures(golden, test, runner, &observer);
    const auto logits = runner.run(golden.input_ids, pictures.views, true, &observer);

    const auto check = [&](const std::string& recorded, std::span<const float> ours) {
      const std::vector<float> expected = golden.tensor(recorded);
      EXPECT_LT(largest_difference(ours, expected), kTolerance) << recorded;
    };
    if (!pictures.views.empty()) {
      check("vision_features_tile0", record.rows.at("vision_features"));
      check("projector_tile0", record.rows.at("projector"));
    }
    check("inputs_embeds", record.rows.at("inputs_embeds"));
    check("final_hidden", record.rows.at("final_hidden"));
    check("logits_last", logits.back());
    std::vector<float> layers;
    for (std::size_t i = 0; i < test.model.layer_count(); ++i) {
      const auto row = record.last("layer_hidden/" + std::to_string(i));
      layers.insert(layers.end(), row.begin(), row.end());
    }
    check("layer_hidden_last", layers);
    expect_same_experts(golden, record);
  }
}

TEST_P(Golden, GreedyTokensAreTheSameInF32) {
  const TestModel test = load(Recipe::f32);
  for (const std::string& conversation : conversations()) {
    const GoldenCase golden = load_golden_case(GetParam().checkpoint, conversation);
    SCOPED_TRACE(golden.name());
    SequenceRunner runner(test, golden.input_ids.size() + golden.greedy_ids.size());
    const EncodedPictures pictures = encode_pictures(golden, test, runner);
    std::vector<float> logits = runner.run(golden.input_ids, pictures.views).back();
    for (std::size_t i = 0; i < golden.greedy_ids.size(); ++i) {
      ASSERT_EQ(argmax(logits), golden.greedy_ids[i]) << "token " << i;
      EXPECT_NEAR(logits[static_cast<std::size_t>(golden.greedy_ids[i])], golden.greedy_logits[i],
                  kTolerance);
      logits = runner.run(std::span(golden.greedy_ids).subspan(i, 1)).back();
    }
  }
}

// bf16 rounds activations, which tips a near tie of experts here and there, and then that token's
// logits move by tenths (0.84 at most was measured, where experts are weighed by 2). Teacher-forced
// over the recorded answer, tokens may differ only where the original's best two logits are close,
// and seldom.
TEST_P(Golden, GreedyTokensInBf16DifferOnlyWithinTheMargin) {
  constexpr double kCloseLogits = 1.0;
  const TestModel test = load(Recipe::bf16);
  double sum_squares = 0;
  double worst = 0;
  double widest = 0;
  std::size_t count = 0;
  std::size_t differing = 0;
  for (const std::string& conversation : conversations()) {
    const GoldenCase golden = load_golden_case(GetParam().checkpoint, conversation);
    SCOPED_TRACE(golden.name());
    SequenceRunner runner(test, golden.input_ids.size() + golden.greedy_ids.size());
    const EncodedPictures pictures = encode_pictures(golden, test, runner);
    std::vector<float> logits = runner.run(golden.input_ids, pictures.views).back();
    for (std::size_t i = 0; i < golden.greedy_ids.size(); ++i) {
      const auto expected = static_cast<std::size_t>(golden.greedy_ids[i]);
      const double deviation = std::abs(logits[expected] - golden.greedy_logits[i]);
      sum_squares += deviation * deviation;
      worst = std::max(worst, deviation);
      ++count;
      if (argmax(logits) != golden.greedy_ids[i]) {
        ++differing;
        widest = std::max(widest, golden.greedy_margins[i]);
        EXPECT_LT(golden.greedy_margins[i], kCloseLogits) << "token " << i;
      }
      logits = runner.run(std::span(golden.greedy_ids).subspan(i, 1)).back();
    }
  }
  const double rms = std::sqrt(sum_squares / static_cast<double>(count));
  std::cout << GetParam().checkpoint << " in bf16: " << differing << " of " << count
            << " tokens differ, the widest margin among them is " << widest
            << "; logits deviate by " << rms << " (rms), " << worst << " at most\n";
  EXPECT_LT(rms, 0.15);
  EXPECT_LT(static_cast<double>(differing), 0.15 * static_cast<double>(count));
}

std::vector<Parameter> parameters() {
  std::vector<Parameter> all;
  for (const char* checkpoint : {"mha-softmax", "mla-general", "mla-sigmoid", "mla-softmax"})
    for (const Isa isa : cpu_isas()) all.push_back({checkpoint, isa});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, Golden, testing::ValuesIn(parameters()), [](const auto& at) {
  std::string name = at.param.checkpoint + "_" + std::string(to_string(at.param.isa));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace vl2
