// SPDX-License-Identifier: MIT
// Whole prompts against the original's processor, for each checkpoint's tokenizer.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "vl2/error.h"

#include "text/chat_template.h"
#include "text/conversation_json.h"
#include "text/goldens.h"

namespace vl2 {
namespace {

using ::nlohmann::json;
using testing::goldens;
using testing::ids_of;
using testing::read_json;

class ConversationGoldens : public ::testing::TestWithParam<std::string> {
 protected:
  Tokenizer tokenizer_ = testing::checkpoint_tokenizer(GetParam());
};

// The token counts of pictures, from what the original's processor made of them.
std::vector<std::size_t> picture_tokens(const std::vector<std::filesystem::path>& images) {
  static const json preprocess = read_json(goldens() / "preprocess.json");
  const char* mode = tiling_is_on(images.size()) ? "cropping" : "no_cropping";
  std::vector<std::size_t> counts;
  for (const auto& image : images) {
    const json& golden = preprocess.at("images").at(image.filename().string());
    counts.push_back(golden.at(mode).at("num_image_tokens").get<std::size_t>());
  }
  return counts;
}

// Lengths of alternating runs, beginning with one of zeros.
std::vector<std::size_t> runs_of(const std::vector<std::uint8_t>& mask) {
  std::vector<std::size_t> runs = {0};
  for (const std::uint8_t value : mask) {
    if ((runs.size() % 2 == 0) != (value == 1)) runs.push_back(0);
    ++runs.back();
  }
  return runs;
}

void expect_equal(const Prompt& prompt, const json& expected, const std::string& name) {
  EXPECT_EQ(prompt.ids, ids_of(expected.at("input_ids"))) << name;
  EXPECT_EQ(runs_of(prompt.is_image),
            expected.at("images_seq_mask_runs").get<std::vector<std::size_t>>())
      << name;
}

TEST_P(ConversationGoldens, PromptsAreTheOriginals) {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(goldens() / "conversations")) {
    const json golden = read_json(entry.path());
    if (!golden.is_object() || !golden.contains("per_checkpoint")) continue;
    const std::string name = golden.at("name");
    const Conversation conversation =
        parse_conversation(golden.at("conversation").dump(), goldens() / "images", name);
    const Prompt prompt =
        build_prompt(tokenizer_, conversation.turns, picture_tokens(conversation.images));
    const json& expected = golden.at("per_checkpoint").at(GetParam());
    expect_equal(prompt, expected, name);
    EXPECT_EQ(tokenizer_.decode(prompt.ids), expected.at("decoded")) << name;
    ++cases;
  }
  EXPECT_EQ(cases, 27);
}

TEST_P(ConversationGoldens, RawPromptsAreTheOriginals) {
  for (const json& golden : read_json(goldens() / "conversations" / "prompt_mode.json")) {
    std::vector<std::filesystem::path> images;
    for (const json& image : golden.at("images")) images.emplace_back(image.get<std::string>());
    const std::string text = golden.at("sft_format");
    expect_equal(build_raw_prompt(tokenizer_, text, picture_tokens(images)),
                 golden.at("per_checkpoint").at(GetParam()), golden.at("name"));
  }
}

TEST_P(ConversationGoldens, RefusesWhatTheOriginalRefuses) {
  const json refused = read_json(goldens() / "conversations" / "refused.json");
  for (const auto& [name, golden] : refused.items()) {
    const auto build = [&] {
      const Conversation conversation =
          parse_conversation(golden.at("conversation").dump(), goldens() / "images", name);
      build_prompt(tokenizer_, conversation.turns, picture_tokens(conversation.images));
    };
    EXPECT_THROW(build(), Error) << name;
  }
}

// The original pads shorter prompts of a batch on the left; what follows is the prompt alone.
TEST(ConversationGoldensBatch, PromptsOfABatchAreThoseOfEachAlone) {
  const json golden = read_json(goldens() / "conversations" / "batch.json");
  const Tokenizer tokenizer = testing::checkpoint_tokenizer(golden.at("checkpoint"));
  for (std::size_t i = 0; i < golden.at("members").size(); ++i) {
    const std::string name = golden.at("members").at(i);
    const json member = read_json(goldens() / "conversations" / (name + ".json"));
    const Conversation conversation =
        parse_conversation(member.at("conversation").dump(), "", name);
    std::vector<std::int32_t> ids = build_prompt(tokenizer, conversation.turns, {}).ids;
    const std::vector<std::int32_t> padded = ids_of(golden.at("input_ids").at(i));
    ids.insert(ids.begin(), padded.size() - ids.size(), tokenizer.pad_id());
    EXPECT_EQ(ids, padded);
  }
}

std::string test_name(const ::testing::TestParamInfo<std::string>& parameter) {
  std::string name = parameter.param;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, ConversationGoldens,
                         ::testing::ValuesIn(testing::checkpoints()), test_name);

}  // namespace
}  // namespace vl2
