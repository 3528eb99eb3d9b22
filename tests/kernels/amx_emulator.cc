// SPDX-License-Identifier: MIT
#include "kernels/amx_emulator.h"

#include <algorithm>

#include "base/cpu.h"

#ifdef __x86_64__

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include <immintrin.h>
#include <signal.h>
#include <ucontext.h>

namespace vl2 {
namespace {

constexpr int kTiles = 8;
constexpr int kMaxRows = 16;
constexpr int kRowBytes = 64;

// Intel's Software Developer's Manual, "LDTILECFG": the 64 bytes of palette 1.
struct TileConfig {
  std::uint8_t palette;
  std::uint8_t start_row;
  std::uint8_t reserved[14];
  std::uint16_t row_bytes[16];
  std::uint8_t rows[16];
};
static_assert(sizeof(TileConfig) == 64);

struct TileState {
  TileConfig config;
  alignas(64) std::uint8_t tiles[kTiles][kMaxRows][kRowBytes];
};

// Initial-exec: reading it inside a signal handler allocates nothing.
__attribute__((tls_model("initial-exec"))) thread_local TileState t_state;
std::atomic<unsigned long> g_executed{0};
struct sigaction g_previous;

enum class Operation {
  load_config,
  store_config,
  release,
  zero,
  load,
  store,
  dot_bf16,
  dot_int8,
};

struct Instruction {
  Operation operation = Operation::release;
  int reg = 0;   // the tile in ModRM.reg
  int rm = 0;    // the tile in ModRM.rm
  int vvvv = 0;  // the tile in VEX.vvvv
  std::uint64_t address = 0;
  std::uint64_t stride = 0;  // the index register times its scale
  std::uint64_t bytes = 0;   // length of the instruction
};

// General registers in the order of their encoding.
constexpr int kGregs[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                            REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

std::uint64_t general_register(const ucontext_t& context, int number) {
  return static_cast<std::uint64_t>(context.uc_mcontext.gregs[kGregs[number]]);
}

// The three bytes of a VEX prefix that begins with C4.
struct Vex {
  int r, x, b;  // the fourth bits of ModRM.reg, SIB.index and ModRM.rm
  int map, vvvv, prefix;
  bool wide, long_vector;
};

std::optional<Vex> decode_vex(const std::uint8_t* code) {
  if (code[0] != 0xc4) return std::nullopt;
  Vex vex{};
  vex.r = (code[1] & 0x80) != 0 ? 0 : 8;
  vex.x = (code[1] & 0x40) != 0 ? 0 : 8;
  vex.b = (code[1] & 0x20) != 0 ? 0 : 8;
  vex.map = code[1] & 0x1f;
  vex.wide = (code[2] & 0x80) != 0;
  vex.vvvv = ~(code[2] >> 3) & 0xf;
  vex.long_vector = (code[2] & 0x04) != 0;
  vex.prefix = code[2] & 3;
  return vex;
}

// Which operation opcode, mandatory prefix (0: none, 1: 66, 2: F3, 3: F2) and form stand for.
std::optional<Operation> operation_of(int opcode, int prefix, bool memory) {
  if (opcode == 0x49 && memory && prefix == 0) return Operation::load_config;
  if (opcode == 0x49 && memory && prefix == 1) return Operation::store_config;
  if (opcode == 0x49 && !memory && prefix == 0) return Operation::release;
  if (opcode == 0x49 && !memory && prefix == 3) return Operation::zero;
  if (opcode == 0x4b && memory && (prefix == 3 || prefix == 1)) return Operation::load;
  if (opcode == 0x4b && memory && prefix == 2) return Operation::store;
  if (opcode == 0x5c && !memory && prefix == 2) return Operation::dot_bf16;
  if (opcode == 0x5e && !memory && prefix == 3) return Operation::dot_int8;
  return std::nullopt;
}

std::int64_t displacement(const std::uint8_t* at, int bytes) {
  if (bytes == 1) return static_cast<std::int8_t>(*at);
  std::int32_t wide = 0;
  if (bytes == 4) std::memcpy(&wide, at, sizeof(wide));
  return wide;
}

// Reads ModRM, SIB and displacement of the memory operand that begins at `at`. Base and stride
// stay apart, because a tile load adds the stride once a row.
void decode_memory(const ucontext_t& context, const Vex& vex, const std::uint8_t* at,
                   const std::uint8_t* code, Instruction& out) {
  const int modrm = *at++;
  const int mod = modrm >> 6;
  int base = modrm & 7;
  int displacement_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
  const bool relative = mod == 0 && base == 5;
  bool has_base = true;
  if (base == 4) {
    const int sib = *at++;
    base = sib & 7;
    const int index = ((sib >> 3) & 7) | vex.x;
    if (index != 4) out.stride = general_register(context, index) << (sib >> 6);
    if (mod == 0 && base == 5) {
      has_base = false;
      displacement_bytes = 4;
    }
  } else if (relative) {
    displacement_bytes = 4;
  }
  const std::int64_t offset = displacement(at, displacement_bytes);
  at += displacement_bytes;
  out.bytes = static_cast<std::uint64_t>(at - code);
  std::uint64_t from = 0;
  if (relative)
    from = static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]) + out.bytes;
  else if (has_base)
    from = general_register(context, base | vex.b);
  out.address = from + static_cast<std::uint64_t>(offset);
}

std::optional<Instruction> decode(const ucontext_t& context) {
  const auto* code =
      reinterpret_cast<const std::uint8_t*>(context.uc_mcontext.gregs[REG_RIP]);  // NOLINT
  const auto vex = decode_vex(code);
  if (!vex || vex->map != 2 || vex->wide || vex->long_vector) return std::nullopt;
  const int modrm = code[4];
  const bool memory = modrm >> 6 != 3;
  const auto operation = operation_of(code[3], vex->prefix, memory);
  if (!operation) return std::nullopt;
  Instruction out{*operation, (modrm >> 3) & 7, modrm & 7, vex->vvvv & 7, 0, 0, 5};
  if (memory) decode_memory(context, *vex, code + 4, code, out);
  return out;
}

// TDPBF16PS: from zero, one chain of fused multiply-adds over the even and one over the odd of
// 2 x 16 numbers, their sum, one addition to the accumulator. Denormals count as zero (the caller
// sets MXCSR).
__attribute__((target("avx512f"))) void dot_bf16(int into, int left, int right) {
  const TileConfig& config = t_state.config;
  const int pairs = config.row_bytes[left] / 4;
  const auto columns = static_cast<__mmask16>((1U << (config.row_bytes[into] / 4)) - 1U);
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000U));
  for (int row = 0; row < config.rows[into]; ++row) {
    __m512 even = _mm512_setzero_ps();
    __m512 odd = _mm512_setzero_ps();
    for (int pair = 0; pair < pairs; ++pair) {
      std::uint32_t two = 0;
      std::memcpy(&two, &t_state.tiles[left][row][pair * 4], sizeof(two));
      const __m512i x = _mm512_set1_epi32(static_cast<int>(two));
      const __m512i w = _mm512_load_si512(t_state.tiles[right][pair]);
      even = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xffff, x, 16)),
                             _mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xffff, w, 16)), even);
      odd = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(x, upper)),
                            _mm512_castsi512_ps(_mm512_and_si512(w, upper)), odd);
    }
    float* sums = reinterpret_cast<float*>(t_state.tiles[into][row]);
    const __m512 sum = _mm512_add_ps(_mm512_load_ps(sums), _mm512_add_ps(even, odd));
    _mm512_mask_store_ps(sums, columns, sum);
  }
}

