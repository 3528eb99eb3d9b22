// SPDX-License-Identifier: MIT
#include "kernels/attention/cached_attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "kernels/attention/rows_to_tiles.h"

namespace vl2 {

float uniform(std::uint64_t seed, std::uint64_t place) {
  return static_cast<float>(random_unit(seed, place) * 2.0 - 1.0);
}

float rounded(Operand operand, float value) {
  return operand == Operand::f32 ? value : to_float(to_bf16(value));
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::vector<float> packed_row(const Packed& packed, std::size_t i, std::size_t row) {
  std::vector<float> out(packed.width);
  for (std::size_t k = 0; k < packed.width; ++k) {
    const std::byte* line = packed.line(i, row, k / kTileDepth * kTileDepth);
    out[k] = packed.operand == Operand::f32
                 ? reinterpret_cast<const float*>(line)[k % kTileDepth]
                 : to_float(reinterpret_cast<const Bf16*>(line)[k % kTileDepth]);
  }
  return out;
}

void add_expected(Operand operand, const ExactSoftmax& softmax, std::size_t columns,
                  const std::vector<std::vector<float>>& values, Expected& out) {
  const std::size_t keys = softmax.scores.size();
  const double top = *std::max_element(softmax.scores.begin(), softmax.scores.end());
  std::vector<double> p(keys);
  for (std::size_t k = 0; k < keys; ++k) p[k] = std::exp(softmax.scores[k] - top);
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  // Scores and outputs are fp32 sums; probabilities and results are rounded to the operand type.
  constexpr double kUnit = 0x1p-24;
  const double operand_unit = operand == Operand::f32 ? kUnit : 0x1p-8;
  const double largest = *std::max_element(softmax.magnitudes.begin(), softmax.magnitudes.end());
  const double score_error = (static_cast<double>(softmax.terms) + 8) * kUnit * largest + 8 * kUnit;
  const double weight_error =
      2 * score_error + operand_unit + static_cast<double>(keys + 32) * 2 * kUnit;
  for (std::size_t c = 0; c < columns; ++c) {
    double total = 0;
    double magnitude = 0;
    for (std::size_t k = 0; k < keys; ++k) {
      total += p[k] / sum * static_cast<double>(values[k][c]);
      magnitude += p[k] / sum * std::abs(static_cast<double>(values[k][c]));
    }
    out.out.push_back(total);
    out.tolerance.push_back(1.1 * (weight_error * magnitude + operand_unit * std::abs(total)));
  }
}

CachedSequences::CachedSequences(const CachedAttention& attention, const KernelSet& kernels,
                                 std::vector<std::size_t> lengths, std::uint64_t seed)
    : attention_(attention),
      kernels_(kernels),
      lengths_(std::move(lengths)),
      page_bytes_(attention.page_bytes(kernels.operand)) {
  std::vector<std::uint32_t> order;
  for (const std::size_t length : lengths_)
    order.resize(order.size() + tiles_of(length, kPageTokens));
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random_bits(seed, i) % i]);
  auto next = order.begin();
  for (const std::size_t length : lengths_) {
    const auto end = next + static_cast<std::ptrdiff_t>(tiles_of(length, kPageTokens));
    tables_.emplace_back(next, end);
    next = end;
  }
  pool_ = AlignedBuffer(order.size() * page_bytes_);
}

LayerPages CachedSequences::pages() { return {pool_.data(), page_bytes_}; }

std::span<const std::byte> CachedSequences::page(std::size_t sequence, std::size_t index) const {
  return {pool_.data() + tables_[sequence][index] * page_bytes_, page_bytes_};
}

CachedSequences::Batch CachedSequences::batch_of(std::span<const Part> parts) const {
  Batch batch;
  for (const Part& part : parts) {
    batch.spans.push_back({batch.tokens.size(), part.count, part.first, tables_[part.sequence]});
    for (std::size_t i = 0; i < part.count; ++i)
      batch.tokens.push_back({part.sequence, part.first + i});
  }
  return batch;
}

void CachedSequences::append(const ThreadTeam& team, std::span<const Part> parts) {
  const Batch batch = batch_of(parts);
  attention_.append(kernels_, team, batch.tokens, pages(), batch.spans);
}

void CachedSequences::append_all() {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < lengths_.size(); ++i) parts.push_back({i, 0, lengths_[i]});
  append(ThreadTeam(1), parts);
}

std::vector<std::vector<float>> CachedSequences::attend(const ThreadTeam& team,
                                                        std::span<const Part> parts,
                                                        std::span<const std::size_t> poisoned) {
  const Batch batch = batch_of(parts);
  return attention_.attend(kernels_, team, batch.tokens, pages(), batch.spans, poisoned);
}

std::vector<float> CachedSequences::attend_alone(Token token) {
  const Part part{token.sequence, token.position, 1};
  return attend(ThreadTeam(1), {&part, 1}).front();
}

