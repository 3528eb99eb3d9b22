// SPDX-License-Identifier: MIT
// The innermost product, one function an instruction set and operand type. Everything that
// multiplies matrices (linear layers, experts, attention) is built from it.
#pragma once

#include <cstddef>
#include <span>

#include "base/cpu.h"
#include "kernels/matmul/block_product.h"
#include "tensor/tiles.h"

namespace vl2 {

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
