// SPDX-License-Identifier: MIT
// A page of keys and values: [kv head][keys | values]. Keys are left tiles [2][depth
// tiles][16][32], values pairs of right tiles [pair of columns][2][...], both padded with zeros.
#include <cstring>

#include "kernels/attention/attention.h"
#include "kernels/attention/pages.h"
#include "kernels/attention/rows_to_tiles.h"
#include "kernels/attention/walk.h"

namespace vl2 {
namespace {

std::size_t head_tiles(const HeadShape& shape) { return tiles_of(shape.head_dim, kTileDepth); }
// Keys and values of one head take the same number of bytes.
std::size_t keys_bytes(const HeadShape& shape, Operand operand) {
  return 2 * head_tiles(shape) * kTileNumbers * bytes_of(operand);
}
// Where head `head` of a page has its keys; its values follow.
std::byte* head_of_page(const HeadShape& shape, Operand operand, LayerPages pages,
                        std::uint32_t page, std::size_t head) {
  return pages.data + page * pages.page_bytes + head * 2 * keys_bytes(shape, operand);
}

class PlainProblem final : public AttentionProblem {
 public:
  struct Inputs {
    const AttentionKernel& kernel;
    const HeadShape& shape;
    const Heads& query;
    LayerPages pages;
    std::span<const AttentionSpan> spans;
    Packed out;
  };

  explicit PlainProblem(const Inputs& inputs)
      : inputs_(inputs),
        group_(inputs.shape.heads / inputs.shape.kv_heads),
        pair_bytes_(2 * kTileNumbers * bytes_of(inputs.kernel.operand)) {}

  Sizes sizes() const override {
    Sizes sizes;
    sizes.strands = inputs_.spans.size() * inputs_.shape.kv_heads;
    sizes.depth_tiles = head_tiles(inputs_.shape);
    sizes.value_columns = inputs_.shape.head_dim;
    sizes.page_bytes = 2 * keys_bytes(inputs_.shape, inputs_.kernel.operand);
    return sizes;
  }
  Strand strand(std::size_t index) const override {
    const AttentionSpan& span = span_of(index);
    return {span.row_count * group_, group_, span.first_position + 1, true};
  }

  void pack_query(const RowBlock& rows, std::byte* right) const override {
    RowPointers lanes{};
    for (std::size_t r = 0; r < rows.rows; ++r)
      lanes[r] = inputs_.query.at(row_of(rows, r), head_of(rows, r));
    pack_lanes(inputs_.kernel, lanes, inputs_.shape.head_dim, inputs_.shape.scale * kLog2E,
               rows.lane_groups(), right);
  }

  const std::byte* keys(std::size_t strand, std::size_t page, const std::byte*) const override {
    return head_of_page(inputs_.shape, inputs_.kernel.operand, inputs_.pages,
                        span_of(strand).pages[page], strand % inputs_.shape.kv_heads);
  }

  const std::byte* values(const ValuePart& part, const std::byte*, std::byte* room) const override {
    const std::size_t offset =
        keys_bytes(inputs_.shape, inputs_.kernel.operand) + part.pair * pair_bytes_;
    for (std::size_t i = 0; i < part.pages; ++i)
      std::memcpy(room + i * pair_bytes_, keys(part.strand, part.first_page + i, nullptr) + offset,
                  pair_bytes_);
    return room;
  }

  void store(const RowBlock& rows, const AttentionState& state, std::byte* room) const override {
    HeadOutput output{inputs_.out, inputs_.shape.head_dim, {}};
    for (std::size_t r = 0; r < rows.rows; ++r)
      output.place[r] = {row_of(rows, r), head_of(rows, r)};
    store_heads(inputs_.kernel, state, rows.rows, output, room);
  }

