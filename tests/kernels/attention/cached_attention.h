// SPDX-License-Identifier: MIT
// Latent and plain attention behind one face, with made-up sequences, so that both are put through
// the same tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "kernels/attention/attention.h"

namespace vl2 {

// A row of a batch: one token of one sequence.
struct Token {
  std::size_t sequence = 0;
  std::size_t position = 0;
};

// Uniform in [-1, 1).
float uniform(std::uint64_t seed, std::uint64_t place);

// Rounded to what the operand can hold.
float rounded(Operand operand, float value);

// What the exact result of one output row is, and how far a kernel may be from it.
struct Expected {
  std::vector<double> out;
  std::vector<double> tolerance;
};

// One kind of attention. Token data is a function of sequence and position alone.
class CachedAttention {
 public:
  virtual ~CachedAttention() = default;
  virtual std::string name() const = 0;
  virtual std::size_t page_bytes(Operand operand) const = 0;
  virtual void append(const KernelSet& kernels, const ThreadTeam& team,
                      std::span<const Token> tokens, LayerPages pages,
                      std::span<const AttentionSpan> spans) const = 0;
  // A row of numbers for each token. Queries of tokens in `poisoned` are NaN.
  virtual std::vector<std::vector<float>> attend(const KernelSet& kernels, const ThreadTeam& team,
                                                 std::span<const Token> tokens, LayerPages pages,
                                                 std::span<const AttentionSpan> spans,
                                                 std::span<const std::size_t> poisoned) const = 0;
  // In double precision, from operands rounded as the cache rounds them.
  virtual Expected expected(Operand operand, Token token) const = 0;
};

struct LatentSizes {
  std::size_t heads, kv_lora_rank, qk_rope_head_dim;
};
std::unique_ptr<CachedAttention> latent_attention(LatentSizes sizes);
struct PlainSizes {
  std::size_t heads, kv_heads, head_dim;
};
std::unique_ptr<CachedAttention> plain_attention(PlainSizes sizes);

// Softmax of `keys` scores over the rows of `values`, all already rounded; `scores` in natural
// units, `magnitudes` the sums of |query * key| behind them.
struct ExactSoftmax {
  std::vector<double> scores;
  std::vector<double> magnitudes;
  std::size_t terms = 0;  // numbers that a score is the sum of
};
void add_expected(Operand operand, const ExactSoftmax& softmax, std::size_t columns,
                  const std::vector<std::vector<float>>& values, Expected& out);

// The numbers of a row of matrix i of packed output, as floats; bf16 widens exactly.
std::vector<float> packed_row(const Packed& packed, std::size_t i, std::size_t row);

// Sequences in a cache whose pages lie in a scattered order.
class CachedSequences {
 public:
  CachedSequences(const CachedAttention& attention, const KernelSet& kernels,
                  std::vector<std::size_t> lengths, std::uint64_t seed);

  // Tokens first .. first + count - 1 of a sequence, as a span of a batch.
  struct Part {
    std::size_t sequence = 0;
    std::size_t first = 0;
    std::size_t count = 0;
  };
  void append(const ThreadTeam& team, std::span<const Part> parts);
  void append_all();
  // One row a token, in the order of the parts.
  std::vector<std::vector<float>> attend(const ThreadTeam& team, std::span<const Part> parts,
                                         std::span<const std::size_t> poisoned = {});
  std::vector<float> attend_alone(Token token);

  std::span<const std::byte> page(std::size_t sequence, std::size_t index) const;
  LayerPages pages();

 private:
  struct Batch {
    std::vector<Token> tokens;
    std::vector<AttentionSpan> spans;
  };
  Batch batch_of(std::span<const Part> parts) const;

  const CachedAttention& attention_;
  KernelSet kernels_;
  std::vector<std::size_t> lengths_;
  std::vector<std::vector<std::uint32_t>> tables_;
  std::size_t page_bytes_;
  AlignedBuffer pool_;
};

// True if both hold the same bits.
bool same_bits(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace vl2
