// SPDX-License-Identifier: MIT
// What comes between two products: a block's epilogue (after every 32 x 32 sums) and rows of 1280.
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/random.h"
#include "kernels/machine.h"
#include "kernels/rowwise/rowwise.h"
#include "tensor/arena.h"

namespace vl2 {
namespace {

constexpr std::size_t kWidth = 1280;

std::vector<float> random_numbers(std::size_t count) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i)
    numbers[i] = static_cast<float>(random_unit(1, i) * 8 - 4);
  return numbers;
}

void bench_epilogue(benchmark::State& state, const RowwiseKernels& kernels,
                    const Epilogue& epilogue) {
  Arena arena;
  const std::span<float> block = arena.array<float>(kBlockRows * kPairColumns);
  const std::vector<float> numbers = random_numbers(block.size());
  std::copy(numbers.begin(), numbers.end(), block.begin());
  for (auto _ : state)
    kernels.finish_block(epilogue, block.data(), {.row = 0, .rows = kBlockRows, .column = 0});
}

struct RowMemory {
  std::vector<float> x = random_numbers(kWidth);
  std::vector<float> weight = random_numbers(kWidth);
  std::vector<float> out = std::vector<float>(kWidth);
  std::vector<std::byte> tiles =
      std::vector<std::byte>(tiles_of(kWidth, kTileDepth) * kTileNumbers * sizeof(Bf16));
};

template <class F>
void add_row_bench(const std::string& name, F&& f) {
  benchmark::RegisterBenchmark(name.c_str(), [f](benchmark::State& state) {
    RowMemory memory;
    for (auto _ : state) {
      f(memory);
      benchmark::ClobberMemory();
    }
  });
}

void add_benches(Isa isa) {
  const RowwiseKernels& kernels = rowwise_kernels(isa);
  const auto name = [&](const char* what) { return std::string(what) + "/" + kernels.name; };
  static Arena arena;
  const Packed packed = arena.packed(Operand::bf16, kBlockRows, kPairColumns);
  const Rows rows = arena.rows(kBlockRows, kWidth);
  static const std::vector<float> bias = random_numbers(kPairColumns);
  const auto add_epilogue = [&](const char* what, Epilogue epilogue) {
    benchmark::RegisterBenchmark(name(what).c_str(), [&kernels, epilogue](benchmark::State& state) {
      bench_epilogue(state, kernels, epilogue);
    });
  };
  add_epilogue("finish_block/rows", StoreRows{rows, bias.data()});
  add_epilogue("finish_block/add_rows", StoreRows{rows, nullptr, true});
  add_epilogue("finish_block/gelu_tanh", StoreGelu{packed, bias.data(), Gelu::tanh});
  add_epilogue("finish_block/gelu_erf", StoreGelu{packed, bias.data(), Gelu::erf});
  add_epilogue("finish_block/gated", StoreGated{packed});
  add_row_bench(name("rms_norm/1280"), [&kernels](RowMemory& m) {
    kernels.rms_norm(m.x.data(), m.weight.data(), kWidth, 1e-6F, m.out.data());
  });
  add_row_bench(name("layer_norm/1280"), [&kernels](RowMemory& m) {
    kernels.layer_norm(m.x.data(), m.weight.data(), m.weight.data(), kWidth, 1e-6F, m.out.data());
  });
  add_row_bench(name("pack_row/1280"), [&kernels](RowMemory& m) {
    kernels.pack_row(m.x.data(), kWidth, Operand::bf16, m.tiles.data());
  });
}

const bool kAdded = [] {
  for (const Isa isa : cpu_isas())
    if (isa != Isa::amx) add_benches(isa);  // its rows are the AVX-512 ones
  return true;
}();

}  // namespace
}  // namespace vl2
