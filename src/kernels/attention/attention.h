// SPDX-License-Identifier: MIT
// Attention over a paged cache (latent, plain) and over the patches of a picture tile (full).
//
// Order, the same for one query or a thousand, one thread or many: keys are taken in blocks of 128
// that begin at absolute multiples of 128; inside a segment of 1024 keys (absolute multiples) a
// running softmax passes from block to block, and segments are merged in ascending order. A key
// that a query does not see has probability exactly zero, so it changes no bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kernel_set.h"
#include "tensor/arena.h"
#include "tensor/packed.h"
#include "tensor/rows.h"

namespace vl2 {

inline constexpr std::size_t kPageTokens = 32;       // tokens a page of the cache holds
inline constexpr std::size_t kAttentionBlock = 128;  // keys a step of the running softmax takes
inline constexpr std::size_t kAttentionSegment = 1024;

// Rows of one sequence in a batch. Query i stands at position first_position + i and sees keys
// 0 .. first_position + i. Page p of the list holds positions 32p .. 32p + 31 (and must exist for
// every position seen).
struct AttentionSpan {
  std::size_t first_row = 0;
  std::size_t row_count = 0;
  std::size_t first_position = 0;
  std::span<const std::uint32_t> pages;
};

// One layer's pages: page p begins at data + p * page_bytes. Pages are zeroed when the pool is
// made, and hold finite numbers ever after.
struct LayerPages {
  std::byte* data = nullptr;
  std::size_t page_bytes = 0;
};

// Where the keys and values of a batch's rows lie, in one layer.
struct CachedSpans {
  LayerPages pages;
  std::span<const AttentionSpan> spans;
};

// Multi-head latent attention (DeepSeek-V2, section 2.1, absorbed form): all heads share one row
// [kv_lora_rank | qk_rope_head_dim] a token, which is key and, in its first part, value.
struct LatentShape {
  std::size_t heads = 0;
  std::size_t kv_lora_rank = 0;
  std::size_t qk_rope_head_dim = 0;
  float scale = 1.0F;  // multiplies the scores
};
std::size_t latent_page_bytes(const LatentShape& shape, Operand operand);
// Writes row i of `latents` [rows][kv_lora_rank + qk_rope_head_dim], rotated already, at its
// span's position.
void append_latents(const KernelSet& kernels, const ThreadTeam& team, const LatentShape& shape,
                    Rows latents, const CachedSpans& cached);

struct LatentQuery {
  Heads latent;  // [row][head][kv_lora_rank], the query times kv_b's key part
  Heads rope;    // [row][head][qk_rope_head_dim], rotated
};
// Returns, rounded and packed, a matrix a head: [head][row][kv_lora_rank].
Packed attend_latents(const KernelSet& kernels, const ThreadTeam& team, Arena& arena,
                      const LatentShape& shape, const LatentQuery& query,
                      const CachedSpans& cached);

// Plain multi-head (or grouped-query) attention: keys and values of kv_heads heads are cached;
// head h reads those of head h * kv_heads / heads.
struct HeadShape {
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;
  float scale = 1.0F;
};
std::size_t plain_page_bytes(const HeadShape& shape, Operand operand);
void append_keys_values(const KernelSet& kernels, const ThreadTeam& team, const HeadShape& shape,
                        Heads keys, Heads values, const CachedSpans& cached);
// Returns, rounded and packed, [row][head * head_dim].
Packed attend_plain(const KernelSet& kernels, const ThreadTeam& team, Arena& arena,
                    const HeadShape& shape, Heads query, const CachedSpans& cached);

// Attention without mask and cache inside each run of `rows_each` consecutive rows (the patches of
// one picture tile). qkv: [row][q | k | v], each [head][head_dim]; kv_heads = heads. Returns,
// rounded and packed, [row][head * head_dim].
Packed attend_full(const KernelSet& kernels, const ThreadTeam& team, Arena& arena,
                   const HeadShape& shape, Rows qkv, std::size_t rows_each);

}  // namespace vl2
