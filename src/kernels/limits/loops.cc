// SPDX-License-Identifier: MIT
// Inline assembly, so that no file needs an instruction-set flag and no compiler removes or
// reorders what is to be measured.
#include "kernels/limits/loops.h"

#include <cmath>
#include <cstdint>

#ifdef __x86_64__
#include "kernels/matmul/amx_tile.h"
#endif

namespace vl2 {
namespace {

constexpr int kChains = 12;

void add_products_portable(std::size_t rounds) {
  float sums[kChains] = {};
  volatile float zero = 0.0F;
  const float x = zero;
  for (std::size_t i = 0; i < rounds; ++i)
    for (float& sum : sums) sum = std::fmaf(x, x, sum);
  for (const float sum : sums) zero = zero + sum;
}

void read_portable(const std::byte* from, std::size_t bytes) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(from);
  std::uint64_t all[4] = {};
  for (std::size_t i = 0; i < bytes / sizeof(std::uint64_t); i += 4)
    for (std::size_t j = 0; j < 4; ++j) all[j] |= words[i + j];
  volatile std::uint64_t seen = all[0] | all[1] | all[2] | all[3];
  static_cast<void>(seen);
}

#ifdef __x86_64__

#define VL2_VECTOR_REGISTERS                                                               \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
      "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

// Twelve sums, each its own chain, of the square of a zero.
#define VL2_TWELVE_CHAINS(instruction, size)                                                       \
  instruction " %%" size "0, %%" size "0, %%" size "1\n" instruction " %%" size "0, %%" size       \
              "0, %%" size "2\n" instruction " %%" size "0, %%" size "0, %%" size                  \
              "3\n" instruction " %%" size "0, %%" size "0, %%" size "4\n" instruction " %%" size  \
              "0, %%" size "0, %%" size "5\n" instruction " %%" size "0, %%" size "0, %%" size     \
              "6\n" instruction " %%" size "0, %%" size "0, %%" size "7\n" instruction " %%" size  \
              "0, %%" size "0, %%" size "8\n" instruction " %%" size "0, %%" size "0, %%" size     \
              "9\n" instruction " %%" size "0, %%" size "0, %%" size "10\n" instruction " %%" size \
              "0, %%" size "0, %%" size "11\n" instruction " %%" size "0, %%" size "0, %%" size    \
              "12\n"

void clear_vectors() { asm volatile("vzeroall" ::: VL2_VECTOR_REGISTERS); }

void add_products_avx2(std::size_t rounds) {
  clear_vectors();
  for (std::size_t i = 0; i < rounds; ++i)
    asm volatile(VL2_TWELVE_CHAINS("vfmadd231ps", "ymm")::: VL2_VECTOR_REGISTERS);
  clear_vectors();
}
void add_products_avx512(std::size_t rounds) {
  clear_vectors();
  for (std::size_t i = 0; i < rounds; ++i)
    asm volatile(VL2_TWELVE_CHAINS("vfmadd231ps", "zmm")::: VL2_VECTOR_REGISTERS);
  clear_vectors();
}
void add_pairs_avx512(std::size_t rounds) {
  clear_vectors();
  for (std::size_t i = 0; i < rounds; ++i)
    asm volatile(VL2_TWELVE_CHAINS("vdpbf16ps", "zmm")::: VL2_VECTOR_REGISTERS);
  clear_vectors();
}

constexpr int kTileProducts = 4;

void add_tiles_amx(std::size_t rounds) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = 16;
  }
  tile_configure(config);
  for (std::size_t i = 0; i < rounds; ++i) {
    tile_dot_bf16<0, 4, 6>();
    tile_dot_bf16<1, 4, 7>();
    tile_dot_bf16<2, 5, 6>();
    tile_dot_bf16<3, 5, 7>();
  }
  tile_release();
}

void read_avx2(const std::byte* from, std::size_t bytes) {
  for (const std::byte* end = from + bytes; from < end; from += 256)
    asm volatile(
        "prefetcht0 4096(%0)\n prefetcht0 4160(%0)\n prefetcht0 4224(%0)\n prefetcht0 4288(%0)\n"
        "vmovaps (%0), %%ymm0\n vmovaps 32(%0), %%ymm1\n"
        "vmovaps 64(%0), %%ymm2\n vmovaps 96(%0), %%ymm3\n"
        "vmovaps 128(%0), %%ymm4\n vmovaps 160(%0), %%ymm5\n"
        "vmovaps 192(%0), %%ymm6\n vmovaps 224(%0), %%ymm7\n" ::"r"(from)
        : VL2_VECTOR_REGISTERS, "memory");
  clear_vectors();
}
void read_avx512(const std::byte* from, std::size_t bytes) {
  for (const std::byte* end = from + bytes; from < end; from += 256)
    asm volatile(
        "prefetcht0 4096(%0)\n prefetcht0 4160(%0)\n prefetcht0 4224(%0)\n prefetcht0 4288(%0)\n"
        "vmovaps (%0), %%zmm0\n vmovaps 64(%0), %%zmm1\n"
        "vmovaps 128(%0), %%zmm2\n vmovaps 192(%0), %%zmm3\n" ::"r"(from)
        : VL2_VECTOR_REGISTERS, "memory");
  clear_vectors();
}

#undef VL2_TWELVE_CHAINS
#undef VL2_VECTOR_REGISTERS

#endif

// A multiply and an add for each of `lanes` numbers of every chain.
constexpr double flops_of(int lanes) { return 2.0 * lanes * kChains; }

}  // namespace

PeakLoop peak_loop(Isa isa, Operand operand) {
#ifdef __x86_64__
  const bool bf16 = operand == Operand::bf16;
  if (isa == Isa::amx && bf16) return {2.0 * 16 * 16 * 32 * kTileProducts, add_tiles_amx};
  if (isa >= Isa::avx512_bf16 && bf16) return {flops_of(32), add_pairs_avx512};
  if (isa >= Isa::avx512_bf16) return {flops_of(16), add_products_avx512};
  if (isa >= Isa::avx2) return {flops_of(8), add_products_avx2};
#else
  static_cast<void>(isa);
  static_cast<void>(operand);
#endif
  return {flops_of(1), add_products_portable};
}

ReadLoop read_loop(Isa isa) {
#ifdef __x86_64__
  if (isa >= Isa::avx512_bf16) return read_avx512;
  if (isa >= Isa::avx2) return read_avx2;
#else
  static_cast<void>(isa);
#endif
  return read_portable;
}

}  // namespace vl2
