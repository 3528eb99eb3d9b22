// SPDX-License-Identifier: MIT
// vl2 compare: how far the next-token distributions of one model are from another's.
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/cpu.h"
#include "base/parallel.h"
#include "cases.h"
#include "checkpoint/model_config.h"
#include "checkpoint/recipe.h"
#include "command.h"
#include "engine/divergence.h"
#include "engine/forced_answer.h"
#include "engine/model_files.h"
#include "engine/runtime.h"
#include "interrupt.h"
#include "logits_file.h"
#include "model_folder.h"
#include "output.h"
#include "progress_bar.h"

namespace vl2 {
namespace {

constexpr const char* kDescription = "What fewer bits cost: next-token distributions of two models";
constexpr const char* kExamples =
    "  vl2 compare bf16 int4 models/vl2-nano/eval/eval.jsonl\n"
    "  vl2 compare bf16 int8 -m deepseek-vl2-tiny cases.jsonl --json\n"
    "  vl2 compare deepseek-vl2-small small-int4 cases.jsonl\n"
    "\n"
    "Both read the same questions and are led along the same answers: the recorded ones\n"
    "(output_ids or output), else those that A gives. At each token the distributions are\n"
    "compared. The models are loaded one after the other; A's logits wait in a file without a\n"
    "name in TMPDIR, four bytes a token of the answers and word of the vocabulary.";

struct CompareOptions {
  std::string a;
  std::string b;
  std::string model;
  std::string vision = "bf16";
  std::vector<std::filesystem::path> files;
  std::size_t max_tokens = 512;
  std::size_t context_tokens = 0;
  int threads = 0;
  bool json = false;
};

// One of the two models.
struct Side {
  std::filesystem::path folder;
  std::string weights;
  std::string vision;
};

bool is_format(const std::string& text) {
  const auto names = recipe_names();
  return text == kWeightsOfFolder || std::find(names.begin(), names.end(), text) != names.end();
}

// `folder` is the model that formats are formats of.
Side side_of(const std::string& text, const std::filesystem::path& folder,
             const std::string& vision) {
  if (is_format(text)) return {folder, text, vision};
  return {find_model(text), std::string(kWeightsOfFolder), vision};
}

LoadedModel load(const Side& side, const CompareOptions& options, const ThreadTeam& team) {
  ProgressBar bar;
  LoadOptions load_options;
  load_options.recipe = recipe_wanted(side.weights);
  load_options.integer_vision = integer_vision_wanted(side.vision);
  load_options.context_tokens = options.context_tokens;
  load_options.team = team;
  load_options.progress = [&bar](std::size_t done, std::size_t total) {
    bar.show({Stage::loading, done, total});
    return !interrupted();
  };
  return load_model(side.folder, load_options);
}

// Distributions are over the same words, or there is nothing to compare.
void require_same_vocabulary(const Side& a, const Side& b) {
  const std::int32_t words_of_a = load_model_config(a.folder).language.vocab_size;
  const std::int32_t words_of_b = load_model_config(b.folder).language.vocab_size;
  const std::string names = fmt::format("{} and {}", a.folder.string(), b.folder.string());
  if (words_of_a != words_of_b) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} have vocabularies of {} and {} tokens and cannot be compared",
                            names, words_of_a, words_of_b));
  }
  if (a.folder == b.folder) return;
  const Tokenizer tokens_of_a = Tokenizer::load(a.folder);
  const Tokenizer tokens_of_b = Tokenizer::load(b.folder);
  for (std::int32_t id = 0; id < words_of_a; ++id) {
    if (tokens_of_a.bytes(id) == tokens_of_b.bytes(id)) continue;
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{} mean different things by token {} and cannot be compared", names, id));
  }
}

// What A made of a case.
struct Course {
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> answer;
  std::size_t first_row = 0;  // of its logits
};

std::optional<std::vector<std::int32_t>> recorded_answer(const Case& one,
                                                         const Tokenizer& tokenizer) {
  if (!one.output_ids && !one.output) return {};
  std::vector<std::int32_t> ids = one.output_ids ? *one.output_ids : tokenizer.encode(*one.output);
  if (ids.empty() || ids.back() != tokenizer.eos_id()) ids.push_back(tokenizer.eos_id());
  return ids;
}

// A model that takes one answer after the other.
class Taker {
 public:
  Taker(const Side& side, const CompareOptions& options, std::string task)
      : team_(options.threads),
        loaded_(load(side, options, team_)),
        runtime_(loaded_.model, loaded_.tokenizer, runtime_options(team_)),
        task_(std::move(task)) {}

  const LoadedModel& loaded() const noexcept { return loaded_; }
  std::string weights() const { return std::string(to_string(loaded_.model.recipe())); }

  // `f` does its work with the prompt; what it throws names the case.
  template <class F>
  void for_each(const std::vector<Case>& cases, F&& f) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      bar_.show(task_, i, cases.size());
      stop_if_interrupted();
      const std::vector<Message> question = question_of(cases[i]);
      try {
        f(i, prepare_prompt(loaded_, question, PictureTags::place_missing));
      } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) throw;
        throw Error(error.code(), fmt::format("{}: {}", cases[i].where, error.what()));
      }
    }
  }

  std::vector<std::int32_t> take(PromptInput prompt, const AnswerCourse& course,
                                 const AnswerObserver& observer) {
    return take_answer(runtime_, std::move(prompt), course,
                       [&](std::size_t index, std::span<const float> logits) {
                         stop_if_interrupted();
                         observer(index, logits);
                       });
  }

 private:
  static RuntimeOptions runtime_options(const ThreadTeam& team) {
    RuntimeOptions options;
    options.isa = chosen_isa();
    options.team = team;
    return options;
  }

  ThreadTeam team_;
  LoadedModel loaded_;
  Runtime runtime_;
  std::string task_;
  ProgressBar bar_;
};

