// SPDX-License-Identifier: MIT
// What one thread does of a product: the loop that matmul() and the experts share.
#pragma once

#include <cstddef>

#include "base/parallel.h"
#include "kernels/kernel_set.h"
#include "kernels/matmul/epilogue.h"
#include "tensor/packed.h"
#include "tensor/weight.h"

namespace vl2 {

// Some rows of x with some pairs of panels of one matrix of the weight.
struct Sweep {
  const KernelSet& kernels;
  Packed x;  // one matrix
  const Weight& weight;
  std::size_t matrix = 0;
  Share rows;   // begins at a multiple of 32
  Share pairs;  // contiguous, so weights are one stream
  const Epilogue& epilogue;
  const std::byte* after = nullptr;  // the pair this thread reads next, or null
};

// For each pair all rows: the pair stays in the second-level cache, and so do the rows if there
// are not too many. Inside a ProductScope only.
void sweep(const Sweep& work);

// Prepares this thread for products of at most `rows` rows, and puts it back.
class ProductScope {
 public:
  ProductScope(const KernelSet& kernels, std::size_t rows);
  ~ProductScope() { kernel_.release(); }
  ProductScope(const ProductScope&) = delete;
  ProductScope& operator=(const ProductScope&) = delete;

 private:
  FlushDenormals flush_;
  const MatmulKernel& kernel_;
};

}  // namespace vl2
