// SPDX-License-Identifier: MIT
// A page of latents: [2 tiles of 16 tokens][latent tiles, then rope tiles][16][32], each part
// padded to 32 numbers with zeros. The tiles are keys as they lie; values are made of them, 32
// columns at a time.
#include "kernels/attention/attention.h"
#include "kernels/attention/pages.h"
#include "kernels/attention/rows_to_tiles.h"
#include "kernels/attention/walk.h"

namespace vl2 {
namespace {

std::size_t latent_tiles(const LatentShape& shape) {
  return tiles_of(shape.kv_lora_rank, kTileDepth);
}
std::size_t key_tiles(const LatentShape& shape) {
  return latent_tiles(shape) + tiles_of(shape.qk_rope_head_dim, kTileDepth);
}

class LatentProblem final : public AttentionProblem {
 public:
  struct Inputs {
    const AttentionKernel& kernel;
    const LatentShape& shape;
    const LatentQuery& query;
    LayerPages pages;
    std::span<const AttentionSpan> spans;
    Packed out;
  };

  explicit LatentProblem(const Inputs& inputs)
      : inputs_(inputs),
        depth_tiles_(key_tiles(inputs.shape)),
        tile_bytes_(kTileNumbers * bytes_of(inputs.kernel.operand)) {}

  Sizes sizes() const override {
    Sizes sizes;
    sizes.strands = inputs_.spans.size();
    sizes.depth_tiles = depth_tiles_;
    // Whole tiles: the padding of the result is computed too, as zero, and not left as it was.
    sizes.value_columns = latent_tiles(inputs_.shape) * kTileDepth;
    sizes.page_bytes = 2 * depth_tiles_ * tile_bytes_;
    return sizes;
  }
  Strand strand(std::size_t index) const override {
    const AttentionSpan& span = inputs_.spans[index];
    const std::size_t heads = inputs_.shape.heads;
    return {span.row_count * heads, heads, span.first_position + 1, true};
  }

  void pack_query(const RowBlock& rows, std::byte* right) const override {
    const LatentShape& shape = inputs_.shape;
    RowPointers latent{};
    RowPointers rope{};
    for (std::size_t r = 0; r < rows.rows; ++r) {
      const Place at = place(rows, r);
      latent[r] = inputs_.query.latent.at(at.row, at.head);
      rope[r] = inputs_.query.rope.at(at.row, at.head);
    }
    const float factor = shape.scale * kLog2E;
    const std::size_t panels = rows.lane_groups();
    pack_lanes(inputs_.kernel, latent, shape.kv_lora_rank, factor, panels, right);
    pack_lanes(inputs_.kernel, rope, shape.qk_rope_head_dim, factor, panels,
               right + latent_tiles(shape) * 2 * tile_bytes_);
  }

  const std::byte* keys(std::size_t strand, std::size_t page, const std::byte*) const override {
    return inputs_.pages.data + inputs_.spans[strand].pages[page] * inputs_.pages.page_bytes;
  }

  const std::byte* values(const ValuePart& part, const std::byte*, std::byte* room) const override {
    for (std::size_t i = 0; i < part.pages; ++i) {
      const std::byte* tile =
          keys(part.strand, part.first_page + i, nullptr) + part.pair * tile_bytes_;
      inputs_.kernel.turn_tiles(tile, tile + depth_tiles_ * tile_bytes_,
                                room + i * 2 * tile_bytes_);
    }
    return room;
  }

  void store(const RowBlock& rows, const AttentionState& state, std::byte*) const override {
    std::array<std::byte*, kLanes> lines{};
    for (std::size_t r = 0; r < rows.rows; ++r) {
      const Place at = place(rows, r);
      lines[r] = inputs_.out.line(at.head, at.row, 0);
    }
    // Columns that pad the rank are zero in the pages, and so in the output.
    inputs_.kernel.finish(state, latent_tiles(inputs_.shape), rows.rows, lines.data());
  }

 private:
  struct Place {
    std::size_t row;  // of the batch
    std::size_t head;
  };
  Place place(const RowBlock& rows, std::size_t r) const {
    const std::size_t row = rows.first_row + r;
    return {inputs_.spans[rows.strand].first_row + row / inputs_.shape.heads,
            row % inputs_.shape.heads};
  }

  Inputs inputs_;
  std::size_t depth_tiles_;
  std::size_t tile_bytes_;
};

}  // namespace

std::size_t latent_page_bytes(const LatentShape& shape, Operand operand) {
  return 2 * key_tiles(shape) * kTileNumbers * bytes_of(operand);
}

void append_latents(const KernelSet& kernels, const ThreadTeam& team, const LatentShape& shape,
                    Rows latents, const CachedSpans& cached) {
  const LayerPages& pages = cached.pages;
  const std::span<const AttentionSpan> spans = cached.spans;
  const std::size_t depth_tiles = key_tiles(shape);
  const std::size_t rank = shape.kv_lora_rank;
  const std::size_t bytes = bytes_of(kernels.operand);
  team.split(pages_touched(spans), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const PageRun run = page_run(spans, i);
      for (std::size_t t = 0; t < run.count; ++t) {
        std::byte* line = pages.data + run.page * pages.page_bytes +
                          left_index(run.first_slot + t, 0, depth_tiles) * bytes;
        const float* row = latents.row(run.first_row + t);
        kernels.rowwise->pack_row(row, rank, kernels.operand, line);
        kernels.rowwise->pack_row(row + rank, shape.qk_rope_head_dim, kernels.operand,
                                  line + latent_tiles(shape) * kTileNumbers * bytes);
      }
    }
  });
}

Packed attend_latents(const KernelSet& kernels, const ThreadTeam& team, Arena& arena,
                      const LatentShape& shape, const LatentQuery& query,
                      const CachedSpans& cached) {
  const auto& [pages, spans] = cached;
  const Packed out =
      arena.packed(kernels.operand, query.latent.tokens, shape.kv_lora_rank, shape.heads);
  zero_padding(out);
  const LatentProblem problem({*kernels.attention, shape, query, pages, spans, out});
  walk(kernels, team, arena, problem);
  return out;
}

}  // namespace vl2
