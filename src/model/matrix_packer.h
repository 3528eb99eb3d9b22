// SPDX-License-Identifier: MIT
// From tensors of a released checkpoint to the pairs of a packed matrix, a part at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "base/parallel.h"
#include "model/matrix_spec.h"
#include "model/tensor_source.h"

namespace vl2 {

// Pairs are numbered through the stack: matrix * spec.pairs() + pair.
class MatrixPacker {
 public:
  // Both are borrowed. Throws Error{bad_checkpoint} naming the tensor that is missing or has
  // another shape, Error{unsupported} for number types that are no floats.
  MatrixPacker(const MatrixSpec& spec, WeightFormat format, const TensorSource& source);

  std::size_t pair_count() const noexcept { return spec_.stack() * spec_.pairs(); }
  std::size_t pair_bytes() const noexcept { return pair_bytes_; }
  // As many pairs as some dozen megabytes of the checkpoint make: little enough to hold, enough to
  // keep all threads busy.
  std::size_t pairs_at_once() const noexcept;

  // Packs pairs begin .. end - 1 to `out`, with all threads, and gives the memory of their rows
  // back to the system. Returns the bytes of the checkpoint that were read. Throws
  // Error{bad_checkpoint} naming the tensor with a NaN or an infinity.
  std::size_t pack(std::size_t begin, std::size_t end, std::byte* out,
                   const ThreadTeam& team) const;

 private:
  // A part as pointers into the file, where numbers lie there as bf16, or to be converted.
  struct Part {
    const TensorView* tensor;
    std::size_t first_row;
    std::size_t rows;
    std::size_t width;
    bool direct;

    const Bf16* row(std::size_t i) const noexcept;
    std::span<const std::uint8_t> bytes_of(std::size_t first, std::size_t count) const noexcept;
  };
  struct Half {
    const Part* part;
    std::size_t first;
    std::size_t count() const noexcept;
  };
  struct RowRange {
    const Part* part;
    std::size_t first;
    std::size_t count;
  };

  bool pack_one(std::size_t pair, std::vector<float>& room, std::byte* out) const;
  bool pack_halves(const Half (&halves)[2], std::vector<float>& room, std::byte* out) const;
  bool pack_transposed(const Part& part, std::size_t first, std::vector<float>& room,
                       std::byte* out) const;
  // The rows that pairs begin .. end - 1 are made of.
  void for_rows(std::size_t begin, std::size_t end,
                const std::function<void(const RowRange&)>& f) const;

  const MatrixSpec& spec_;
  WeightFormat format_;
  const TensorSource& source_;
  std::size_t pair_bytes_;
  std::vector<Part> parts_;
};

}  // namespace vl2
