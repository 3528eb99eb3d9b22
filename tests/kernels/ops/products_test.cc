// SPDX-License-Identifier: MIT
// Linear layers and what is built of them, against sums in double precision.
#include <algorithm>

#include "kernels/ops/ops_test.h"

namespace vl2 {
namespace {

constexpr std::size_t kCount = 35;
constexpr std::size_t kDepth = 70;

class OpsProducts : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Machines, OpsProducts, every_machine(), machine_name);

struct Sum {
  double value = 0;
  double magnitude = 0;  // of the sum of absolute values: what rounding is relative to
};

Sum dot(const OwnRows& x, std::size_t i, const OwnRows& w, std::size_t n, std::size_t depth) {
  Sum sum;
  for (std::size_t k = 0; k < depth; ++k) {
    sum.value += double{x.at(i, k)} * w.at(n, k);
    sum.magnitude += std::abs(double{x.at(i, k)} * w.at(n, k));
  }
  return sum;
}

// Every one of `depth` additions may round once.
double bound_of(Sum sum, std::size_t depth) {
  return sum.magnitude * static_cast<double>(depth) * 0x1p-24;
}
// Packing rounds to the operand type.
double packing_error(Operand operand) { return operand == Operand::f32 ? 1e-6 : 0x1p-8; }

TEST_P(OpsProducts, LinearAddsItsBias) {
  OwnRows x(kCount, kDepth, 1);
  const OwnRows w(50, kDepth, 2);
  const OwnRows bias(1, 50, 3);
  for (const bool biased : {false, true}) {
    const Linear layer{weight_of(w, 50, kDepth, operand()),
                       biased ? bias.numbers() : std::vector<float>()};
    const Rows out = ops().linear(ops().pack(x.view()), layer);
    ASSERT_EQ(out.width, 50U);
    for (std::size_t i = 0; i < kCount; ++i)
      for (std::size_t n = 0; n < 50; ++n) {
        const Sum sum = dot(x, i, w, n, kDepth);
        EXPECT_NEAR(out[i][n], sum.value + (biased ? bias.at(0, n) : 0.0F),
                    bound_of(sum, kDepth) + 1e-6);
      }
  }
}

TEST_P(OpsProducts, AddLinearAddsToWhatIsThere) {
  OwnRows x(kCount, kDepth, 4);
  const OwnRows w(50, kDepth, 5);
  OwnRows hidden(kCount, 50, 6);
  const OwnRows before = hidden;
  const Linear layer{weight_of(w, 50, kDepth, operand()), {}};
  const Rows alone = ops().linear(ops().pack(x.view()), layer);
  ops().add_linear(hidden.view(), ops().pack(x.view()), layer);
  for (std::size_t i = 0; i < kCount; ++i)
    for (std::size_t n = 0; n < 50; ++n) EXPECT_EQ(hidden.at(i, n), before.at(i, n) + alone[i][n]);
}

TEST_P(OpsProducts, LinearGeluPacksForTheNextProduct) {
  OwnRows x(kCount, kDepth, 7, 0.5);
  const OwnRows w(50, kDepth, 8, 0.5);
  const OwnRows bias(1, 50, 9);
  const Linear layer{weight_of(w, 50, kDepth, operand()), bias.numbers()};
  const Packed out = ops().linear_gelu(ops().pack(x.view()), layer, Gelu::erf);
  EXPECT_EQ(out.width, 50U);
  for (std::size_t i = 0; i < 48; ++i) {
    const std::vector<float> row = packed_row(out, 0, i);
    for (std::size_t n = 0; n < 64; ++n) {
      double wanted = 0;
      if (i < kCount && n < 50) {
        const double sum = dot(x, i, w, n, kDepth).value + bias.at(0, n);
        wanted = 0.5 * sum * std::erfc(-sum / std::sqrt(2.0));
      }
      EXPECT_NEAR(
          row[n], wanted,
          (1e-5 + std::abs(wanted)) * 2 * packing_error(operand()) + (wanted == 0 ? 0 : 3e-6));
    }
  }
}

TEST_P(OpsProducts, PerHeadMultipliesEachHeadWithItsMatrix) {
  constexpr std::size_t kHeads = 3;
  constexpr std::size_t kColumns = 20;
  OwnRows x(kCount, kHeads * kDepth, 10);
  const OwnRows w(kHeads * kColumns, kDepth, 11);
  const Weight weight = weight_of(w, kColumns, kDepth, operand(), kHeads);
  const Heads out = ops().per_head(ops().pack(x.view().heads(kHeads)), weight);
  EXPECT_EQ(out.heads, kHeads);
  EXPECT_EQ(out.flat().width, kHeads * kColumns);
  for (std::size_t i = 0; i < kCount; ++i)
    for (std::size_t head = 0; head < kHeads; ++head)
      for (std::size_t n = 0; n < kColumns; ++n) {
        double wanted = 0;
        for (std::size_t k = 0; k < kDepth; ++k)
          wanted += double{x.at(i, head * kDepth + k)} * w.at(head * kColumns + n, k);
        EXPECT_NEAR(out.at(i, head)[n], wanted, 2e-3);
      }
}

TEST_P(OpsProducts, GatedMlpIsDownOfSiluGateTimesUp) {
  constexpr std::size_t kWidth = 48;
  OwnRows x(kCount, kDepth, 12, 0.5);
  const OwnRows gate(kWidth, kDepth, 13, 0.5);
  const OwnRows up(kWidth, kDepth, 14, 0.5);
  const OwnRows down(kDepth, kWidth, 15, 0.5);
  OwnRows hidden(kCount, kDepth, 16);
  const OwnRows before = hidden;
  const GatedMlpWeights mlp{gate_up_of(gate, up, kWidth, kDepth, operand()),
                            weight_of(down, kDepth, kWidth, operand())};
  ops().add_gated_mlp(hidden.view(), ops().pack(x.view()), mlp);
  for (std::size_t i = 0; i < kCount; ++i) {
    std::vector<double> inner(kWidth);
    for (std::size_t j = 0; j < kWidth; ++j) {
      const double g = dot(x, i, gate, j, kDepth).value;
      inner[j] = g / (1 + std::exp(-g)) * dot(x, i, up, j, kDepth).value;
    }
    for (std::size_t n = 0; n < kDepth; ++n) {
      Sum sum;
      for (std::size_t j = 0; j < kWidth; ++j) {
        sum.value += inner[j] * down.at(n, j);
        sum.magnitude += std::abs(inner[j] * down.at(n, j));
      }
      EXPECT_NEAR(hidden.at(i, n), before.at(i, n) + sum.value,
                  sum.magnitude * 2 * packing_error(operand()) + 1e-5);
    }
  }
}

TEST_P(OpsProducts, RouteIsTheRoutersLogitsRouted) {
  OwnRows x(kCount, kDepth, 17);
  const OwnRows w(12, kDepth, 18);
  const Linear router{weight_of(w, 12, kDepth, operand()), {}};
  const RouterRule rule{.top_k = 3};
  const Packed packed = ops().pack(x.view());
  const Routing routing = ops().route(packed, router, rule);
  const Rows logits = ops().linear(packed, router);
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::span<float> row = logits[i];
    const auto best =
        static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
    EXPECT_EQ(routing.experts[i * 3], best);
    EXPECT_GT(routing.weights[i * 3], routing.weights[i * 3 + 2]);
  }
}

TEST_P(OpsProducts, NoRowsGiveNoRows) {
  const OwnRows w(50, kDepth, 19);
  const Linear layer{weight_of(w, 50, kDepth, operand()), {}};
  const Packed nothing = ops().pack(Rows{nullptr, 0, kDepth, kDepth});
  EXPECT_EQ(ops().linear(nothing, layer).count, 0U);
  EXPECT_EQ(ops().linear_gelu(nothing, layer, Gelu::tanh).count, 0U);
  EXPECT_EQ(ops().per_head(nothing, layer.weight).tokens, 0U);
  EXPECT_EQ(ops().route(nothing, layer, {.top_k = 2}).experts.size(), 0U);
}

}  // namespace
}  // namespace vl2
