// SPDX-License-Identifier: MIT
// Keys and values of a picture tile and head are packed once into the thread's scratch, as the
// cache has them, and stay in the second-level cache for all query rows. All keys are one block,
// so no output is ever rescaled.
#include "kernels/attention/attention.h"
#include "kernels/attention/rows_to_tiles.h"
#include "kernels/attention/walk.h"

namespace vl2 {
namespace {

class FullProblem final : public AttentionProblem {
 public:
  struct Inputs {
    const KernelSet& kernels;
    const HeadShape& shape;
    Rows qkv;
    std::size_t rows_each;
    Packed out;
  };

  explicit FullProblem(const Inputs& inputs)
      : inputs_(inputs),
        head_tiles_(tiles_of(inputs.shape.head_dim, kTileDepth)),
        pages_(tiles_of(inputs.rows_each, kPageTokens)),
        tile_bytes_(kTileNumbers * bytes_of(inputs.kernels.operand)) {}

  // The keys, then as many bytes of values.
  Sizes sizes() const override {
    Sizes sizes;
    sizes.strands = inputs_.qkv.count / inputs_.rows_each * inputs_.shape.heads;
    sizes.depth_tiles = head_tiles_;
    sizes.value_columns = inputs_.shape.head_dim;
    sizes.block_keys = kAttentionSegment;
    sizes.prepared_bytes = 2 * keys_bytes();
    return sizes;
  }
  Strand strand(std::size_t) const override {
    return {inputs_.rows_each, 1, inputs_.rows_each, false};
  }

  void prepare(std::size_t strand, std::byte* prepared) const override {
    prepare_keys(strand, prepared);
    for (std::size_t page = 0; page < pages_; ++page) {
      RowPointers rows{};
      for (std::size_t t = 0; t < kPageTokens && page * kPageTokens + t < inputs_.rows_each; ++t)
        rows[t] = part(strand, page * kPageTokens + t, kValue);
      for (std::size_t pair = 0; pair < head_tiles_; ++pair)
        pack_values(*inputs_.kernels.attention, rows, inputs_.shape.head_dim, pair,
                    values_at(prepared, page, pair));
    }
  }

  void pack_query(const RowBlock& rows, std::byte* right) const override {
    RowPointers lanes{};
    for (std::size_t r = 0; r < rows.rows; ++r)
      lanes[r] = part(rows.strand, rows.first_row + r, kQuery);
    pack_lanes(*inputs_.kernels.attention, lanes, inputs_.shape.head_dim,
               inputs_.shape.scale * kLog2E, rows.lane_groups(), right);
  }

  const std::byte* keys(std::size_t, std::size_t page, const std::byte* prepared) const override {
    return prepared + page * 2 * head_tiles_ * tile_bytes_;
  }
  const std::byte* values(const ValuePart& part, const std::byte* prepared,
                          std::byte*) const override {
    return prepared + keys_bytes() + (part.pair * pages_ + part.first_page) * 2 * tile_bytes_;
  }

  void store(const RowBlock& rows, const AttentionState& state, std::byte* room) const override {
    HeadOutput output{inputs_.out, inputs_.shape.head_dim, {}};
    for (std::size_t r = 0; r < rows.rows; ++r)
      output.place[r] = {first_row(rows.strand) + rows.first_row + r, head(rows.strand)};
    store_heads(*inputs_.kernels.attention, state, rows.rows, output, room);
  }

 private:
  static constexpr std::size_t kQuery = 0;
  static constexpr std::size_t kKey = 1;
  static constexpr std::size_t kValue = 2;

  std::size_t keys_bytes() const { return pages_ * 2 * head_tiles_ * tile_bytes_; }
  std::size_t head(std::size_t strand) const { return strand % inputs_.shape.heads; }
  std::size_t first_row(std::size_t strand) const {
    return strand / inputs_.shape.heads * inputs_.rows_each;
  }
  const float* part(std::size_t strand, std::size_t row, std::size_t which) const {
    return inputs_.qkv.row(first_row(strand) + row) +
           (which * inputs_.shape.heads + head(strand)) * inputs_.shape.head_dim;
  }
  std::byte* values_at(std::byte* prepared, std::size_t page, std::size_t pair) const {
    return prepared + keys_bytes() + (pair * pages_ + page) * 2 * tile_bytes_;
  }

  void prepare_keys(std::size_t strand, std::byte* prepared) const {
    constexpr float kNothing = 0.0F;
    const std::size_t number_bytes = bytes_of(inputs_.kernels.operand);
    for (std::size_t row = 0; row < pages_ * kPageTokens; ++row) {
      const bool present = row < inputs_.rows_each;
      std::byte* line = prepared + left_index(row, 0, head_tiles_) * number_bytes;
      if (present) {
        inputs_.kernels.rowwise->pack_row(part(strand, row, kKey), inputs_.shape.head_dim,
                                          inputs_.kernels.operand, line);
        continue;
      }
      for (std::size_t tile = 0; tile < head_tiles_; ++tile)
        inputs_.kernels.rowwise->pack_row(&kNothing, 1, inputs_.kernels.operand,
                                          line + tile * tile_bytes_);
    }
  }

  Inputs inputs_;
  std::size_t head_tiles_;
  std::size_t pages_;  // of 32 keys
  std::size_t tile_bytes_;
};

}  // namespace

Packed attend_full(const KernelSet& kernels, const ThreadTeam& team, Arena& arena,
                   const HeadShape& shape, Rows qkv, std::size_t rows_each) {
  VL2_ASSERT(rows_each > 0 && qkv.count % rows_each == 0);
  const Packed out = arena.packed(kernels.operand, qkv.count, shape.heads * shape.head_dim);
  zero_padding(out);
  const FullProblem problem({kernels, shape, qkv, rows_each, out});
  walk(kernels, team, arena, problem);
  return out;
}

}  // namespace vl2
