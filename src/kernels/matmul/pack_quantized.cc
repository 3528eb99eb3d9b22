// SPDX-License-Identifier: MIT
#include "kernels/matmul/pack_quantized.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "kernels/matmul/quantize.h"
#include "tensor/format/int4.h"
#include "tensor/format/int8.h"

namespace vl2 {
namespace {

// A panel on its way: numbers [k][16], zero beyond the depth.
struct Panel {
  std::size_t depth;  // a multiple of 32
  std::vector<float> numbers;
  std::vector<float> importance;

  Panel(std::size_t count, Importance weights)
      : depth(round_up(count, kTileDepth)),
        numbers(depth * kTileColumns),
        importance(depth, weights.empty() ? 1.0F : 0.0F) {
    VL2_CHECK(weights.empty() || weights.size() == count);
    std::copy(weights.begin(), weights.end(), importance.begin());
  }

  template <class T>
  void take(const T* const* rows, std::size_t count) {
    for (std::size_t n = 0; n < kTileColumns; ++n)
      for (std::size_t k = 0; k < count; ++k) {
        float& number = numbers[k * kTileColumns + n];
        if (rows[n] == nullptr)
          number = 0.0F;
        else if constexpr (std::is_same_v<T, float>)
          number = rows[n][k];
        else
          number = to_float(rows[n][k]);
      }
  }
};

// Where codes and multipliers of a panel go: `steps` of the pair, columns `first` .. first + 15.
struct Place {
  std::byte* steps;
  std::size_t first;
  float* multipliers;  // [16]
};

void pack_int8(const Panel& panel, const Place& to) {
  std::vector<std::int8_t> codes(panel.numbers.size());
  quantize_functions(cpu_isas().back())
      .int8_panel(panel.numbers.data(), panel.depth, panel.importance.data(), codes.data(),
                  to.multipliers);
  for (std::size_t k = 0; k < panel.depth; ++k) {
    std::byte* step = to.steps + k / kTileDepth * int8::kStepBytes;
    for (std::size_t n = 0; n < kTileColumns; ++n)
      step[int8::byte_of(k % kTileDepth, to.first + n)] =
          static_cast<std::byte>(int8::encode(codes[k * kTileColumns + n]));
  }
}

// Powers of two that bring the scales of a column below 2: those that are tried for the largest
// number are less than 2/90 of it. Zero for a column of zeros: it makes zeros of all codes.
void int4_units(const Panel& panel, float* units) {
  std::fill(units, units + kTileColumns, 0.0F);
  for (std::size_t k = 0; k < panel.depth; ++k)
    for (std::size_t n = 0; n < kTileColumns; ++n)
      units[n] = std::max(units[n], std::abs(panel.numbers[k * kTileColumns + n]));
  for (std::size_t n = 0; n < kTileColumns; ++n) {
    const float scale = units[n] * (1.0F / 90.0F);
    if (units[n] == 0.0F) continue;
    units[n] =
        std::isfinite(scale) ? std::ldexp(1.0F, std::max(std::ilogb(scale) + 1, -125)) : 1.0F;
  }
}

void pack_int4(const Panel& panel, const Place& to) {
  int4_units(panel, to.multipliers);
  std::uint8_t codes[int4::kGroup * kTileColumns];
  std::uint8_t scales[kTileColumns];
  for (std::size_t group = 0; group < panel.depth; group += int4::kGroup) {
    quantize_functions(cpu_isas().back())
        .int4_group(panel.numbers.data() + group * kTileColumns, panel.importance.data() + group,
                    to.multipliers, codes, scales);
    std::byte* step = to.steps + group / kTileDepth * int4::kStepBytes;
    for (std::size_t i = 0; i < int4::kGroup; ++i)
      for (std::size_t n = 0; n < kTileColumns; ++n) {
        const std::size_t k = (group + i) % kTileDepth;
        std::byte& byte = step[int4::byte_of(k, to.first + n)];
        const auto code = static_cast<std::byte>(codes[i * kTileColumns + n]);
        // The low nibble comes first.
        byte = int4::shift_of(k) == 0 ? code : byte | code << 4;
      }
    std::memcpy(step + int4::scale_byte_of(group % kTileDepth, to.first), scales, sizeof(scales));
  }
}

template <class T>
void pack_quantized_as(WeightFormat format, const PairRows<T>& rows, std::size_t depth,
                       Importance importance, std::byte* out) {
  Panel panel(depth, importance);
  float multipliers[kPairColumns];
  for (std::size_t first = 0; first < kPairColumns; first += kTileColumns) {
    panel.take(rows.data() + first, depth);
    const Place to{out, first, multipliers + first};
    if (format == WeightFormat::int8)
      pack_int8(panel, to);
    else
      pack_int4(panel, to);
  }
  std::memcpy(out + multipliers_offset(format, depth), multipliers, sizeof(multipliers));
}

}  // namespace

void pack_quantized_pair(WeightFormat format, const PairRows<Bf16>& rows, std::size_t depth,
                         Importance importance, std::byte* out) {
  pack_quantized_as(format, rows, depth, importance, out);
}
void pack_quantized_pair(WeightFormat format, const PairRows<float>& rows, std::size_t depth,
                         Importance importance, std::byte* out) {
  pack_quantized_as(format, rows, depth, importance, out);
}

void unpack_quantized_column(WeightFormat format, const std::byte* pair, std::size_t n,
                             std::size_t depth, float* out) {
  float multiplier;
  std::memcpy(&multiplier, pair + multipliers_offset(format, depth) + n * sizeof(float),
              sizeof(multiplier));
  for (std::size_t k = 0; k < depth; ++k) {
    const std::byte* step = pair + k / kTileDepth * step_bytes_of(format);
    const auto byte_at = [step](std::size_t i) { return static_cast<std::uint8_t>(step[i]); };
    const std::size_t row = k % kTileDepth;
    Bf16 number;
    if (format == WeightFormat::int8) {
      number.bits = int8::bf16_bits(byte_at(int8::byte_of(row, n)));
    } else {
      const unsigned code = byte_at(int4::byte_of(row, n)) >> int4::shift_of(row) & 15U;
      number.bits =
          int4::bf16_bits(static_cast<std::uint8_t>(code), byte_at(int4::scale_byte_of(row, n)));
    }
    out[k] = to_float(number) * multiplier;
  }
}

}  // namespace vl2
