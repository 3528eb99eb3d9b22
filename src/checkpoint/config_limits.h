// SPDX-License-Identifier: MIT
// Bounds far beyond any model of this family, and small enough that no product of two sizes
// overflows an int and no sum of all parameters a 64-bit number.
#pragma once

#include "checkpoint/config_reader.h"

namespace vl2 {

inline constexpr IntegerRange kWidthRange = {1, 1 << 17};  // hidden states, embeddings, latents
inline constexpr IntegerRange kMlpWidthRange = {1, 1 << 20};
inline constexpr IntegerRange kLayerRange = {1, 1 << 10};
inline constexpr IntegerRange kLayerIndexRange = {0, 1 << 20};
inline constexpr IntegerRange kLayerStepRange = {1, 1 << 20};
inline constexpr IntegerRange kHeadRange = {1, 1 << 10};
inline constexpr IntegerRange kHeadDimRange = {1, 1 << 12};
inline constexpr IntegerRange kVocabularyRange = {1, 1 << 22};
inline constexpr IntegerRange kPositionRange = {1, 1 << 22};
inline constexpr IntegerRange kExpertRange = {1, 1 << 12};
inline constexpr IntegerRange kSharedExpertRange = {0, 1 << 10};
inline constexpr IntegerRange kPixelRange = {1, 1 << 13};      // a side of a tile or a patch
inline constexpr IntegerRange kCandidateRange = {1, 1 << 16};  // a side of a whole view
inline constexpr IntegerRange kDownsampleRange = {1, 1 << 6};
inline constexpr IntegerRange kProjectorDepthRange = {1, 1 << 6};
inline constexpr int kMostPatchesPerSide = 1 << 8;
inline constexpr int kMostTiles = 1 << 12;
inline constexpr std::size_t kMostCandidates = 1 << 12;

}  // namespace vl2
