// SPDX-License-Identifier: MIT
// The angles of rotary position embeddings (RoFormer) with the scalings the configuration knows.
#pragma once

#include <cstddef>

#include "checkpoint/model_config.h"
#include "kernels/ops.h"

namespace vl2 {

// Cosines and sines for positions 0 .. positions - 1, computed in fp32 as the original does when
// it loads its weights as bf16.
//   none     angle = position * theta^(-2i/width)
//   linear   position / factor
//   dynamic  beyond max_position_embeddings theta grows with the length of the sequence. The
//            original takes the length of the whole prompt; here a position's own length (itself
//            and all before it) counts, so that a token does not depend on those after it.
//   yarn     low frequencies are divided by factor, high ones kept, those between blended; cosines
//            and sines are multiplied by mscale(factor, mscale) / mscale(factor, mscale_all_dim).
// Latent attention rotates adjacent pairs, plain attention the halves of the head.
RopeTable build_rope_table(const LanguageConfig& config, std::size_t positions);

// What attention scores are multiplied by: 1/sqrt(query head size), and for latent attention with
// a scaling also mscale(factor, mscale_all_dim) squared.
float attention_scale(const LanguageConfig& config);

}  // namespace vl2
