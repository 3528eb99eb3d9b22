// SPDX-License-Identifier: MIT
// The functions of a table of RowwiseKernels (rowwise.h has their contracts), declared once a
// target.
#include <cstddef>

#include <hwy/highway.h>

#include "kernels/rowwise/rowwise.h"

#if defined(VL2_ROWWISE_FUNCTIONS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef VL2_ROWWISE_FUNCTIONS_INL
#undef VL2_ROWWISE_FUNCTIONS_INL
#else
#define VL2_ROWWISE_FUNCTIONS_INL
#endif

namespace vl2::HWY_NAMESPACE {

void rms_norm(const float* x, const float* weight, std::size_t width, float eps, float* out);
void layer_norm(const float* x, const float* weight, const float* bias, std::size_t width,
                float eps, float* out);
void rope_half(float* x, std::size_t width, const float* cosines, const float* sines);
void rope_adjacent(float* x, std::size_t width, const float* cosines, const float* sines);
void pack_row(const float* x, std::size_t width, Operand operand, std::byte* line);
void unpack_row(const std::byte* line, std::size_t width, Operand operand, float* out);
void widen(const Bf16* x, std::size_t count, float* out);
void add(float* out, const float* x, std::size_t count);
void add_scaled(float* out, const float* x, float factor, std::size_t count);
void softmax(float* x, std::size_t count);
void sigmoid(float* x, std::size_t count);
IntegerRow quantize_row(const std::byte* line, std::size_t width, std::int8_t* out);
void scale_integers(const std::int32_t* sums, const IntegerScales& scales, float* block);
void finish_rows(const StoreRows& to, const float* block, const BlockPlace& place);
void finish_gelu(const StoreGelu& to, const float* block, const BlockPlace& place);
void finish_gated(const StoreGated& to, const float* block, const BlockPlace& place);

}  // namespace vl2::HWY_NAMESPACE

#endif
