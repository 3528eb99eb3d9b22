// SPDX-License-Identifier: MIT
// Operations that treat rows one by one.
#include <algorithm>
#include <numeric>

#include "kernels/ops/ops_test.h"

namespace vl2 {
namespace {

class OpsRows : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Machines, OpsRows, every_machine(), machine_name);

TEST_P(OpsRows, EmbedLooksUpRowsOfEitherTable) {
  constexpr std::size_t kWidth = 37;
  const OwnRows source(5, kWidth, 1);
  const std::vector<float> numbers = source.numbers();
  std::vector<Bf16> rounded;
  for (const float value : numbers) rounded.push_back(to_bf16(value));
  const EmbeddingTable wide{kWidth, {}, numbers, {}};
  const EmbeddingTable narrow{kWidth, rounded, {}, {}};
  const std::vector<std::int32_t> ids = {4, 0, 4, 2};
  for (const EmbeddingTable& table : {wide, narrow}) {
    EXPECT_EQ(table.count(), 5U);
    const Rows out = ops().embed(ids, table);
    ASSERT_EQ(out.count, ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i)
      for (std::size_t j = 0; j < kWidth; ++j)
        EXPECT_EQ(out[i][j], source.at(static_cast<std::size_t>(ids[i]), j));
  }
}

TEST_P(OpsRows, EmbedOfNothingIsEmpty) {
  const std::vector<float> numbers(8);
  const EmbeddingTable table{4, {}, numbers, {}};
  EXPECT_EQ(ops().embed({}, table).count, 0U);
}

TEST_P(OpsRows, GatherTakesRowsInTheOrderAsked) {
  OwnRows x(6, 33, 2);
  const std::vector<std::uint32_t> wanted = {5, 1, 1};
  const Rows out = ops().gather(x.view(), wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for (std::size_t j = 0; j < 33; ++j) EXPECT_EQ(out[i][j], x.at(wanted[i], j));
}

TEST_P(OpsRows, CopyAndAddKeepToTheirColumns) {
  OwnRows from(3, 20, 3);
  std::vector<float> memory(3 * 40, 1.0F);
  const Rows to = Rows{memory.data(), 3, 40, 40}.columns(10, 20);
  ops().copy(from.view(), to);
  ops().add(to, from.view());
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 40; ++j)
      EXPECT_EQ(memory[i * 40 + j], j >= 10 && j < 30 ? 2 * from.at(i, j - 10) : 1.0F);
}

TEST_P(OpsRows, AddRepeatedBeginsTheTableAnew) {
  OwnRows x(7, 18, 4);
  OwnRows table(3, 18, 5);
  const OwnRows before = x;
  ops().add_repeated(x.view(), table.view());
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t j = 0; j < 18; ++j)
      EXPECT_EQ(x.at(i, j), before.at(i, j) + table.at(i % 3, j));
}

TEST_P(OpsRows, PackRoundsAndPadsWithZeros) {
  for (const std::size_t count : {1U, 15U, 16U, 17U, 40U}) {
    std::vector<float> numbers(count * 45);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = 1.0F / static_cast<float>(i + 3);
    std::byte* dirt = arena_.allocate(65536);
    std::fill_n(dirt, 65536, std::byte{0xff});
    arena_.reset();
    const Packed out = ops().pack(Rows{numbers.data(), count, 45, 45});
    for (std::size_t m = 0; m < round_up(count, 16); ++m) {
      const std::vector<float> row = packed_row(out, 0, m);
      for (std::size_t k = 0; k < row.size(); ++k)
        EXPECT_EQ(row[k], m < count && k < 45 ? rounded(numbers[m * 45 + k], operand()) : 0.0F);
    }
  }
}

TEST_P(OpsRows, PackOfHeadsMakesAMatrixAHead) {
  OwnRows x(18, 3 * 40, 6);
  const Packed out = ops().pack(x.view().heads(3).first(35));
  EXPECT_EQ(out.stack, 3U);
  EXPECT_EQ(out.width, 35U);
  for (std::size_t head = 0; head < 3; ++head)
    for (std::size_t m = 0; m < 32; ++m) {
      const std::vector<float> row = packed_row(out, head, m);
      for (std::size_t k = 0; k < row.size(); ++k)
        EXPECT_EQ(row[k], m < 18 && k < 35 ? x.at(m, head * 40 + k) : 0.0F);
    }
}