namespace {

// Fills `width` numbers with a function of (sequence, position, what).
void fill(Token token, std::uint64_t what, float size, float* out, std::size_t width) {
  const std::uint64_t seed = token.sequence * 1000003 + token.position * 101 + what;
  for (std::size_t i = 0; i < width; ++i) out[i] = size * uniform(seed, i);
}

constexpr std::uint64_t kQueries = 1;
constexpr std::uint64_t kKeys = 2;
constexpr std::uint64_t kValues = 3;
// Makes softmax prefer some keys clearly.
constexpr float kQuerySize = 4.0F;

void poison(std::span<const std::size_t> rows, std::vector<float>& numbers, std::size_t width) {
  for (const std::size_t row : rows)
    std::fill_n(numbers.begin() + static_cast<std::ptrdiff_t>(row * width), width,
                std::numeric_limits<float>::quiet_NaN());
}

// Exact scores of one query row. `query` as the kernel rounds it, in units of log 2.
void add_score(const std::vector<float>& query, const float* key, ExactSoftmax& softmax) {
  double score = 0;
  double magnitude = 0;
  for (std::size_t i = 0; i < query.size(); ++i) {
    const double term = static_cast<double>(query[i]) * static_cast<double>(key[i]);
    score += term;
    magnitude += std::abs(term);
  }
  softmax.scores.push_back(score * std::log(2.0));
  softmax.magnitudes.push_back(magnitude);
}

std::vector<float> rounded_query(Operand operand, const float* query, std::size_t width,
                                 float scale) {
  std::vector<float> out(width);
  const float factor = scale * kLog2E;
  for (std::size_t i = 0; i < width; ++i) out[i] = rounded(operand, query[i] * factor);
  return out;
}

class LatentAttentionCase final : public CachedAttention {
 public:
  explicit LatentAttentionCase(LatentSizes sizes)
      : sizes_(sizes),
        width_(sizes.kv_lora_rank + sizes.qk_rope_head_dim),
        shape_{sizes.heads, sizes.kv_lora_rank, sizes.qk_rope_head_dim,
               1.0F / std::sqrt(static_cast<float>(width_))} {}

  std::string name() const override {
    return "heads " + std::to_string(sizes_.heads) + " rank " +
           std::to_string(sizes_.kv_lora_rank) + " rope " + std::to_string(sizes_.qk_rope_head_dim);
  }
  std::size_t page_bytes(Operand operand) const override {
    return latent_page_bytes(shape_, operand);
  }
  void append(const KernelSet& kernels, const ThreadTeam& team, std::span<const Token> tokens,
              LayerPages pages, std::span<const AttentionSpan> spans) const override {
    std::vector<float> rows(tokens.size() * width_);
    for (std::size_t i = 0; i < tokens.size(); ++i)
      fill(tokens[i], kKeys, 1.0F, rows.data() + i * width_, width_);
    append_latents(kernels, team, shape_, {rows.data(), tokens.size(), width_, width_},
                   {pages, spans});
  }
  std::vector<std::vector<float>> attend(const KernelSet& kernels, const ThreadTeam& team,
                                         std::span<const Token> tokens, LayerPages pages,
                                         std::span<const AttentionSpan> spans,
                                         std::span<const std::size_t> poisoned) const override {
    const std::size_t token_width = sizes_.heads * width_;
    std::vector<float> rows(tokens.size() * token_width);
    for (std::size_t i = 0; i < tokens.size(); ++i)
      fill(tokens[i], kQueries, kQuerySize, rows.data() + i * token_width, token_width);
    poison(poisoned, rows, token_width);
    const Heads query =
        Rows{rows.data(), tokens.size(), token_width, token_width}.heads(sizes_.heads);
    Arena arena;
    const Packed out = attend_latents(
        kernels, team, arena, shape_,
        {query.first(sizes_.kv_lora_rank), query.last(sizes_.qk_rope_head_dim)}, {pages, spans});
    std::vector<std::vector<float>> result(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i)
      for (std::size_t h = 0; h < sizes_.heads; ++h) {
        const std::vector<float> head = packed_row(out, h, i);
        result[i].insert(result[i].end(), head.begin(), head.end());
      }
    return result;
  }
  Expected expected(Operand operand, Token token) const override {
    std::vector<std::vector<float>> latents;
    for (std::size_t k = 0; k <= token.position; ++k) {
      std::vector<float>& row = latents.emplace_back(width_);
      fill({token.sequence, k}, kKeys, 1.0F, row.data(), width_);
      for (float& number : row) number = rounded(operand, number);
    }
    std::vector<float> queries(sizes_.heads * width_);
    fill(token, kQueries, kQuerySize, queries.data(), queries.size());
    Expected result;
    for (std::size_t h = 0; h < sizes_.heads; ++h) {
      const auto query = rounded_query(operand, queries.data() + h * width_, width_, shape_.scale);
      ExactSoftmax softmax;
      softmax.terms = width_;
      for (const auto& latent : latents) add_score(query, latent.data(), softmax);
      add_expected(operand, softmax, sizes_.kv_lora_rank, latents, result);
    }
    return result;
  }

