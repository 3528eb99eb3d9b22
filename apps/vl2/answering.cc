// SPDX-License-Identifier: MIT
#include "answering.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "interrupt.h"
#include "progress_bar.h"

namespace vl2 {
namespace {

double per_second(std::size_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

Json speed_json(std::size_t tokens, double seconds) {
  return {{"seconds", seconds}, {"tokens_per_second", per_second(tokens, seconds)}};
}

Json probability_json(const TokenProbability& token) {
  return {{"id", token.token}, {"text", token.text}, {"logprob", token.logprob}};
}

Json logprobs_json(const std::vector<TokenReport>& reports) {
  Json list = Json::array();
  for (const TokenReport& report : reports) {
    Json token = probability_json(report.chosen);
    token["top"] = Json::array();
    for (const TokenProbability& other : report.top)
      token["top"].push_back(probability_json(other));
    list.push_back(std::move(token));
  }
  return list;
}

Json usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"image_tokens", usage.image_tokens},
          {"cached_tokens", usage.cached_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

}  // namespace

Engine load_engine(EngineOptions options) {
  ProgressBar bar;
  options.progress = [&bar](const Progress& progress) {
    bar.show(progress);
    return !interrupted();
  };
  return Engine(options);
}

Answer answer_dialogue(Engine& engine, const Dialogue& dialogue, const GenerationOptions& options,
                       bool print) {
  ProgressBar bar;
  ChatCallbacks callbacks;
  callbacks.progress = [&bar](const Progress& progress) {
    bar.show(progress);
    return !interrupted();
  };
  bool printed = false;
  callbacks.text = [&](std::string_view text) {
    bar.clear();
    if (print && !text.empty()) {
      write_output(text);
      printed = true;
    }
    return !interrupted();
  };
  Answer answer = engine.chat(dialogue.messages(), options, callbacks, dialogue.tags());
  bar.clear();
  if (print && (printed || answer.finish_reason != FinishReason::cancelled)) write_output("\n");
  return answer;
}

std::vector<Drawing> draw_answer(const Answer& answer, const Dialogue& dialogue,
                                 const std::filesystem::path& path) {
  std::vector<Drawing> drawings = plan_drawings(answer.boxes, path);
  if (drawings.empty()) {
    write_note(fmt::format("the answer has no boxes, so {} is not written", path.string()));
  }
  for (const Drawing& drawing : drawings) {
    std::vector<Box> boxes;
    for (const Box& box : answer.boxes) {
      if (box.image == drawing.image) boxes.push_back(box);
    }
    draw_boxes(dialogue.picture(drawing.image), boxes, drawing.path);
    write_note(fmt::format("{} {} drawn on {}", boxes.size(), boxes.size() == 1 ? "box" : "boxes",
                           drawing.path.string()));
  }
  return drawings;
}

Json answer_json(const Answer& answer, const ModelInfo& model,
                 const std::vector<Drawing>& drawings) {
  Json json = {{"model", model.name},
               {"text", answer.text},
               {"prompt_token_ids", answer.prompt_token_ids},
               {"token_ids", answer.token_ids},
               {"finish_reason", to_string(answer.finish_reason)}};
  json["boxes"] = Json::array();
  for (const Box& box : answer.boxes) {
    json["boxes"].push_back({{"label", box.label},
                             {"image", box.image},
                             {"x1", box.x1},
                             {"y1", box.y1},
                             {"x2", box.x2},
                             {"y2", box.y2}});
  }
  json["drawings"] = Json::array();
  for (const Drawing& drawing : drawings) {
    json["drawings"].push_back({{"image", drawing.image}, {"path", drawing.path.string()}});
  }
  json["usage"] = usage_json(answer.usage);
  const std::size_t read = answer.usage.prompt_tokens - answer.usage.cached_tokens;
  json["timings"] = {{"load", {{"seconds", model.load_seconds}}},
                     {"vision", speed_json(answer.usage.image_tokens, answer.timings.vision)},
                     {"prefill", speed_json(read, answer.timings.prefill)},
                     {"decode", speed_json(answer.usage.completion_tokens, answer.timings.decode)}};
  if (!answer.logprobs.empty()) json["logprobs"] = logprobs_json(answer.logprobs);
  return json;
}

}  // namespace vl2
