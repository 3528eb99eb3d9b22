// SPDX-License-Identifier: MIT
#include "model/tensor_source.h"

#include <functional>

#include "base/check.h"
#include "base/mapped_file.h"
#include "base/random.h"
#include "base/scalar.h"

namespace vl2 {
namespace {

// Windows of different tensors begin at different multiples of 128 bytes.
constexpr std::size_t kWindowStep = 64;
constexpr std::size_t kWindows = 4096;

}  // namespace

const TensorView& CheckpointSource::tensor(std::string_view name,
                                           const std::vector<std::size_t>& shape) const {
  return checkpoint_.expect(name, shape);
}

bool CheckpointSource::has(std::string_view name) const {
  return checkpoint_.find(name) != nullptr;
}

void CheckpointSource::prefetch(std::span<const std::uint8_t> bytes) const {
  prefetch_pages(bytes);
}

// Whole files, because a fault maps the pages around it too, those of other tensors among them.
void CheckpointSource::release() const {
  for (const SafetensorsFile& file : checkpoint_.files()) release_pages(file.bytes());
}

RandomSource::RandomSource(std::size_t largest, const ThreadTeam& team)
    : pool_((largest + kWindows * kWindowStep) * sizeof(Bf16)) {
  const auto numbers = pool_.as<Bf16>();
  team.split(numbers.size() / 4, 4096, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      std::uint64_t bits = random_bits(1, i);
      for (std::size_t j = 0; j < 4; ++j, bits >>= 16) {
        const auto centred = static_cast<float>(static_cast<std::int16_t>(bits & 0xffffU));
        numbers[4 * i + j] = to_bf16(centred * (0.05F / 32768.0F));
      }
    }
  });
}

const TensorView& RandomSource::tensor(std::string_view name,
                                       const std::vector<std::size_t>& shape) const {
  const std::scoped_lock lock(mutex_);
  TensorView view{std::string(name), Dtype::bf16, shape, {}, &file_};
  const std::size_t bytes = view.count() * sizeof(Bf16);
  const std::size_t start = std::hash<std::string_view>{}(name) % kWindows * kWindowStep;
  VL2_CHECK(start * sizeof(Bf16) + bytes <= pool_.size());
  view.bytes = pool_.as<const std::uint8_t>().subspan(start * sizeof(Bf16), bytes);
  return views_.insert_or_assign(view.name, view).first->second;
}

bool RandomSource::has(std::string_view /*name*/) const { return true; }

}  // namespace vl2