struct Comparison {
  std::string name_of_a, weights_of_a;
  std::string name_of_b, weights_of_b;
  std::vector<Divergence> all;
  std::map<std::string, std::vector<Divergence>> tasks;
};

std::vector<Course> take_courses(Taker& a, const std::vector<Case>& cases, std::size_t max_tokens,
                                 LogitsFile& logits) {
  std::vector<Course> courses;
  a.for_each(cases, [&](std::size_t i, PromptInput prompt) {
    Course course{prompt.ids, {}, logits.count()};
    const AnswerCourse wanted{recorded_answer(cases[i], *a.loaded().tokenizer), max_tokens};
    course.answer = a.take(std::move(prompt), wanted,
                           [&](std::size_t, std::span<const float> row) { logits.append(row); });
    courses.push_back(std::move(course));
  });
  return courses;
}

void follow_courses(Taker& b, const std::vector<Case>& cases, const std::vector<Course>& courses,
                    LogitsFile& logits, Comparison& comparison) {
  b.for_each(cases, [&](std::size_t i, PromptInput prompt) {
    const Course& course = courses[i];
    if (prompt.ids != course.prompt) {
      throw Error(ErrorCode::invalid_argument,
                  "the two models read this question as different tokens");
    }
    b.take(std::move(prompt), {course.answer, {}},
           [&](std::size_t index, std::span<const float> row) {
             const Divergence found = divergence(logits.row(course.first_row + index), row);
             comparison.all.push_back(found);
             comparison.tasks[cases[i].task].push_back(found);
           });
  });
}

Json summary_json(const DivergenceSummary& summary) {
  return {{"tokens", summary.tokens},
          {"same_choices", summary.same_choices},
          {"top1_agreement", summary.agreement()},
          {"kl_mean", summary.mean},
          {"kl_99", summary.percentile_99},
          {"kl_largest", summary.largest}};
}

Json comparison_json(const Comparison& comparison, const CompareOptions& options,
                     std::size_t cases) {
  Json json = {{"a", {{"model", comparison.name_of_a}, {"weights", comparison.weights_of_a}}},
               {"b",
                {{"model", comparison.name_of_b},
                 {"weights", comparison.weights_of_b},
                 {"vision", options.vision}}},
               {"cases", cases},
               {"all", summary_json(summarize(comparison.all))}};
  for (const auto& [task, found] : comparison.tasks)
    json["tasks"][task] = summary_json(summarize(found));
  return json;
}

std::string comparison_text(const Comparison& comparison, const CompareOptions& options,
                            std::size_t cases) {
  const DivergenceSummary summary = summarize(comparison.all);
  return fmt::format(
      "A: {}, {}\nB: {}, {}{}\n"
      "{} answers, {} tokens\n"
      "same token most probable   {:.2f} %\n"
      "KL divergence of B from A  mean {:.3g}, 99 % below {:.3g}, largest {:.3g} nats\n",
      comparison.name_of_a, comparison.weights_of_a, comparison.name_of_b, comparison.weights_of_b,
      options.vision == "int8" ? ", vision int8" : "", cases, summary.tokens,
      100.0 * summary.agreement(), summary.mean, summary.percentile_99, summary.largest);
}

int compare(const CompareOptions& options) {
  catch_interrupts();
  const bool formats = is_format(options.a) || is_format(options.b);
  const std::filesystem::path folder = formats ? find_model(options.model) : "";
  const Side a = side_of(options.a, folder, "bf16");
  const Side b = side_of(options.b, folder, options.vision);
  const std::vector<Case> cases = load_cases(options.files);
  require_same_vocabulary(a, b);

  Comparison comparison;
  std::vector<Course> courses;
  LogitsFile logits(static_cast<std::size_t>(load_model_config(a.folder).language.vocab_size));
  {
    Taker taker(a, options, "A answers        ");
    comparison.name_of_a = taker.loaded().name;
    comparison.weights_of_a = taker.weights();
    courses = take_courses(taker, cases, options.max_tokens, logits);
  }
  {
    Taker taker(b, options, "B follows        ");
    comparison.name_of_b = taker.loaded().name;
    comparison.weights_of_b = taker.weights();
    follow_courses(taker, cases, courses, logits, comparison);
  }
  if (options.json)
    write_json(comparison_json(comparison, options, cases.size()));
  else
    write_output(comparison_text(comparison, options, cases.size()));
  return kExitFine;
}

}  // namespace

void add_compare_command(CLI::App& program, Action& action) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = program.add_subcommand("compare", kDescription);
  command->footer(kExamples);
  command
      ->add_option("A", options->a,
                   "What it should be: a format of the model of -m (f32, bf16, int8, int4, "
                   "int4-max, auto), or the folder of a model")
      ->required()
      ->type_name("");
  command->add_option("B", options->b, "What it is: the same")->required()->type_name("");
  add_cases_option(*command, options->files);
  add_model_option(*command, options->model);
  CLI::Option* vision = command->add_option("--vision", options->vision);
  describe_vision_option(*vision);
  vision->description("Activations of B's vision tower: bf16 or int8");
  command
      ->add_option("-n,--max-tokens", options->max_tokens, "Longest answer, where A gives its own")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20))
      ->capture_default_str()
      ->type_name("N");
  command
      ->add_option("--context", options->context_tokens,
                   "Most tokens of prompt and answer; 0: what the model was made for")
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--threads", options->threads, "0: all cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--json", options->json, "One JSON object, with a summary of each task");
  command->callback([options, &action] { action = [options] { return compare(*options); }; });
}

}  // namespace vl2
