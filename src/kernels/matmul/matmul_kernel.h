// SPDX-License-Identifier: MIT
// The innermost product, one function an instruction set and operand type. Everything that
// multiplies matrices (linear layers, experts, attention) is built from it.
#pragma once

#include <cstddef>
#include <span>

#include "base/cpu.h"
#include "tensor/tiles.h"

namespace vl2 {

// A block of up to 32 rows by 32 columns: out = left · right, or out += left · right.
struct BlockProduct {
  const std::byte* left = nullptr;      // row tile 0: depth_tiles tiles (tensor/tiles.h)
  std::size_t left_row_tile_bytes = 0;  // from row tile 0 to row tile 1
  const std::byte* right = nullptr;     // a pair of panels: depth_tiles times two tiles
  std::size_t depth_tiles = 0;
  std::size_t rows = 0;              // 1..32 that matter; up to 16, or all 32, may be written
  std::size_t panels = 2;            // 1: only the first panel of the pair is multiplied
  float* out = nullptr;              // [32][32], 64-byte aligned; column n of panel p at 16p + n
  bool accumulate = false;           // add to what is in `out`
  const std::byte* ahead = nullptr;  // what will be read next (as long as `right`), or null
};

// Promises, proved for every kernel by the tests that iterate over matmul_kernels():
//   row_independent  a row of `out` depends on that row of `left` alone, not on `rows`, on the
//                    row's place or on its neighbours' contents (NaN included);
//   exact_order      the sum runs over depth tiles in ascending order. Inside a tile of 32: for
//                    bf16, from zero, one chain of fused multiply-adds over even k and one over
//                    odd k, both ascending, their sum added to the accumulator (what TDPBF16PS
//                    does); for f32 one chain of fused multiply-adds over ascending k. Kernels
//                    with `exact_order` equal the portable one bit for bit; the AVX-512 BF16
//                    kernel has an order of its own, the same for every shape.
// Denormal inputs and results count as zero in bf16 kernels: callers set flush-to-zero
// (FlushDenormals below) on every thread that runs one.
struct MatmulKernel {
  const char* name;
  Isa isa;
  Operand operand;
  bool exact_order;
  // Called by a thread before a run of products none of which has more than `rows` rows
  // in a row tile (1..16), and again when that number changes.
  void (*configure)(std::size_t rows);
  void (*run)(const BlockProduct& product);
  // Called by a thread when it is done, before it sleeps.
  void (*release)();
};

// All kernels compiled into this program, whether or not this processor can run them.
std::span<const MatmulKernel> matmul_kernels();
// The kernel of an instruction set, or of the nearest plainer one that has it.
const MatmulKernel& matmul_kernel(Isa isa, Operand operand);

// Treats denormals as zero on this thread while it lives, as tile products do.
class FlushDenormals {
 public:
  FlushDenormals() noexcept;
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned before_;
};

}  // namespace vl2
