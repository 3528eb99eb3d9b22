// SPDX-License-Identifier: MIT
// Whole products: every kernel set, shapes with odd edges, epilogues, thread counts. A row's bits
// may depend on nothing but the row.
#include "kernels/matmul/matmul.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/matmul/kernel_cases.h"
#include "kernels/matmul/pack.h"
#include "kernels/matmul/quantized_kernel.h"
#include "tensor/arena.h"

namespace vl2 {
namespace {

struct Case {
  Isa isa;
  WeightFormat format;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const MatmulKernel& kernel : matmul_kernels())
    all.push_back(
        {kernel.isa, kernel.operand == Operand::f32 ? WeightFormat::f32 : WeightFormat::bf16});
  for (const QuantizedKernel& kernel : quantized_kernels())
    all.push_back({kernel.isa, kernel.weights});
  return all;
}

std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<float>(random_unit(seed, i) * 2.0 - 1.0);
  return out;
}

class Matmul : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!can_run(GetParam().isa)) GTEST_SKIP() << "needs " << to_string(GetParam().isa);
  }
  WeightFormat format() const { return GetParam().format; }
  Operand operand() const { return operand_of(format()); }
  KernelSet kernels() const { return KernelSet::of(GetParam().isa, operand()); }

  // Rows first .. first + count of one long random matrix, packed.
  Packed input(std::size_t first, std::size_t count, std::size_t width, std::size_t stack = 1) {
    Packed x = arena_.packed(operand(), count, width, stack);
    std::memset(x.tiles, 0, x.total_bytes());
    for (std::size_t i = 0; i < stack; ++i)
      for (std::size_t m = 0; m < count; ++m)
        kernels().rowwise->pack_row(random_floats(width, 1000 * i + first + m).data(), width,
                                    operand(), x.line(i, m, 0));
    return x;
  }
  Weight weight(std::size_t columns, std::size_t depth, std::size_t stack = 1) {
    Weight out(format(), columns, depth, stack);
    for (std::size_t i = 0; i < stack; ++i)
      pack_matrix(std::span<const float>(random_floats(columns * depth, 77 + i)), out, i);
    return out;
  }
  Rows rows(std::size_t count, std::size_t width, float value = 0.0F) {
    const Rows out = arena_.rows(count, width);
    std::fill(out.data, out.data + count * out.stride, value);
    return out;
  }

  Arena arena_;
};

void expect_same_rows(Rows all, std::size_t first, Rows some, const std::string& what) {
  for (std::size_t m = 0; m < some.count; ++m)
    ASSERT_EQ(std::memcmp(some.row(m), all.row(first + m), some.width * sizeof(float)), 0)
        << what << ", row " << m;
}

TEST_P(Matmul, IsTheProductOfRoundedNumbers) {
  for (const std::size_t columns : {16U, 40U, 48U}) {
    const std::size_t depth = 100;
    const std::size_t count = 37;
    const Packed x = input(0, count, depth);
    const Weight w = weight(columns, depth);
    std::vector<float> wide(columns * depth);
    unpack_matrix(w, 0, wide);
    const Rows out = rows(count, columns);
    matmul(kernels(), ThreadTeam(2), x, w, StoreRows{out});
    std::vector<float> row(depth);
    for (std::size_t m = 0; m < count; ++m) {
      kernels().rowwise->unpack_row(x.line(0, m, 0), depth, operand(), row.data());
      for (std::size_t n = 0; n < columns; ++n) {
        double sum = 0.0;
        double size = 0.0;
        for (std::size_t k = 0; k < depth; ++k) {
          const double term =
              static_cast<double>(row[k]) * static_cast<double>(wide[n * depth + k]);
          sum += term;
          size += std::abs(term);
        }
        // One rounding more for the multipliers and, in unpack_matrix, for each weight.
        ASSERT_NEAR(out[m][n], sum, (static_cast<double>(depth) + 3.0) * 0x1p-24 * size);
      }
    }
  }
}

