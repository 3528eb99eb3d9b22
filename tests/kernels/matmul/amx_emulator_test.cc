// SPDX-License-Identifier: MIT
// The emulator (or the processor) against arithmetic written down from the manual.
#include "kernels/amx_emulator.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/scalar.h"
#include "kernels/matmul/matmul_kernel.h"

#ifdef __x86_64__
#include "kernels/matmul/amx_tile.h"

namespace vl2 {
namespace {

class AmxEmulator : public testing::Test {
 protected:
  void SetUp() override {
    if (!install_amx_emulator()) GTEST_SKIP() << "needs AMX, or AVX-512 to emulate it";
  }
};

TileConfig config_of(std::uint8_t rows) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = tile < 6 ? rows : std::uint8_t{16};
  }
  return config;
}

template <class T>
std::vector<T> random_bytes(std::size_t count, std::uint64_t seed) {
  std::vector<T> out(count);
  auto* bytes = reinterpret_cast<std::uint8_t*>(out.data());
  for (std::size_t i = 0; i < count * sizeof(T); ++i)
    bytes[i] = static_cast<std::uint8_t>(random_bits(seed, i));
  return out;
}

TEST_F(AmxEmulator, LoadsAndStoresWithAnyStride) {
  tile_configure(config_of(16));
  const auto source = random_bytes<std::uint8_t>(16 * 100, 1);
  std::vector<std::uint8_t> copy(16 * 72);
  tile_load<5>(source.data(), 100);
  tile_store<5>(copy.data(), 72);
  tile_release();
  for (std::size_t row = 0; row < 16; ++row)
    EXPECT_EQ(std::memcmp(&source[row * 100], &copy[row * 72], 64), 0) << "row " << row;
}

TEST_F(AmxEmulator, DecodesDisplacementsScalesAndHighRegisters) {
  tile_configure(config_of(16));
  const auto source = random_bytes<std::uint8_t>(4096, 2);
  std::uint8_t copy[3][1024];
  const std::uint8_t* from = source.data();
  asm volatile(
      "mov %0, %%r13\n mov $32, %%r12\n tileloadd 64(%%r13,%%r12,2), %%tmm1\n"
      "mov %1, %%rdx\n mov $16, %%r9\n tilestored %%tmm1, (%%rdx,%%r9,4)\n"
      "mov %0, %%rbx\n tileloaddt1 1024(%%rbx,%%r9,4), %%tmm2\n"
      "lea -1024(%%rdx), %%rdx\n tilestored %%tmm2, 2048(%%rdx,%%r9,4)\n"
      :
      : "r"(from), "r"(&copy[0][0])
      : "r9", "r12", "r13", "rdx", "rbx", "memory");
  tile_release();
  EXPECT_EQ(std::memcmp(copy[0], from + 64, 1024), 0);
  EXPECT_EQ(std::memcmp(copy[1], from + 1024, 1024), 0);
}

TEST_F(AmxEmulator, KeepsTheConfigurationToBeRead) {
  const TileConfig config = config_of(7);
  TileConfig read;
  tile_configure(config);
  asm volatile("sttilecfg %0" : "=m"(read));
  tile_release();
  EXPECT_EQ(std::memcmp(&config, &read, sizeof(config)), 0);
}

TEST_F(AmxEmulator, DotBf16IsTwoChainsOfFusedMultiplyAdds) {
  const FlushDenormals flush;
  std::vector<Bf16> left(512);
  std::vector<Bf16> right(512);
  std::vector<float> sums(256);
  for (std::size_t i = 0; i < 512; ++i) {
    left[i] = to_bf16(static_cast<float>(random_unit(3, i) - 0.5));
    right[i] = to_bf16(static_cast<float>(random_unit(4, i) - 0.5) * 100.0F);
  }
  for (std::size_t i = 0; i < 256; ++i) sums[i] = static_cast<float>(random_unit(5, i));
  std::vector<float> out = sums;
  constexpr std::size_t kRows = 9;
  tile_configure(config_of(kRows));
  tile_load<0>(out.data(), 64);
  tile_load<4>(left.data(), 64);
  tile_load<7>(right.data(), 64);
  tile_dot_bf16<0, 4, 7>();
  tile_store<0>(out.data(), 64);
  tile_release();
  for (std::size_t m = 0; m < 16; ++m)
    for (std::size_t n = 0; n < 16; ++n) {
      float even = 0.0F;
      float odd = 0.0F;
      for (std::size_t pair = 0; pair < 16; ++pair) {
        even =
            std::fmaf(to_float(left[m * 32 + pair * 2]), to_float(right[pair * 32 + n * 2]), even);
        odd = std::fmaf(to_float(left[m * 32 + pair * 2 + 1]),
                        to_float(right[pair * 32 + n * 2 + 1]), odd);
      }
      const float expected = sums[m * 16 + n] + (m < kRows ? even + odd : 0.0F);
      EXPECT_EQ(out[m * 16 + n], expected) << m << ' ' << n;
    }
}

TEST_F(AmxEmulator, DotBf16FlushesDenormals) {
  std::vector<Bf16> left(512, Bf16{0x0001});   // the smallest denormal
  std::vector<Bf16> right(512, Bf16{0x7f00});  // 2^127
  std::vector<float> out(256, 1.0F);
  tile_configure(config_of(16));
  tile_zero<0>();
  tile_load<4>(left.data(), 64);
  tile_load<6>(right.data(), 64);
  tile_dot_bf16<0, 4, 6>();
  tile_store<0>(out.data(), 64);
  tile_release();
  for (const float sum : out) EXPECT_EQ(sum, 0.0F);
}

TEST_F(AmxEmulator, DotInt8IsExact) {
  const auto left = random_bytes<std::int8_t>(1024, 6);
  const auto right = random_bytes<std::int8_t>(1024, 7);
  std::vector<std::int32_t> out(256);
  tile_configure(config_of(16));
  tile_zero<3>();
  tile_load<4>(left.data(), 64);
  tile_load<6>(right.data(), 64);
  asm volatile("tdpbssd %tmm6, %tmm4, %tmm3");
  tile_store<3>(out.data(), 64);
  tile_release();
  for (std::size_t m = 0; m < 16; ++m)
    for (std::size_t n = 0; n < 16; ++n) {
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < 64; ++k)
        sum += left[m * 64 + k] * right[k / 4 * 64 + n * 4 + k % 4];
      EXPECT_EQ(out[m * 16 + n], sum);
    }
}

TEST_F(AmxEmulator, TilesBelongToTheirThread) {
  const auto source = random_bytes<std::uint8_t>(1024, 8);
  std::vector<std::uint8_t> copy(1024);
  tile_configure(config_of(16));
  tile_load<0>(source.data(), 64);
  std::thread([] {
    tile_configure(config_of(16));
    tile_zero<0>();
    tile_release();
  }).join();
  tile_store<0>(copy.data(), 64);
  tile_release();
  EXPECT_EQ(source, copy);
}

using AmxEmulatorDeathTest = AmxEmulator;

TEST_F(AmxEmulatorDeathTest, LeavesOtherIllegalInstructionsAlone) {
  EXPECT_DEATH(asm volatile("ud2"), "");
}

TEST_F(AmxEmulatorDeathTest, RefusesTilesThatWereNotConfigured) {
  EXPECT_DEATH(tile_zero<0>(), "");
}

}  // namespace
}  // namespace vl2
#endif
