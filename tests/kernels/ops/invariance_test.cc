// SPDX-License-Identifier: MIT
// A row's result depends on that row alone: not on its neighbours, its place or the threads.
#include "kernels/ops/ops_test.h"

namespace vl2 {
namespace {

constexpr std::size_t kWidth = 160;
constexpr std::size_t kInner = 64;
constexpr std::size_t kExperts = 8;

// A feed-forward layer with everything that Ops has for one.
struct Block {
  RmsNormWeights norm;
  LayerNormWeights layer_norm;
  Linear up;
  Linear down;
  GatedMlpWeights mlp;
  Linear router;
  ExpertWeights experts;
};

Block make_block(Operand operand) {
  const OwnRows gate(kInner, kWidth, 1, 0.2);
  const OwnRows up(kInner, kWidth, 2, 0.2);
  const OwnRows down(kWidth, kInner, 3, 0.2);
  const OwnRows router(kExperts, kWidth, 4, 0.2);
  const OwnRows bias(1, kInner, 5);
  Block block;
  block.norm = {std::vector<float>(kWidth, 1.1F), 1e-6F};
  block.layer_norm = {std::vector<float>(kWidth, 0.9F), std::vector<float>(kWidth, 0.1F), 1e-6F};
  block.up = {weight_of(up, kInner, kWidth, operand), bias.numbers()};
  block.down = {weight_of(down, kWidth, kInner, operand), {}};
  block.mlp = {gate_up_of(gate, up, kInner, kWidth, operand), block.down.weight};
  block.router = {weight_of(router, kExperts, kWidth, operand), {}};

  block.experts = {Weight(format_of(operand), 2 * kInner, kWidth, kExperts),
                   Weight(format_of(operand), kWidth, kInner, kExperts)};
  for (std::size_t expert = 0; expert < kExperts; ++expert) {
    const OwnRows rows(2 * kInner, kWidth, 10 + expert, 0.2);
    pack_matrix(std::span<const float>(rows.numbers()), block.experts.gate_up, expert);
    const OwnRows back(kWidth, kInner, 30 + expert, 0.2);
    pack_matrix(std::span<const float>(back.numbers()), block.experts.down, expert);
  }
  return block;
}

void run(const Ops& op, const Block& block, Rows hidden) {
  const Packed x = op.layer_norm(hidden, block.layer_norm);
  op.add_linear(hidden, op.linear_gelu(x, block.up, Gelu::tanh), block.down);
  const Packed y = op.rms_norm(hidden, block.norm);
  const Routing routing = op.route(y, block.router, {.top_k = 3});
  op.add_gated_mlp(hidden, y, block.mlp);
  op.add_experts(hidden, y, routing, block.experts);
}

class OpsInvariance : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Machines, OpsInvariance, every_machine(), machine_name);

TEST_P(OpsInvariance, ThreadsChangeNoBit) {
  constexpr std::size_t kCount = 150;  // more than a thread takes alone
  const Block block = make_block(operand());
  OwnRows wanted(kCount, kWidth, 6);
  const OwnRows input = wanted;
  run(ops(1), block, wanted.view());
  for (const int threads : {2, 3, 4}) {
    OwnRows out = input;
    run(ops(threads), block, out.view());
    EXPECT_EQ(bits_of(out.view()), bits_of(wanted.view())) << threads;
  }
}

TEST_P(OpsInvariance, ARowAloneEqualsTheRowInABatch) {
  constexpr std::size_t kCount = 37;
  const Block block = make_block(operand());
  OwnRows input(kCount, kWidth, 7);
  OwnRows batch = input;
  run(ops(2), block, batch.view());
  for (std::size_t i = 0; i < kCount; ++i) {
    OwnRows alone = input;
    run(ops(1), block, alone.view().slice(i, 1));
    EXPECT_EQ(bits_of(alone.view().slice(i, 1)), bits_of(batch.view().slice(i, 1))) << i;
  }
}

TEST_P(OpsInvariance, ChunksEqualTheWhole) {
  constexpr std::size_t kCount = 90;
  const Block block = make_block(operand());
  OwnRows whole(kCount, kWidth, 8);
  OwnRows chunked = whole;
  run(ops(2), block, whole.view());
  for (std::size_t first = 0; first < kCount; first += 17)
    run(ops(3), block, chunked.view().slice(first, std::min<std::size_t>(17, kCount - first)));
  EXPECT_EQ(bits_of(chunked.view()), bits_of(whole.view()));
}

}  // namespace
}  // namespace vl2