 private:
  const AttentionSpan& span_of(std::size_t strand) const {
    return inputs_.spans[strand / inputs_.shape.kv_heads];
  }
  std::size_t row_of(const RowBlock& rows, std::size_t r) const {
    return span_of(rows.strand).first_row + (rows.first_row + r) / group_;
  }
  std::size_t head_of(const RowBlock& rows, std::size_t r) const {
    return rows.strand % inputs_.shape.kv_heads * group_ + (rows.first_row + r) % group_;
  }

  Inputs inputs_;
  std::size_t group_;  // heads that share keys and values
  std::size_t pair_bytes_;
};

// What append_keys_values writes for one head and one page.
struct HeadPage {
  std::byte* keys;
  std::byte* values;
};

void append_keys(const KernelSet& kernels, const HeadShape& shape, Rows keys, const PageRun& run,
                 const HeadPage& to) {
  for (std::size_t t = 0; t < run.count; ++t)
    kernels.rowwise->pack_row(
        keys.row(run.first_row + t), shape.head_dim, kernels.operand,
        to.keys + left_index(run.first_slot + t, 0, head_tiles(shape)) * bytes_of(kernels.operand));
}

// All 32 tokens of a page at once.
void append_full_page_of_values(const KernelSet& kernels, const HeadShape& shape, Rows values,
                                const PageRun& run, const HeadPage& to) {
  RowPointers rows{};
  for (std::size_t t = 0; t < run.count; ++t) rows[t] = values.row(run.first_row + t);
  for (std::size_t pair = 0; pair < head_tiles(shape); ++pair)
    pack_values(*kernels.attention, rows, shape.head_dim, pair,
                to.values + pair * 2 * kTileNumbers * bytes_of(kernels.operand));
}

// A token's values lie apart, next to those of its neighbours.
void append_values(const KernelSet& kernels, const HeadShape& shape, Rows values,
                   const PageRun& run, const HeadPage& to) {
  for (std::size_t t = 0; t < run.count; ++t) {
    const float* row = values.row(run.first_row + t);
    const std::size_t slot = run.first_slot + t;
    for (std::size_t i = 0; i < shape.head_dim; ++i) {
      const std::size_t place = right_index(kernels.operand, i, slot, 1);
      if (kernels.operand == Operand::bf16)
        reinterpret_cast<Bf16*>(to.values)[place] = to_bf16(row[i]);
      else
        reinterpret_cast<float*>(to.values)[place] = row[i];
    }
  }
}

}  // namespace

std::size_t plain_page_bytes(const HeadShape& shape, Operand operand) {
  return shape.kv_heads * 2 * keys_bytes(shape, operand);
}

void append_keys_values(const KernelSet& kernels, const ThreadTeam& team, const HeadShape& shape,
                        Heads keys, Heads values, const CachedSpans& cached) {
  const LayerPages& pages = cached.pages;
  const std::span<const AttentionSpan> spans = cached.spans;
  team.split(pages_touched(spans) * shape.kv_heads, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const PageRun run = page_run(spans, i / shape.kv_heads);
      const std::size_t head = i % shape.kv_heads;
      std::byte* first = head_of_page(shape, kernels.operand, pages, run.page, head);
      const HeadPage to{first, first + keys_bytes(shape, kernels.operand)};
      append_keys(kernels, shape, keys.head(head), run, to);
      if (run.count == kPageTokens)
        append_full_page_of_values(kernels, shape, values.head(head), run, to);
      else
        append_values(kernels, shape, values.head(head), run, to);
    }
  });
}

Packed attend_plain(const KernelSet& kernels, const ThreadTeam& team, Arena& arena,
                    const HeadShape& shape, Heads query, const CachedSpans& cached) {
  const auto& [pages, spans] = cached;
  const Packed out = arena.packed(kernels.operand, query.tokens, shape.heads * shape.head_dim);
  zero_padding(out);
  const PlainProblem problem({*kernels.attention, shape, query, pages, spans, out});
  walk(kernels, team, arena, problem);
  return out;
}

}  // namespace vl2
