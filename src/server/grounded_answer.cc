// SPDX-License-Identifier: MIT
#include "server/grounded_answer.h"

#include <cmath>

#include "engine/boxes.h"
#include "text/grounding.h"

namespace vl2 {
namespace {

// The probability of every [...] inside <|det|> marks, in order. Tokens may hold several
// characters: one counts for each box it has a part of.
std::vector<double> box_probabilities(std::span<const TokenReport> reports,
                                      const Tokenizer& tokenizer) {
  std::vector<double> probabilities;
  bool inside = false;
  int depth = 0;
  double sum = 0.0;
  for (const TokenReport& report : reports) {
    const std::int32_t token = report.chosen.token;
    if (token == tokenizer.det_id() || token == tokenizer.det_end_id()) {
      inside = token == tokenizer.det_id();
      depth = 0;
      continue;
    }
    if (!inside) continue;
    bool counted = false;
    const auto count = [&] {
      if (!counted && depth == 2) sum += static_cast<double>(report.chosen.logprob);
      counted |= depth == 2;
    };
    count();
    for (const char c : tokenizer.bytes(token)) {
      if (c == '[' && ++depth == 2) sum = 0.0, counted = false;
      count();
      if (c == ']' && depth-- == 2) probabilities.push_back(std::exp(sum));
    }
  }
  return probabilities;
}

}  // namespace

std::vector<GroundedRegion> grounded_regions(std::string_view text,
                                             std::span<const TokenReport> reports,
                                             const Tokenizer& tokenizer,
                                             std::span<const Message> messages) {
  const std::vector<Box> boxes = find_boxes(text, messages);
  if (boxes.empty()) return {};
  const std::vector<GroundedBox> written = parse_grounding(text);
  std::vector<double> probabilities = box_probabilities(reports, tokenizer);
  // Marks spelled in other tokens: nobody knows which probability belongs to which box.
  if (probabilities.size() != boxes.size()) probabilities.clear();

  std::vector<GroundedRegion> regions;
  for (std::size_t i = 0; i < boxes.size() && i < written.size(); ++i) {
    const Box& box = boxes[i];
    GroundedRegion region{box.label,
                          box.image,
                          {written[i].x1, written[i].y1, written[i].x2, written[i].y2},
                          {box.x1, box.y1, box.x2, box.y2},
                          {}};
    if (!probabilities.empty()) region.probability = probabilities[i];
    regions.push_back(std::move(region));
  }
  return regions;
}

}  // namespace vl2
