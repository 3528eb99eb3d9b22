// SPDX-License-Identifier: MIT
// Counter-based random numbers: the value at a position is a function of (seed, position), so it
// does not depend on what else is drawn, in which order, or how often.
#pragma once

#include <cstdint>

namespace vl2 {

// 64 well mixed bits (the finaliser of SplitMix64 applied twice).
constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t position) noexcept {
  auto mix = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  };
  return mix(mix(seed + 0x9e3779b97f4a7c15ULL) + position * 0x9e3779b97f4a7c15ULL);
}

// Uniform in [0, 1), all 53 bits of a double used.
constexpr double random_unit(std::uint64_t seed, std::uint64_t position) noexcept {
  return static_cast<double>(random_bits(seed, position) >> 11) * 0x1p-53;
}

}  // namespace vl2
