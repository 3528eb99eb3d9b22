// SPDX-License-Identifier: MIT
// One answer of the engine, as `run` and the chat show it.
#pragma once

#include <filesystem>
#include <vector>

#include "vl2/engine.h"

#include "dialogue.h"
#include "draw_boxes.h"
#include "output.h"

namespace vl2 {

// Loads the model with a progress bar. Ctrl-C throws Error{cancelled}.
Engine load_engine(EngineOptions options);

// Asks the engine to answer the dialogue. With `print`, the text goes to standard output as it
// comes, with a line break at its end. Ctrl-C ends the answer with FinishReason::cancelled.
Answer answer_dialogue(Engine& engine, const Dialogue& dialogue, const GenerationOptions& options,
                       bool print);

// Draws the answer's boxes and says on standard error where, or that there are none.
std::vector<Drawing> draw_answer(const Answer& answer, const Dialogue& dialogue,
                                 const std::filesystem::path& path);

// The object that `vl2 run --json` prints; docs/cli.md describes it.
Json answer_json(const Answer& answer, const ModelInfo& model,
                 const std::vector<Drawing>& drawings);

}  // namespace vl2