void dot_int8(int into, int left, int right) {
  const TileConfig& config = t_state.config;
  const int quads = config.row_bytes[left] / 4;
  for (int row = 0; row < config.rows[into]; ++row)
    for (int column = 0; column < config.row_bytes[into] / 4; ++column) {
      std::int32_t sum = 0;
      std::memcpy(&sum, &t_state.tiles[into][row][column * 4], sizeof(sum));
      for (int i = 0; i < quads * 4; ++i)
        sum += static_cast<std::int8_t>(t_state.tiles[left][row][i]) *
               static_cast<std::int8_t>(t_state.tiles[right][i / 4][column * 4 + i % 4]);
      std::memcpy(&t_state.tiles[into][row][column * 4], &sum, sizeof(sum));
    }
}

void load_tile(const Instruction& instruction) {
  auto& tile = t_state.tiles[instruction.reg];
  std::memset(tile, 0, sizeof(tile));
  for (int row = 0; row < t_state.config.rows[instruction.reg]; ++row)
    std::memcpy(tile[row],
                reinterpret_cast<const void*>(  // NOLINT
                    instruction.address + instruction.stride * static_cast<std::uint64_t>(row)),
                t_state.config.row_bytes[instruction.reg]);
}

void store_tile(const Instruction& instruction) {
  for (int row = 0; row < t_state.config.rows[instruction.reg]; ++row)
    std::memcpy(reinterpret_cast<void*>(  // NOLINT
                    instruction.address + instruction.stride * static_cast<std::uint64_t>(row)),
                t_state.tiles[instruction.reg][row], t_state.config.row_bytes[instruction.reg]);
}