TEST_P(Matmul, BitsDependOnTheRowAlone) {
  constexpr std::size_t kAll = 200;
  const std::size_t depth = 96;
  for (const std::size_t columns : {40U, 160U}) {
    const Weight w = weight(columns, depth);
    const Rows all = rows(kAll, columns);
    matmul(kernels(), ThreadTeam(1), input(0, kAll, depth), w, StoreRows{all});
    std::vector<std::size_t> counts = {63, 64, 65, 200};
    for (std::size_t count = 1; count <= 40; ++count) counts.push_back(count);
    for (const std::size_t count : counts) {
      const std::size_t first = (count * 7) % (kAll - count + 1);
      const Packed x = input(first, count, depth);
      const int threads = 1 + static_cast<int>(count % 8);
      const Rows some = rows(count, columns);
      matmul(kernels(), ThreadTeam(threads), x, w, StoreRows{some});
      expect_same_rows(all, first, some,
                       std::to_string(count) + " rows, " + std::to_string(threads) + " threads");
    }
    arena_.reset();
  }
}

TEST_P(Matmul, BitsDependNeitherOnThreadsNorOnBlocks) {
  // More rows than one block holds, except for the definition, which is slow.
  const std::size_t depth = GetParam().isa == Isa::portable ? 40 : 1152;
  const std::size_t columns = 544;
  const std::size_t count = GetParam().isa == Isa::portable ? 70 : 420;
  const Weight w = weight(columns, depth);
  const Packed x = input(0, count, depth);
  const Rows all = rows(count, columns);
  matmul(kernels(), ThreadTeam(1), x, w, StoreRows{all});
  for (const int threads : {2, 3, 5, 8}) {
    const Rows out = rows(count, columns);
    matmul(kernels(), ThreadTeam(threads), x, w, StoreRows{out});
    expect_same_rows(all, 0, out, std::to_string(threads) + " threads");
  }
}

TEST_P(Matmul, WideAndDeepShapesOfTheModels) {
  const std::size_t small = GetParam().isa == Isa::portable ? 32 : 160;
  for (const auto& [columns, depth] :
       {std::pair<std::size_t, std::size_t>{4304, small}, {small, 4304}}) {
    const Weight w = weight(columns, depth);
    const Rows all = rows(40, columns);
    matmul(kernels(), ThreadTeam(3), input(0, 40, depth), w, StoreRows{all});
    for (const std::size_t first : {0U, 37U}) {
      const Rows one = rows(1, columns);
      matmul(kernels(), ThreadTeam(2), input(first, 1, depth), w, StoreRows{one});
      expect_same_rows(all, first, one, std::to_string(columns) + " x " + std::to_string(depth));
    }
  }
}

TEST_P(Matmul, AddsAndBiases) {
  const std::size_t columns = 48;
  const Weight w = weight(columns, 64);
  const std::vector<float> bias = random_floats(columns, 5);
  const Packed x = input(0, 19, 64);
  const Rows plain = rows(19, columns);
  const Rows biased = rows(19, columns);
  const Rows added = rows(19, columns, 0.5F);
  matmul(kernels(), ThreadTeam(2), x, w, StoreRows{plain});
  matmul(kernels(), ThreadTeam(2), x, w, StoreRows{biased, bias.data()});
  matmul(kernels(), ThreadTeam(2), x, w, StoreRows{added, nullptr, true});
  for (std::size_t m = 0; m < 19; ++m)
    for (std::size_t n = 0; n < columns; ++n) {
      ASSERT_EQ(biased[m][n], plain[m][n] + bias[n]);
      ASSERT_EQ(added[m][n], 0.5F + plain[m][n]);
    }
}

