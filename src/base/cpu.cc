// SPDX-License-Identifier: MIT
#include "base/cpu.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "vl2/error.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace vl2 {
namespace {

#ifdef __x86_64__

struct Leaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(unsigned leaf, unsigned subleaf = 0) {
  Leaf out;
  __get_cpuid_count(leaf, subleaf, &out.eax, &out.ebx, &out.ecx, &out.edx);
  return out;
}

bool has(unsigned bits, unsigned bit) { return (bits >> bit & 1U) != 0; }

// Which register states the operating system saves (XCR0).
unsigned saved_states() {
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Linux hands out tile registers on request, once a process (ARCH_REQ_XCOMP_PERM, feature 18).
bool amx_permission() {
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

std::vector<Isa> detect() {
  std::vector<Isa> found{Isa::portable};
  const Leaf basic = cpuid(1);
  const Leaf extended = cpuid(7, 0);
  const Leaf extended1 = cpuid(7, 1);
  constexpr unsigned kOsxsave = 27;
  const unsigned states = has(basic.ecx, kOsxsave) ? saved_states() : 0;
  const bool ymm = (states & 0x6U) == 0x6U;
  const bool zmm = (states & 0xe6U) == 0xe6U;
  const bool tiles = (states & 0x60000U) == 0x60000U;

  const bool avx2 = ymm && has(extended.ebx, 5) && has(basic.ecx, 12) && has(basic.ecx, 29);
  if (!avx2) return found;
  found.push_back(Isa::avx2);
  const bool avx512 = zmm && has(extended.ebx, 16) && has(extended.ebx, 17) &&
                      has(extended.ebx, 30) && has(extended.ebx, 31) && has(extended.ecx, 1) &&
                      has(extended.ecx, 11) && has(extended1.eax, 5);
  if (!avx512) return found;
  found.push_back(Isa::avx512_bf16);
  const bool amx = tiles && has(extended.edx, 22) && has(extended.edx, 24);
  if (amx && amx_permission()) found.push_back(Isa::amx);
  return found;
}

std::string detect_name() {
  constexpr unsigned kBrandString = 0x80000002U;
  char name[49] = {};
  for (unsigned i = 0; i < 3; ++i) {
    const Leaf leaf = cpuid(kBrandString + i);
    std::memcpy(name + i * sizeof(Leaf), &leaf, sizeof(Leaf));
  }
  const std::string text(name);
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "unknown processor" : text.substr(first);
}

#else

std::vector<Isa> detect() { return {Isa::portable}; }
std::string detect_name() { return "unknown processor"; }

#endif

std::string names_of(std::span<const Isa> isas) {
  std::string names;
  for (const Isa isa : isas) names.append(names.empty() ? "" : ", ").append(to_string(isa));
  return names;
}

}  // namespace

std::string_view to_string(Isa isa) noexcept {
  switch (isa) {
    case Isa::portable:
      return "portable";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512_bf16:
      return "avx512_bf16";
    case Isa::amx:
      return "amx";
  }
  return "unknown";
}

std::span<const Isa> cpu_isas() {
  static const std::vector<Isa> isas = detect();
  return isas;
}

Isa chosen_isa() {
  const char* wanted = std::getenv("VL2_ISA");
  if (wanted == nullptr || *wanted == '\0') return cpu_isas().back();
  for (const Isa isa : cpu_isas())
    if (to_string(isa) == wanted) return isa;
  throw Error(ErrorCode::invalid_argument,
              "VL2_ISA=" + std::string(wanted) +
                  " is not among what this processor can run: " + names_of(cpu_isas()));
}

std::string_view cpu_name() {
  static const std::string name = detect_name();
  return name;
}

}  // namespace vl2
