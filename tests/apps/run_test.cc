// SPDX-License-Identifier: MIT
// vl2 run with a prompt: answers, --json, conversations, pictures that cannot be read.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "apps/demo_cases.h"
#include "apps/program.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

std::vector<std::string> with(std::vector<std::string> arguments,
                              const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(Run, AnswersEveryDemoQuestionAsTheReferenceDoes) {
  const std::vector<DemoCase> cases = demo_cases();
  ASSERT_FALSE(cases.empty());
  for (const DemoCase& demo : cases) {
    const Result result = run_on_nano("run", with(arguments_of(demo), {"--weights", "f32"}));
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(result.output, demo.output + "\n") << demo.prompt;
    EXPECT_EQ(result.errors, "");
  }
}

TEST(Run, JsonHoldsTheWholeAnswer) {
  const DemoCase demo = simple_cases().at(0);
  const Result result = run_on_nano("run", with(arguments_of(demo), {"--json", "--logprobs", "3"}));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const json answer = result.json();
  EXPECT_EQ(answer["text"], demo.output);
  EXPECT_EQ(answer["finish_reason"], "stop");
  EXPECT_EQ(answer["boxes"], json::array());
  std::vector<int> ids = answer["token_ids"];
  ids.pop_back();  // the end-of-sentence id
  EXPECT_EQ(ids, demo.output_ids);
  const json& usage = answer["usage"];
  EXPECT_EQ(usage["prompt_tokens"], answer["prompt_token_ids"].size());
  EXPECT_EQ(usage["completion_tokens"], answer["token_ids"].size());
  EXPECT_GT(usage["image_tokens"], 0);
  for (const char* part : {"load", "vision", "prefill", "decode"})
    EXPECT_GT(answer["timings"][part]["seconds"], 0) << part;
  ASSERT_EQ(answer["logprobs"].size(), answer["token_ids"].size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const json& token = answer["logprobs"][i];
    EXPECT_EQ(token["top"].size(), 3U);
    EXPECT_EQ(token["id"], answer["token_ids"][i]);
    EXPECT_EQ(token["id"], token["top"][0]["id"]);
  }
}

TEST(Run, JsonHasBoxesInPixels) {
  for (const DemoCase& demo : demo_cases()) {
    if (!demo.is_grounded()) continue;
    const json answer =
        run_on_nano("run", with(arguments_of(demo), {"--json", "--weights", "f32"})).json();
    ASSERT_FALSE(answer["boxes"].empty());
    for (const json& box : answer["boxes"]) {
      EXPECT_THAT(demo.output, HasSubstr("<|ref|>" + box["label"].get<std::string>() + "<|/ref|>"));
      EXPECT_EQ(box["image"], 0);
      EXPECT_LE(box["x1"], box["x2"]);
      EXPECT_LE(box["y1"], box["y2"]);
    }
    return;
  }
  FAIL() << "no demo question asks for a box";
}

TEST(Run, DashReadsThePromptFromStandardInput) {
  DemoCase demo = simple_cases().at(0);
  Surroundings around;
  around.input = demo.prompt + "\n";
  demo.prompt = "-";
  EXPECT_EQ(run_on_nano("run", arguments_of(demo), around).output, demo.output + "\n");
}

TEST(Run, CommandNamesArePromptsToo) { EXPECT_EQ(run_on_nano("run", {"info"}).exit_code, 0); }

TEST(Run, ChunksThreadsAndContextDoNotChangeTheAnswer) {
  const DemoCase demo = simple_cases().at(0);
  const std::vector<std::string> options[] = {
      {"--chunk-size", "7"}, {"--threads", "1"}, {"--context", "600"}, {"--seed", "9"}};
  for (const std::vector<std::string>& option : options)
    EXPECT_EQ(run_on_nano("run", with(arguments_of(demo), option)).output, demo.output + "\n")
        << option[0];
}

TEST(Run, SameSeedSameAnswer) {
  const DemoCase demo = simple_cases().at(0);
  const std::vector<std::string> hot = {"--temperature", "3", "--seed", "5", "--max-tokens", "30"};
  const Result first = run_on_nano("run", with(arguments_of(demo), hot));
  EXPECT_EQ(first.exit_code, 0);
  EXPECT_EQ(first.output, run_on_nano("run", with(arguments_of(demo), hot)).output);
}

TEST(Run, MaxTokensEndsTheAnswer) {
  for (const DemoCase& demo : simple_cases()) {
    if (demo.output_ids.size() < 2) continue;
    const json answer =
        run_on_nano("run", with(arguments_of(demo), {"--max-tokens", "1", "--json"})).json();
    EXPECT_EQ(answer["finish_reason"], "length");
    EXPECT_EQ(answer["token_ids"], json({demo.output_ids[0]}));
    return;
  }
  FAIL() << "all demo answers are one token long";
}

TEST(Run, StopEndsBeforeAnyOfItsTexts) {
  for (const DemoCase& demo : simple_cases()) {
    const std::size_t blank = demo.output.find(' ');
    if (blank == demo.output.npos) continue;
    const std::vector<std::string> stops = {"--stop", "\x01", "--stop", demo.output.substr(blank)};
    const Result result = run_on_nano("run", with(arguments_of(demo), stops));
    EXPECT_EQ(result.output, demo.output.substr(0, blank) + "\n");
    return;
  }
  FAIL() << "no demo answer has two words";
}

TEST(Run, PromptLongerThanTheContextNamesTheNumbers) {
  const Result result =
      run_on_nano("run", with(arguments_of(simple_cases().at(0)), {"--context", "100"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_THAT(result.errors, HasSubstr("100"));
}

TEST(Run, MissingPictureIsNamedBeforeTheModelIsLoaded) {
  const Result result = run_on_nano("run", {"-i", "missing.png", "hello"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_THAT(result.errors, HasSubstr("missing.png"));
}

TEST(Run, BrokenPicturesAreErrors) {
  std::size_t refused = 0;
  for (const auto& entry : fs::directory_iterator(kGoldens / "images" / "bad")) {
    const std::string name = entry.path().filename();
    if (name == "bad_crc.png") continue;  // which passes, as in Pillow
    const Result result = run_on_nano("run", {"-i", entry.path(), "hello"});
    EXPECT_EQ(result.exit_code, 1) << name;
    EXPECT_EQ(result.output, "") << name;
    EXPECT_TRUE(is_one_clear_line(result.errors)) << name;
    ++refused;
  }
  EXPECT_GT(refused, 5U);
}

TEST(Run, UnreadablePictureIsAnError) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const TemporaryFolder folder;
  fs::copy(simple_cases().at(0).images[0], folder / "secret.png");
  fs::permissions(folder / "secret.png", fs::perms::none);
  const Result result = run_on_nano("run", {"-i", folder / "secret.png", "hello"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
}

// Writes a conversation of one question next to a copy of its picture.
fs::path conversation_of(const DemoCase& demo, const TemporaryFolder& folder) {
  fs::copy(demo.images.at(0), folder / "picture.png", fs::copy_options::overwrite_existing);
  const json conversation = {
      {{"role", "<|User|>"}, {"content", "<image>\n" + demo.prompt}, {"images", {"picture.png"}}},
      {{"role", "<|Assistant|>"}, {"content", ""}}};
  write_file(folder / "conversation.json", conversation.dump());
  return folder / "conversation.json";
}

TEST(Conversation, IsAnsweredWithPicturesRelativeToTheFile) {
  const TemporaryFolder folder;
  const DemoCase demo = simple_cases().at(0);
  const Result result = run_on_nano("run", {"--conversation", conversation_of(demo, folder)});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.output, demo.output + "\n");
}

TEST(Conversation, GivesThePromptThatTheArgumentsGive) {
  const TemporaryFolder folder;
  const DemoCase demo = simple_cases().at(0);
  const json from_file =
      run_on_nano("run", {"--conversation", conversation_of(demo, folder), "--json"}).json();
  const json from_arguments = run_on_nano("run", with(arguments_of(demo), {"--json"})).json();
  EXPECT_EQ(from_file["prompt_token_ids"], from_arguments["prompt_token_ids"]);
}

TEST(Conversation, TakesOneMoreQuestion) {
  const TemporaryFolder folder;
  const DemoCase demo = simple_cases().at(0);
  const json before =
      run_on_nano("run", {"--conversation", conversation_of(demo, folder), "--json"}).json();
  const Result result =
      run_on_nano("run", {"--conversation", conversation_of(demo, folder), "--json", "-i",
                          simple_cases().at(1).images[0], simple_cases().at(1).prompt});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.json()["usage"]["image_tokens"], 2 * before["usage"]["image_tokens"].get<int>());
}

TEST(Conversation, RefusesWhatTheOriginalRefuses) {
  const TemporaryFolder folder;
  std::ifstream file(kGoldens / "conversations" / "refused.json");
  const json cases = json::parse(file);
  ASSERT_FALSE(cases.empty());
  for (const auto& [name, refused] : cases.items()) {
    fs::copy(kGoldens / "images" / "rgb_48x31.png", folder / "rgb_48x31.png",
             fs::copy_options::overwrite_existing);
    write_file(folder / "refused.json", refused["conversation"].dump());
    for (const char* command : {"run", "tokenize"}) {
      const Result result =
          run_on_nano(command, {"--conversation", folder / "refused.json", "--json"});
      EXPECT_EQ(result.exit_code, 1) << command << " " << name;
      EXPECT_TRUE(is_one_clear_line(result.errors)) << name;
      EXPECT_EQ(result.output, "") << name;
    }
  }
}

TEST(Conversation, SystemTextComesFirst) {
  const json plain = run_on_nano("run", {"hello", "--json"}).json();
  const json instructed = run_on_nano("run", {"hello", "--system", "Be brief.", "--json"}).json();
  EXPECT_GT(instructed["usage"]["prompt_tokens"], plain["usage"]["prompt_tokens"]);
}

}  // namespace
}  // namespace vl2