TEST_P(Matmul, StaysInsideAViewOfALargerMatrix) {
  const Rows wide = rows(21, 100, -1.0F);
  matmul(kernels(), ThreadTeam(2), input(0, 20, 64), weight(40, 64),
         StoreRows{wide.slice(0, 20).columns(7, 40)});
  for (std::size_t m = 0; m < 21; ++m)
    for (std::size_t n = 0; n < 100; ++n) {
      const bool inside = m < 20 && n >= 7 && n < 47;
      ASSERT_EQ(wide[m][n] != -1.0F, inside) << m << ' ' << n;
    }
}

// Packed results: rows alone and in crowds have the same bits, and padding is zero.
TEST_P(Matmul, PackedEpiloguesAreInvariantToo) {
  const std::size_t depth = 64;
  const std::size_t columns = 96;
  const Weight w = weight(columns, depth);
  const std::vector<float> bias = random_floats(columns, 6);
  const auto epilogues = [&](Packed gelu, Packed gated) {
    return std::vector<Epilogue>{StoreGelu{gelu, bias.data(), Gelu::tanh}, StoreGated{gated}};
  };
  const auto multiply = [&](std::size_t first, std::size_t count, int threads) {
    std::vector<Packed> out = {arena_.packed(operand(), count, columns),
                               arena_.packed(operand(), count, columns / 2)};
    for (const Packed& packed : out) std::memset(packed.tiles, 0xff, packed.total_bytes());
    for (const Epilogue& epilogue : epilogues(out[0], out[1]))
      matmul(kernels(), ThreadTeam(threads), input(first, count, depth), w, epilogue);
    return out;
  };
  const auto all = multiply(0, 50, 1);
  for (const std::size_t count : {1U, 5U, 16U, 33U, 50U}) {
    const std::size_t first = 50 - count;
    const auto some = multiply(first, count, 3);
    for (std::size_t i = 0; i < 2; ++i) {
      const std::size_t line = kTileDepth * bytes_of(operand());
      const std::vector<std::byte> zeros(line);
      for (std::size_t k = 0; k < some[i].width; k += kTileDepth)
        for (std::size_t m = 0; m < some[i].row_tiles() * kTileRows; ++m) {
          const void* expected = m < count ? all[i].line(0, first + m, k) : zeros.data();
          ASSERT_EQ(std::memcmp(some[i].line(0, m, k), expected, line), 0) << m << ' ' << k;
        }
    }
  }
}

TEST_P(Matmul, AStackIsItsMatrices) {
  constexpr std::size_t kHeads = 5;
  const std::size_t depth = 128;
  const std::size_t columns = 48;
  const Packed x = input(0, 35, depth, kHeads);
  const Weight w = weight(columns, depth, kHeads);
  for (const int threads : {1, 4}) {
    const Rows out = rows(35, kHeads * columns);
    std::vector<Epilogue> epilogues;
    for (std::size_t i = 0; i < kHeads; ++i)
      epilogues.push_back(StoreRows{out.columns(i * columns, columns)});
    matmul_stack(kernels(), ThreadTeam(threads), x, w, epilogues);
    for (std::size_t i = 0; i < kHeads; ++i) {
      Weight single(format(), columns, depth);
      std::memcpy(single.mutable_pair(0, 0), w.pair(i, 0), w.matrix_bytes());
      const Rows expected = rows(35, columns);
      matmul(kernels(), ThreadTeam(1), x.matrix(i), single, StoreRows{expected});
      expect_same_rows(out.columns(i * columns, columns), 0, expected, "matrix");
    }
  }
}

TEST_P(Matmul, NoRowsIsNoWork) {
  const Rows out = rows(0, 48);
  matmul(kernels(), ThreadTeam(2), input(0, 0, 64), weight(48, 64), StoreRows{out});
}

INSTANTIATE_TEST_SUITE_P(All, Matmul, testing::ValuesIn(cases()), [](const auto& one) {
  return std::string(to_string(one.param.isa)) + "_" + std::string(to_string(one.param.format));
});

}  // namespace
}  // namespace vl2