void load_config(std::uint64_t address) {
  std::memset(&t_state, 0, sizeof(t_state));
  TileConfig config;
  std::memcpy(&config, reinterpret_cast<const void*>(address), sizeof(config));  // NOLINT
  if (config.palette != 0) t_state.config = config;
}

void execute(const Instruction& instruction) {
  switch (instruction.operation) {
    case Operation::load_config:
      return load_config(instruction.address);
    case Operation::store_config:
      std::memcpy(reinterpret_cast<void*>(instruction.address), &t_state.config,  // NOLINT
                  sizeof(TileConfig));
      return;
    case Operation::release:
      std::memset(&t_state, 0, sizeof(t_state));
      return;
    case Operation::zero:
      std::memset(t_state.tiles[instruction.reg], 0, sizeof(t_state.tiles[0]));
      return;
    case Operation::load:
      return load_tile(instruction);
    case Operation::store:
      return store_tile(instruction);
    case Operation::dot_bf16:
      return dot_bf16(instruction.reg, instruction.rm, instruction.vvvv);
    case Operation::dot_int8:
      return dot_int8(instruction.reg, instruction.rm, instruction.vvvv);
  }
}

// A tile instruction faults on the processor unless tiles were configured for it.
bool configured(const Instruction& instruction) {
  const TileConfig& config = t_state.config;
  auto usable = [&](int tile) { return config.rows[tile] > 0 && config.row_bytes[tile] > 0; };
  switch (instruction.operation) {
    case Operation::zero:
    case Operation::load:
    case Operation::store:
      return config.palette == 1 && usable(instruction.reg);
    case Operation::dot_bf16:
    case Operation::dot_int8:
      return config.palette == 1 && usable(instruction.reg) && usable(instruction.rm) &&
             usable(instruction.vvvv) &&
             config.rows[instruction.reg] == config.rows[instruction.rm] &&
             config.row_bytes[instruction.rm] == config.rows[instruction.vvvv] * 4 &&
             config.row_bytes[instruction.reg] == config.row_bytes[instruction.vvvv];
    default:
      return true;
  }
}

// Executes the tile instruction that was refused and those that follow it at once: a signal costs
// more than an instruction.
void on_illegal_instruction(int, siginfo_t*, void* context) {
  auto& machine = *static_cast<ucontext_t*>(context);
  const unsigned modes = _mm_getcsr();
  _mm_setcsr(modes | 0x8040U);  // flush denormals, as tile products do
  unsigned long done = 0;
  for (;;) {
    const auto instruction = decode(machine);
    if (!instruction || !configured(*instruction)) break;
    execute(*instruction);
    machine.uc_mcontext.gregs[REG_RIP] += static_cast<greg_t>(instruction->bytes);
    ++done;
  }
  _mm_setcsr(modes);
  g_executed.fetch_add(done, std::memory_order_relaxed);
  if (done == 0) sigaction(SIGILL, &g_previous, nullptr);  // not ours: fails again, as before
}

}  // namespace

bool install_amx_emulator() {
  const auto isas = cpu_isas();
  auto has = [&](Isa isa) { return std::find(isas.begin(), isas.end(), isa) != isas.end(); };
  if (has(Isa::amx)) return true;
  if (!has(Isa::avx512_bf16)) return false;
  static const bool installed = [] {
    struct sigaction action = {};
    action.sa_sigaction = on_illegal_instruction;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGILL, &action, &g_previous) == 0;
  }();
  return installed;
}

unsigned long emulated_tile_instructions() { return g_executed.load(); }

}  // namespace vl2

#else

namespace vl2 {

bool install_amx_emulator() { return false; }
unsigned long emulated_tile_instructions() { return 0; }

}  // namespace vl2

#endif
