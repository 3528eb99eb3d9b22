// SPDX-License-Identifier: MIT
// vl2 eval and vl2 compare: figures, and files of cases that are not what they should be.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/program.h"

namespace vl2 {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// Lines of the bundled model's demo.jsonl with absolute paths.
std::vector<json> demo_lines() {
  std::vector<json> lines;
  std::ifstream file(kNano / "demo" / "demo.jsonl");
  for (std::string line; std::getline(file, line);) {
    json one = json::parse(line);
    for (json& image : one["images"]) image = (kNano / "demo" / image.get<std::string>()).string();
    lines.push_back(one);
  }
  return lines;
}

std::string text_of(const std::vector<json>& lines) {
  std::string text;
  for (const json& line : lines) text += line.dump() + "\n";
  return text;
}

// One question about a sign, one for a box.
std::vector<json> two_lines() {
  std::vector<json> two(2);
  for (const json& line : demo_lines()) two[line.contains("min_iou") ? 1 : 0] = line;
  return two;
}

class Cases : public ::testing::Test {
 protected:
  std::string write(const std::string& text, const std::string& name = "cases.jsonl") {
    write_file(folder_ / name, text);
    return folder_ / name;
  }
  const TemporaryFolder folder_;
};

using Eval = Cases;
using Compare = Cases;

TEST_F(Eval, CountsExactAnswersAndMeasuresBoxes) {
  std::vector<json> lines = two_lines();
  const double least_iou = lines[1]["min_iou"];
  lines[0]["task"] = "text";
  lines[1]["task"] = "box";
  lines.push_back(lines[0]);
  lines[2]["expected"] = "something else";
  lines[2]["output"] = "something else";
  const Result result = run_on_nano("eval", {write(text_of(lines)), "--weights", "f32", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const json found = result.json();
  EXPECT_EQ(found["weights"], "f32");
  EXPECT_EQ(found["all"]["cases"], 3);
  EXPECT_EQ(found["all"]["exact"], 1);
  EXPECT_EQ(found["all"]["cases_with_boxes"], 1);
  EXPECT_EQ(found["all"]["as_recorded"], 2);
  EXPECT_EQ(found["tasks"]["text"]["cases"], 2);
  EXPECT_EQ(found["tasks"]["text"]["exact_share"], 0.5);
  EXPECT_FALSE(found["tasks"]["text"].contains("mean_iou"));
  EXPECT_NEAR(found["tasks"]["box"]["mean_iou"].get<double>(), least_iou, 0.001);
  EXPECT_EQ(found["tasks"]["box"]["iou_above_half"], 1);
  ASSERT_EQ(found["answers"].size(), 3U);
  EXPECT_EQ(found["answers"][0]["text"], lines[0]["output"]);
  EXPECT_THAT(found["answers"][2]["case"].get<std::string>(), HasSubstr("cases.jsonl line 3"));
}

TEST_F(Eval, TableHasALineATaskAndOneForAll) {
  std::vector<json> lines = two_lines();
  const Result result = run_on_nano("eval", {write("\n" + text_of(lines))});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("IoU"));
  EXPECT_THAT(result.output, HasSubstr("\ncases "));  // the file's name, for lack of a task
  EXPECT_THAT(result.output, HasSubstr("\nall "));
  EXPECT_EQ(result.errors, "");
}

TEST_F(Eval, NeedsExpectedAnswers) {
  const Result result = run_on_nano("eval", {write("{\"prompt\": \"hello\"}\n")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_THAT(result.errors, HasSubstr("cases.jsonl line 1: field expected"));
}

TEST_F(Compare, AModelDoesNotDifferFromItself) {
  const std::string cases = write(text_of(two_lines()));
  const Result result = run_program({"compare", "bf16", kNano, cases, "-m", kNano, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const json found = result.json();
  EXPECT_EQ(found["cases"], 2);
  EXPECT_EQ(found["all"]["kl_largest"], 0.0);
  EXPECT_EQ(found["all"]["top1_agreement"], 1.0);
  EXPECT_EQ(found["b"]["weights"], "bf16");
  std::size_t tokens = 0;
  for (const json& line : two_lines()) tokens += line["output_ids"].size() + 1;
  EXPECT_EQ(found["all"]["tokens"], tokens);
}

TEST_F(Compare, FewerBitsDifferAndIntegersInTheTowerToo) {
  const std::string cases = write(text_of(two_lines()));
  const auto kl_of = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"bf16"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), {cases, "--json"});
    const Result result = run_on_nano("compare", arguments);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return result.json()["all"]["kl_mean"].get<double>();
  };
  const double int8 = kl_of({"int8"});
  EXPECT_GT(int8, 0.0);
  EXPECT_GT(kl_of({"int4-max"}), int8);
  EXPECT_GT(kl_of({"bf16", "--vision", "int8"}), 0.0);
}

TEST_F(Compare, ARecordedTextIsAsGoodAsItsTokensAndWithoutAnswersTheFirstModelGivesThem) {
  std::vector<json> lines = two_lines();
  const auto compared = [&] {
    const Result result = run_on_nano("compare", {"f32", "int8", write(text_of(lines)), "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return result.json()["all"];
  };
  const json along_ids = compared();
  for (json& line : lines) line.erase("output_ids");
  EXPECT_EQ(compared()["tokens"], along_ids["tokens"]);
  for (json& line : lines) line.erase("output");
  EXPECT_EQ(compared(), along_ids);  // what was recorded is what fp32 says
}

TEST_F(Compare, TextOutputNamesBothSides) {
  const Result result = run_on_nano("compare", {"bf16", "int4", write(text_of(two_lines()))});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("A: vl2-nano, bf16\nB: vl2-nano, int4\n2 answers, "));
  EXPECT_THAT(result.output, HasSubstr("KL divergence"));
}

TEST_F(Compare, OtherVocabulariesCannotBeCompared) {
  const std::string cases = write(text_of(two_lines()));
  const std::string other = kCheckpoints / "mla-softmax";
  const Result tokens = run_program({"compare", kNano, other, cases});
  EXPECT_EQ(tokens.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(tokens.errors));
  EXPECT_THAT(tokens.errors, HasSubstr("cannot be compared"));

  std::ifstream file(kNano / "config.json");
  json config = json::parse(file);
  config["language_config"]["vocab_size"] = 1281;
  std::filesystem::create_directory(folder_ / "larger");
  write_file(folder_ / "larger" / "config.json", config.dump());
  std::filesystem::copy(kNano / "processor_config.json", folder_ / "larger");
  const Result size = run_program({"compare", kNano, folder_ / "larger", cases});
  EXPECT_EQ(size.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(size.errors));
  EXPECT_THAT(size.errors, HasSubstr("1280 and 1281"));
}

TEST_F(Compare, AFolderForTheLogitsIsNeeded) {
  Surroundings around;
  around.environment = {{"TMPDIR", folder_ / "missing"}};
  const Result result =
      run_on_nano("compare", {"bf16", "int8", write(text_of(two_lines()))}, around);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_THAT(result.errors, HasSubstr("TMPDIR"));
}

TEST_F(Cases, WhatIsWrongWithALineIsNamed) {
  const std::string good = two_lines()[0].dump() + "\n";
  const std::string broken_picture = write("no picture", "broken.png");
  const std::pair<std::string, std::string> wrong[] = {
      {good + "not JSON\n", "line 2: not valid JSON"},
      {good + "{\"prompt\": \"x\", \"expected\": \"y\", \"n\": 1e999}\n", "line 2: a number"},
      {"[1, 2]\n", "line 1 must be an object"},
      {"{\"expected\": \"y\"}\n", "line 1: field prompt is missing"},
      {"{\"prompt\": 3}\n", "line 1: field prompt must be a string"},
      {"{\"prompt\": \"x\", \"expected\": \"y\", \"output_ids\": [-1]}\n", "output_ids[0]"},
      {"{\"prompt\": \"x\", \"expected\": \"y\", \"images\": [\"none.png\"]}\n",
       "line 1: there is no picture"},
      {"\n" + json({{"prompt", "x"}, {"expected", "y"}, {"images", {broken_picture}}}).dump(),
       "line 2: cannot decode " + broken_picture},
      {"\n\n", "has no questions"}};
  for (const auto& [text, complaint] : wrong) {
    const std::string cases = write(text);
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"eval", "-m", kNano, cases},
          std::vector<std::string>{"compare", "-m", kNano, "bf16", "int8", cases}}) {
      const Result result = run_program(arguments);
      EXPECT_EQ(result.exit_code, 1) << text;
      EXPECT_EQ(result.output, "");
      EXPECT_TRUE(is_one_clear_line(result.errors));
      EXPECT_THAT(result.errors, HasSubstr(cases));
      EXPECT_THAT(result.errors, HasSubstr(complaint));
    }
  }
}

TEST_F(Cases, FilesMustBeThereAndTokensKnown) {
  const Result missing = run_on_nano("eval", {folder_ / "none.jsonl"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(missing.errors));
  EXPECT_THAT(missing.errors, HasSubstr("none.jsonl"));

  json line = two_lines()[0];
  line["output_ids"] = {5, 99999};
  const Result unknown = run_on_nano("compare", {"bf16", "int8", write(line.dump())});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(unknown.errors));
  EXPECT_THAT(unknown.errors, HasSubstr("cases.jsonl line 1: the answer has token 99999"));
}

}  // namespace
}  // namespace vl2
