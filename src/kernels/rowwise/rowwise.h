// SPDX-License-Identifier: MIT
// Operations on one row, or one block of sums, at a time: written once on Highway and compiled for
// every target. Sums over a row run in 16 interleaved partial sums that are then added in a fixed
// order, so that all targets with fused multiply-add give the same bits. Loops over rows and
// threads are the callers' (kernels/ops.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "kernels/matmul/epilogue.h"
#include "tensor/integer_rows.h"
#include "tensor/tiles.h"

namespace vl2 {

// What a row of activations became when it was rounded to 8 bits.
struct IntegerRow {
  float scale;       // not-a-number if some number of the row was not finite
  std::int32_t sum;  // of its codes
};

// How a block of sums of integers [rows][32] becomes numbers.
struct IntegerScales {
  std::size_t count = 0;                   // rows
  const float* row_scales = nullptr;       // [count]
  const std::int32_t* row_sums = nullptr;  // [count]
  std::int32_t code_offset = 0;            // IntegerKernel::code_offset
  const float* multipliers = nullptr;      // [32]
};

struct RowwiseKernels {
  const char* name;  // of the Highway target

  // out[i] = x[i] / sqrt(mean(x^2) + eps) * weight[i]. out may be x.
  void (*rms_norm)(const float* x, const float* weight, std::size_t width, float eps, float* out);
  // out[i] = (x[i] - mean) / sqrt(variance + eps) * weight[i] + bias[i]. Two passes, biased
  // variance. out may be x.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, std::size_t width,
                     float eps, float* out);
  // Rotates pairs (x[i], x[i + width/2]) by angles given as cosines and sines [width/2].
  void (*rope_half)(float* x, std::size_t width, const float* cosines, const float* sines);
  // Rotates pairs (x[2i], x[2i + 1]).
  void (*rope_adjacent)(float* x, std::size_t width, const float* cosines, const float* sines);

  // Rounds a row to `operand` and writes it into packed tiles: `line` is Packed::line(_, m, 0), the
  // next 32 numbers lie a tile further. The rest of the last line is zeroed.
  void (*pack_row)(const float* x, std::size_t width, Operand operand, std::byte* line);
  // The reverse: a row of packed tiles as floats.
  void (*unpack_row)(const std::byte* line, std::size_t width, Operand operand, float* out);
  // Widens contiguous bf16 numbers.
  void (*widen)(const Bf16* x, std::size_t count, float* out);

  // out += x.  out += x * factor.
  void (*add)(float* out, const float* x, std::size_t count);
  void (*add_scaled)(float* out, const float* x, float factor, std::size_t count);
  // x = exp(x - max) / sum; numbers 87 or more below the maximum become exactly 0, and a NaN or
  // +infinity makes the whole row NaN.  x = 1 / (1 + exp(-x)), NaN where x is.
  void (*softmax)(float* x, std::size_t count);
  void (*sigmoid)(float* x, std::size_t count);

  // A row of packed bf16 tiles as codes, the next 64 of which lie a tile of IntegerRows further.
  // The rest of the last line is zeroed.
  IntegerRow (*quantize_row)(const std::byte* line, std::size_t width, std::int8_t* out);
  // block[m][n] = (sums[m][n] - code_offset * row_sums[m]) * row_scales[m] * multipliers[n].
  void (*scale_integers)(const std::int32_t* sums, const IntegerScales& scales, float* block);

  // Applies an epilogue to a block of sums [32][32]. Rows and columns beyond the output's size are
  // not stored as rows; in packed outputs padding rows up to 16 and padding columns up to 32 are
  // stored as zero.
  void (*finish_block)(const Epilogue& epilogue, const float* block, const BlockPlace& place);
};

// The fastest set for an instruction set of ours (Isa::portable: plain C++ or the baseline of the
// architecture).
const RowwiseKernels& rowwise_kernels(Isa isa);

}  // namespace vl2