 private:
  LatentSizes sizes_;
  std::size_t width_;
  LatentShape shape_;
};

class PlainAttentionCase final : public CachedAttention {
 public:
  explicit PlainAttentionCase(PlainSizes sizes)
      : sizes_(sizes),
        query_width_(sizes.heads * sizes.head_dim),
        kv_width_(sizes.kv_heads * sizes.head_dim),
        shape_{sizes.heads, sizes.kv_heads, sizes.head_dim,
               1.0F / std::sqrt(static_cast<float>(sizes.head_dim))} {}

  std::string name() const override {
    return "heads " + std::to_string(sizes_.heads) + " kv heads " +
           std::to_string(sizes_.kv_heads) + " head_dim " + std::to_string(sizes_.head_dim);
  }
  std::size_t page_bytes(Operand operand) const override {
    return plain_page_bytes(shape_, operand);
  }
  void append(const KernelSet& kernels, const ThreadTeam& team, std::span<const Token> tokens,
              LayerPages pages, std::span<const AttentionSpan> spans) const override {
    std::vector<float> keys = numbers(tokens, kKeys, 1.0F, kv_width_);
    std::vector<float> values = numbers(tokens, kValues, 1.0F, kv_width_);
    append_keys_values(kernels, team, shape_, heads(keys, tokens.size(), sizes_.kv_heads),
                       heads(values, tokens.size(), sizes_.kv_heads), {pages, spans});
  }
  std::vector<std::vector<float>> attend(const KernelSet& kernels, const ThreadTeam& team,
                                         std::span<const Token> tokens, LayerPages pages,
                                         std::span<const AttentionSpan> spans,
                                         std::span<const std::size_t> poisoned) const override {
    std::vector<float> rows = numbers(tokens, kQueries, kQuerySize, query_width_);
    poison(poisoned, rows, query_width_);
    Arena arena;
    const Packed out = attend_plain(kernels, team, arena, shape_,
                                    heads(rows, tokens.size(), sizes_.heads), {pages, spans});
    std::vector<std::vector<float>> result;
    for (std::size_t i = 0; i < tokens.size(); ++i) result.push_back(packed_row(out, 0, i));
    return result;
  }
  Expected expected(Operand operand, Token token) const override {
    std::vector<std::vector<float>> keys;
    std::vector<std::vector<float>> values;
    for (std::size_t k = 0; k <= token.position; ++k) {
      const Token at{token.sequence, k};
      keys.push_back(numbers({&at, 1}, kKeys, 1.0F, kv_width_));
      values.push_back(numbers({&at, 1}, kValues, 1.0F, kv_width_));
      for (float& number : keys.back()) number = rounded(operand, number);
      for (float& number : values.back()) number = rounded(operand, number);
    }
    const std::vector<float> queries = numbers({&token, 1}, kQueries, kQuerySize, query_width_);
    Expected result;
    for (std::size_t h = 0; h < sizes_.heads; ++h) {
      const std::size_t first = h * sizes_.kv_heads / sizes_.heads * sizes_.head_dim;
      const auto query = rounded_query(operand, queries.data() + h * sizes_.head_dim,
                                       sizes_.head_dim, shape_.scale);
      ExactSoftmax softmax;
      softmax.terms = sizes_.head_dim;
      for (const auto& key : keys) add_score(query, key.data() + first, softmax);
      std::vector<std::vector<float>> head_values;
      for (const auto& row : values)
        head_values.emplace_back(
            row.begin() + static_cast<std::ptrdiff_t>(first),
            row.begin() + static_cast<std::ptrdiff_t>(first + sizes_.head_dim));
      add_expected(operand, softmax, sizes_.head_dim, head_values, result);
    }
    return result;
  }

 private:
  std::vector<float> numbers(std::span<const Token> tokens, std::uint64_t what, float size,
                             std::size_t width) const {
    std::vector<float> rows(tokens.size() * width);
    for (std::size_t i = 0; i < tokens.size(); ++i)
      fill(tokens[i], what, size, rows.data() + i * width, width);
    return rows;
  }
  Heads heads(std::vector<float>& rows, std::size_t count, std::size_t head_count) const {
    const std::size_t width = head_count * sizes_.head_dim;
    return Rows{rows.data(), count, width, width}.heads(head_count);
  }

  PlainSizes sizes_;
  std::size_t query_width_;
  std::size_t kv_width_;
  HeadShape shape_;
};

}  // namespace

std::unique_ptr<CachedAttention> latent_attention(LatentSizes sizes) {
  return std::make_unique<LatentAttentionCase>(sizes);
}
std::unique_ptr<CachedAttention> plain_attention(PlainSizes sizes) {
  return std::make_unique<PlainAttentionCase>(sizes);
}

}  // namespace vl2
