// SPDX-License-Identifier: MIT
#include "kernels/rowwise/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rowwise/pack.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rowwise/functions_inl.h"
#include "kernels/rowwise/lanes_inl.h"
#include "kernels/rowwise/operand_inl.h"

HWY_BEFORE_NAMESPACE();
namespace vl2::HWY_NAMESPACE {
namespace {

template <Operand operand>
HWY_INLINE void pack_line(const float* x, std::byte* line) {
  for (std::size_t i = 0; i < kTileDepth; i += kLanes)
    store_operand<operand>(load(x + i, Whole()), line, i);
}

template <Operand operand>
void pack_lines(const float* x, std::size_t width, std::byte* line) {
  constexpr std::size_t kTileBytes = kTileNumbers * bytes_of(operand);
  std::size_t k = 0;
  for (; k + kTileDepth <= width; k += kTileDepth, line += kTileBytes)
    pack_line<operand>(x + k, line);
  if (k == width) return;
  float rest[kTileDepth] = {};
  for (std::size_t i = 0; i < width - k; ++i) rest[i] = x[k + i];
  pack_line<operand>(rest, line);
}

template <Operand operand>
void unpack_lines(const std::byte* line, std::size_t width, float* out) {
  constexpr std::size_t kTileBytes = kTileNumbers * bytes_of(operand);
  for_each_vector(width, [&](std::size_t k, auto lanes) HWY_ATTR {
    store(load_operand<operand>(line + k / kTileDepth * kTileBytes, k % kTileDepth), out + k,
          lanes);
  });
}

}  // namespace

void pack_row(const float* x, std::size_t width, Operand operand, std::byte* line) {
  if (operand == Operand::f32)
    pack_lines<Operand::f32>(x, width, line);
  else
    pack_lines<Operand::bf16>(x, width, line);
}

void unpack_row(const std::byte* line, std::size_t width, Operand operand, float* out) {
  if (operand == Operand::f32)
    unpack_lines<Operand::f32>(line, width, out);
  else
    unpack_lines<Operand::bf16>(line, width, out);
}

void widen(const Bf16* x, std::size_t count, float* out) {
  const auto* bits = reinterpret_cast<const std::uint16_t*>(x);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(widen_bits(bits + i), out + i, Whole());
  for (; i < count; ++i) out[i] = to_float(x[i]);
}

}  // namespace vl2::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
