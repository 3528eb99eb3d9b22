// SPDX-License-Identifier: MIT
// vl2 eval: how many answers are right.
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "vl2/error.h"

#include "answering.h"
#include "cases.h"
#include "command.h"
#include "interrupt.h"
#include "model_folder.h"
#include "output.h"
#include "progress_bar.h"
#include "run_options.h"
#include "text/grounding.h"
#include "text/grounding_overlap.h"

namespace vl2 {
namespace {

constexpr const char* kDescription = "How many answers to questions with known answers are right";
constexpr const char* kExamples =
    "  vl2 eval models/vl2-nano/eval/eval.jsonl\n"
    "  vl2 eval -m deepseek-vl2-tiny --weights int4 cases.jsonl --json\n"
    "\n"
    "A line of CASES: {\"images\": [\"a.png\"], \"prompt\": \"<image>\\nWhat color is the "
    "star?\",\n"
    "\"expected\": \"red\", \"task\": \"colour\"}. Answers are right if they are equal to the "
    "letter; for\n"
    "boxes there is also the IoU (area of both by area of either).";

struct EvalOptions {
  std::string model;
  std::vector<std::filesystem::path> files;
  EngineOptions engine;
  std::size_t max_tokens = 512;
  bool json = false;
};

// An answer and what it is worth.
struct Graded {
  const Case* question = nullptr;
  std::string text;
  bool exact = false;
  std::optional<double> iou;        // where boxes are expected
  std::optional<bool> as_recorded;  // where an earlier answer is known
};

Graded graded(const Case& question, const Answer& answer) {
  Graded result{&question, answer.text, answer.text == *question.expected, {}, {}};
  const std::vector<GroundedBox> boxes = parse_grounding(*question.expected);
  if (!boxes.empty()) result.iou = mean_overlap(boxes, parse_grounding(answer.text));
  if (question.output) result.as_recorded = answer.text == *question.output;
  return result;
}

struct Sums {
  std::size_t cases = 0;
  std::size_t exact = 0;
  std::size_t with_boxes = 0;
  std::size_t iou_above_half = 0;
  double iou = 0.0;
  std::size_t recorded = 0;
  std::size_t as_recorded = 0;

  void add(const Graded& answer) {
    ++cases;
    exact += answer.exact ? 1 : 0;
    if (answer.iou) {
      ++with_boxes;
      iou += *answer.iou;
      iou_above_half += *answer.iou > 0.5 ? 1 : 0;
    }
    if (answer.as_recorded) {
      ++recorded;
      as_recorded += *answer.as_recorded ? 1 : 0;
    }
  }
};

double share(double part, std::size_t whole) { return part / static_cast<double>(whole); }

Json sums_json(const Sums& sums) {
  Json json = {{"cases", sums.cases},
               {"exact", sums.exact},
               {"exact_share", share(static_cast<double>(sums.exact), sums.cases)}};
  if (sums.with_boxes > 0) {
    json["cases_with_boxes"] = sums.with_boxes;
    json["mean_iou"] = share(sums.iou, sums.with_boxes);
    json["iou_above_half"] = sums.iou_above_half;
  }
  if (sums.recorded > 0) {
    json["recorded"] = sums.recorded;
    json["as_recorded"] = sums.as_recorded;
  }
  return json;
}

Json graded_json(const Graded& answer) {
  Json json = {{"case", answer.question->where},
               {"task", answer.question->task},
               {"text", answer.text},
               {"expected", *answer.question->expected},
               {"exact", answer.exact}};
  if (answer.iou) json["iou"] = *answer.iou;
  if (answer.as_recorded) json["as_recorded"] = *answer.as_recorded;
  return json;
}

std::string line_of(const std::string& name, const Sums& sums) {
  std::string line = fmt::format("{:<26} {:>5} {:>6} {:>5.0f} %", name, sums.cases, sums.exact,
                                 100.0 * share(static_cast<double>(sums.exact), sums.cases));
  line += sums.with_boxes > 0
              ? fmt::format(" {:>8.3f} {:>6}", share(sums.iou, sums.with_boxes),
                            fmt::format("{}/{}", sums.iou_above_half, sums.with_boxes))
              : fmt::format(" {:>8} {:>6}", "-", "-");
  if (sums.recorded > 0)
    line += fmt::format(" {:>9}", fmt::format("{}/{}", sums.as_recorded, sums.recorded));
  return line + "\n";
}

std::string table_of(const std::map<std::string, Sums>& tasks, const Sums& all) {
  std::string table =
      fmt::format("{:<26} {:>5} {:>6} {:>7} {:>8} {:>6}{}\n", "task", "cases", "exact", "", "IoU",
                  "> 0.5", all.recorded > 0 ? fmt::format(" {:>9}", "recorded") : "");
  for (const auto& [name, sums] : tasks) table += line_of(name, sums);
  return table + line_of("all", all);
}

void require_expected_answers(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    if (one.expected) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: field expected is missing; it says what is right", one.where));
  }
}

std::vector<Graded> answer_all(Engine& engine, const std::vector<Case>& cases,
                               std::size_t max_tokens) {
  GenerationOptions generation;
  generation.max_tokens = max_tokens;
  ChatCallbacks callbacks;
  callbacks.progress = [](const Progress&) { return !interrupted(); };
  callbacks.text = [](std::string_view) { return !interrupted(); };
  std::vector<Graded> answers;
  ProgressBar bar;
  for (const Case& one : cases) {
    bar.show("answering        ", answers.size(), cases.size());
    const std::vector<Message> question = question_of(one);
    try {
      answers.push_back(graded(one, engine.chat(question, generation, callbacks)));
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("{}: {}", one.where, error.what()));
    }
    stop_if_interrupted();
  }
  return answers;
}

int evaluate(const EvalOptions& options) {
  catch_interrupts();
  EngineOptions engine_options = options.engine;
  engine_options.model = find_model(options.model);
  const std::vector<Case> cases = load_cases(options.files);
  require_expected_answers(cases);
  Engine engine = load_engine(std::move(engine_options));
  const std::vector<Graded> answers = answer_all(engine, cases, options.max_tokens);

  Sums all;
  std::map<std::string, Sums> tasks;
  for (const Graded& answer : answers) {
    all.add(answer);
    tasks[answer.question->task].add(answer);
  }
  if (!options.json) {
    write_output(table_of(tasks, all));
    return kExitFine;
  }
  Json json = {{"model", engine.info().name},
               {"weights", engine.info().weights},
               {"vision", options.engine.vision},
               {"all", sums_json(all)}};
  for (const auto& [name, sums] : tasks) json["tasks"][name] = sums_json(sums);
  for (const Graded& answer : answers) json["answers"].push_back(graded_json(answer));
  write_json(json);
  return kExitFine;
}

}  // namespace

void add_eval_command(CLI::App& program, Action& action) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* command = program.add_subcommand("eval", kDescription);
  command->footer(kExamples);
  add_model_option(*command, options->model);
  add_cases_option(*command, options->files);
  command->add_option("-n,--max-tokens", options->max_tokens, "Longest answer")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20))
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--json", options->json, "One JSON object, with all answers");
  add_engine_options(*command, options->engine);
  command->callback([options, &action] { action = [options] { return evaluate(*options); }; });
}

}  // namespace vl2
