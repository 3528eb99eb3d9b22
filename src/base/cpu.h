// SPDX-License-Identifier: MIT
// Instruction sets, as far as the kernels tell them apart.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace vl2 {

// From the plainest to the fastest. Each one implies those before it.
enum class Isa {
  portable,     // C++ without intrinsics: the definition of what every kernel computes
  avx2,         // AVX2 and FMA
  avx512_bf16,  // AVX-512 F, BW, DQ, VL, VBMI, VNNI and BF16
  amx,          // AVX-512 as above and AMX-BF16 tiles
};

inline constexpr Isa kAllIsas[] = {Isa::portable, Isa::avx2, Isa::avx512_bf16, Isa::amx};

std::string_view to_string(Isa isa) noexcept;

// Those this processor and its operating system can run, the plainest first. Asks the kernel for
// permission to use AMX tiles where the processor has them. The answer is computed once.
std::span<const Isa> cpu_isas();

// The last of cpu_isas(), unless the environment variable VL2_ISA names another one.
// Throws Error{invalid_argument} when that name is unknown or this processor lacks it.
Isa chosen_isa();

// The processor's name as it reports it, for logs and benchmarks.
std::string_view cpu_name();

}  // namespace vl2