TEST_P(OpsRows, NormsPackWhatTheyWouldWriteInPlace) {
  constexpr std::size_t kWidth = 77;
  OwnRows x(19, kWidth, 7);
  const OwnRows weights(2, kWidth, 8);
  const auto middle = weights.numbers().begin() + kWidth;
  const RmsNormWeights rms{{weights.numbers().begin(), middle}, 1e-5F};
  const LayerNormWeights layer{
      {weights.numbers().begin(), middle}, {middle, weights.numbers().end()}, 1e-6F};
  const Packed rms_packed = ops().rms_norm(x.view(), rms);
  const Packed layer_packed = ops().layer_norm(x.view(), layer);
  OwnRows rms_rows = x;
  OwnRows layer_rows = x;
  ops().rms_norm_in_place(rms_rows.view(), rms);
  ops().layer_norm_in_place(layer_rows.view(), layer);
  for (std::size_t m = 0; m < 32; ++m)
    for (std::size_t k = 0; k < 96; ++k) {
      const bool inside = m < 19 && k < kWidth;
      EXPECT_EQ(packed_row(rms_packed, 0, m)[k],
                inside ? rounded(rms_rows.at(m, k), operand()) : 0.0F);
      EXPECT_EQ(packed_row(layer_packed, 0, m)[k],
                inside ? rounded(layer_rows.at(m, k), operand()) : 0.0F);
    }
}

TEST_P(OpsRows, RmsNormEqualsItsDefinition) {
  OwnRows x(2, 50, 9);
  const OwnRows before = x;
  ops().rms_norm_in_place(x.view(), {std::vector<float>(50, 2.0F), 1e-6F});
  for (std::size_t i = 0; i < 2; ++i) {
    double squares = 0;
    for (std::size_t j = 0; j < 50; ++j) squares += before.at(i, j) * before.at(i, j);
    for (std::size_t j = 0; j < 50; ++j)
      EXPECT_NEAR(x.at(i, j), 2 * before.at(i, j) / std::sqrt(squares / 50 + 1e-6), 2e-6);
  }
}

// Angles are position * (pair + 1) / 10.
RopeTable rope_table(RopePairing pairing, std::size_t width, std::size_t positions) {
  RopeTable table{pairing, width, positions, {}, {}};
  for (std::size_t position = 0; position < positions; ++position)
    for (std::size_t pair = 0; pair < width / 2; ++pair) {
      const double angle = static_cast<double>(position * (pair + 1)) / 10;
      table.cosines.push_back(static_cast<float>(std::cos(angle)));
      table.sines.push_back(static_cast<float>(std::sin(angle)));
    }
  return table;
}

TEST_P(OpsRows, RopeTurnsEveryHeadByItsRowsPosition) {
  constexpr std::size_t kWidth = 22;
  const std::vector<std::uint32_t> positions = {9, 0, 3};
  for (const RopePairing pairing : {RopePairing::half, RopePairing::adjacent}) {
    const RopeTable table = rope_table(pairing, kWidth, 10);
    OwnRows x(3, 2 * 30, 10);
    const OwnRows before = x;
    ops().rope(x.view().heads(2).last(kWidth), positions, table);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t head = 0; head < 2; ++head)
        for (std::size_t pair = 0; pair < kWidth / 2; ++pair) {
          const std::size_t start = head * 30 + 8;
          const std::size_t a = start + (pairing == RopePairing::half ? pair : 2 * pair);
          const std::size_t b = pairing == RopePairing::half ? a + kWidth / 2 : a + 1;
          const double angle = static_cast<double>(positions[i] * (pair + 1)) / 10;
          EXPECT_NEAR(x.at(i, a),
                      before.at(i, a) * std::cos(angle) - before.at(i, b) * std::sin(angle), 1e-6);
          EXPECT_NEAR(x.at(i, b),
                      before.at(i, b) * std::cos(angle) + before.at(i, a) * std::sin(angle), 1e-6);
          EXPECT_EQ(x.at(i, head * 30), before.at(i, head * 30)) << "the other part was turned";
        }
  }
}

TEST_P(OpsRows, RopeOfRowsIsRopeOfOneHead) {
  const RopeTable table = rope_table(RopePairing::adjacent, 16, 4);
  const std::vector<std::uint32_t> positions = {3, 2};
  OwnRows x(2, 20, 11);
  OwnRows y = x;
  ops().rope(x.view().last(16), positions, table);
  ops().rope(y.view().heads(1).last(16), positions, table);
  EXPECT_EQ(bits_of(x.view()), bits_of(y.view()));
}

TEST_P(OpsRows, ObserversAreToldWhatIsShown) {
  OwnRows x(2, 3, 12);
  Ops op = ops();
  op.observe("nobody listens", 0, x.view());
  EXPECT_FALSE(op.observed());
  std::vector<std::string> told;
  const Observer observer = [&](std::string_view name, int layer, Rows rows) {
    told.push_back(std::string(name) + std::to_string(layer) + std::to_string(rows.count));
  };
  op.set_observer(&observer);
  EXPECT_TRUE(op.observed());
  op.observe("layer_hidden", 7, x.view());
  EXPECT_EQ(told, std::vector<std::string>{"layer_hidden72"});
}

}  // namespace
}  // namespace vl2
