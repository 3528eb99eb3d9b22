// SPDX-License-Identifier: MIT
// The tables, one a Highway target, and the choice among them. No state: tables of several targets
// can be in use at once.
#include "kernels/rowwise/rowwise.h"

#include <iterator>

#include "kernels/rowwise/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rowwise/rowwise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rowwise/functions_inl.h"

// Only names and pointers here, no vectors: the code of this file needs no instruction set.
namespace vl2::HWY_NAMESPACE {
namespace {

void finish_block(const Epilogue& epilogue, const float* block, const BlockPlace& place) {
  if (const auto* rows = std::get_if<StoreRows>(&epilogue))
    finish_rows(*rows, block, place);
  else if (const auto* gelu = std::get_if<StoreGelu>(&epilogue))
    finish_gelu(*gelu, block, place);
  else if (const auto* gated = std::get_if<StoreGated>(&epilogue))
    finish_gated(*gated, block, place);
}

}  // namespace

const RowwiseKernels& table() {
  static constexpr RowwiseKernels kTable = {
      .name = &HWY_STR(HWY_NAMESPACE)[2],  // without its "N_"
      .rms_norm = rms_norm,
      .layer_norm = layer_norm,
      .rope_half = rope_half,
      .rope_adjacent = rope_adjacent,
      .pack_row = pack_row,
      .unpack_row = unpack_row,
      .widen = widen,
      .add = add,
      .add_scaled = add_scaled,
      .softmax = softmax,
      .sigmoid = sigmoid,
      .quantize_row = quantize_row,
      .scale_integers = scale_integers,
      .finish_block = finish_block,
  };
  return kTable;
}

}  // namespace vl2::HWY_NAMESPACE

#if HWY_ONCE
namespace vl2 {
namespace {

using Table = const RowwiseKernels& (*)();

// The fastest first. Null where a target was not compiled: on another architecture, or where the
// compiler may use something better everywhere.
constexpr Table kTables[] = {HWY_CHOOSE_AVX3(table), HWY_CHOOSE_AVX2(table),
                             &HWY_STATIC_DISPATCH(table)};

}  // namespace

const RowwiseKernels& rowwise_kernels(Isa isa) {
  std::size_t i = isa >= Isa::avx512_bf16 ? 0 : isa >= Isa::avx2 ? 1 : 2;
  while (i + 1 < std::size(kTables) && kTables[i] == nullptr) ++i;
  return kTables[i]();
}

}  // namespace vl2
#endif
