// SPDX-License-Identifier: MIT
#include "engine/quantize_model.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "vl2/error.h"

#include "base/aligned.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/model_config.h"
#include "checkpoint/packed_text.h"
#include "checkpoint/partial_folder.h"
#include "checkpoint/shard_writer.h"
#include "checkpoint/source_identity.h"
#include "checkpoint/tensor_values.h"
#include "model/matrix_packer.h"
#include "model/model_plan.h"
#include "model/tensor_source.h"
#include "text/tokenizer.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTableBytesAtOnce = std::size_t{16} << 20;

// A tensor of OUT and what it is made of.
struct Item {
  ShardTensor tensor;
  const MatrixSpec* matrix = nullptr;  // else a table or a vector of the same name
};

// Matrices first, then the embedding, then the vectors: all begin at multiples of what they need.
std::vector<Item> items_of(const ModelPlan& plan, Recipe recipe, const Checkpoint& checkpoint) {
  std::vector<Item> items;
  for (const MatrixSpec& spec : plan.matrices) {
    const WeightFormat format = format_of(recipe, spec.role);
    items.push_back({{spec.name,
                      Dtype::u8,
                      {spec.stack(), spec.pairs(), pair_bytes_of(format, spec.depth)},
                      packed_matrix_text(format, spec.columns, spec.depth, spec.stack())},
                     &spec});
  }
  const VectorSpec& table = plan.embedding;
  const bool is_bf16 = checkpoint.expect(table.tensor, table.shape).dtype == Dtype::bf16;
  items.push_back({{table.tensor, is_bf16 ? Dtype::bf16 : Dtype::f32, table.shape,
                    is_bf16 ? "table bf16" : "table f32"},
                   nullptr});
  for (const VectorSpec& vector : plan.vectors)
    items.push_back({{vector.tensor, Dtype::f32, vector.shape, "vector f32"}, nullptr});
  return items;
}

// Where shards begin: item indices, with the end of all.
std::vector<std::size_t> cut(const std::vector<Item>& items, std::size_t shard_bytes) {
  std::vector<std::size_t> cuts = {0};
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::size_t next = items[i].tensor.bytes();
    if (bytes > 0 && bytes + next > shard_bytes) {
      cuts.push_back(i);
      bytes = 0;
    }
    bytes += next;
  }
  cuts.push_back(items.size());
  return cuts;
}

std::vector<ShardPlan> plan_shards(const std::vector<Item>& items,
                                   const std::vector<std::size_t>& cuts, const std::string& id) {
  const std::size_t count = cuts.size() - 1;
  std::vector<ShardPlan> shards;
  for (std::size_t i = 0; i < count; ++i) {
    ShardPlan shard{count == 1 ? "model.safetensors"
                               : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, count),
                    id,
                    {}};
    for (std::size_t j = cuts[i]; j < cuts[i + 1]; ++j) shard.tensors.push_back(items[j].tensor);
    shards.push_back(std::move(shard));
  }
  return shards;
}

class Quantizer {
 public:
  Quantizer(const Checkpoint& checkpoint, const QuantizeOptions& options, std::size_t total)
      : source_(checkpoint), options_(options), total_(total) {}

  void skip(const ShardPlan& shard) { tell(shard.data_bytes()); }

  void write(ShardWriter& writer, const Item& item) {
    if (item.matrix != nullptr)
      write_matrix(writer, *item.matrix);
    else
      write_numbers(writer, item.tensor);
  }

 private:
  void tell(std::size_t bytes) {
    done_ += bytes;
    if (options_.progress && !options_.progress(done_, total_))
      throw Error(ErrorCode::cancelled,
                  "quantizing was stopped; the same command goes on where it was");
  }

  std::span<std::byte> room(std::size_t bytes) {
    if (buffer_.size() < bytes) buffer_ = AlignedBuffer(bytes);
    return {buffer_.data(), bytes};
  }

  void write_matrix(ShardWriter& writer, const MatrixSpec& spec) {
    const MatrixPacker packer(spec, format_of(options_.recipe, spec.role), source_);
    const std::size_t count = packer.pair_count();
    for (std::size_t begin = 0; begin < count; begin += packer.pairs_at_once()) {
      const std::size_t end = std::min(count, begin + packer.pairs_at_once());
      const auto packed = room((end - begin) * packer.pair_bytes());
      packer.pack(begin, end, packed.data(), options_.team);
      writer.write(packed);
      tell(packed.size());
    }
  }

  void write_numbers(ShardWriter& writer, const ShardTensor& tensor) {
    const TensorView& view = source_.tensor(tensor.name, tensor.shape);
    const std::size_t rows = tensor.shape.front();
    const std::size_t row_bytes = tensor.bytes() / rows;
    const std::size_t at_once = std::max<std::size_t>(1, kTableBytesAtOnce / row_bytes);
    for (std::size_t first = 0; first < rows; first += at_once) {
      const std::size_t count = std::min(at_once, rows - first);
      writer.write(rows_of(view, tensor.dtype, first, count));
      tell(count * row_bytes);
    }
  }

  // Rows as they are to be written: bf16 as it lies, everything else in fp32.
  std::span<const std::byte> rows_of(const TensorView& view, Dtype dtype, std::size_t first,
                                     std::size_t count) {
    const std::size_t row_bytes = view.bytes.size() / view.shape.front();
    const std::size_t width = view.count() / view.shape.front();
    const auto bytes = view.bytes.subspan(first * row_bytes, count * row_bytes);
    require_finite({view.name, view.dtype, {count, width}, bytes, view.file});
    const auto out = room(count * width * bits_of(dtype) / 8);
    if (dtype == Dtype::bf16)
      std::ranges::copy(std::as_bytes(bytes), out.begin());
    else
      read_float_rows(view, first, count, {reinterpret_cast<float*>(out.data()), count * width});
    source_.release();
    return out;
  }

  CheckpointSource source_;
  const QuantizeOptions& options_;
  std::size_t total_;
  std::size_t done_ = 0;
  AlignedBuffer buffer_;
};

void check_arguments(const fs::path& in, const fs::path& out) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(out, ignored)))
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} exists; choose another name or remove it", out.string()));
  if (const auto packed = read_packed_description(in))
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is packed already, as {}; quantize the released weights",
                            in.string(), to_string(packed->recipe)));
}

}  // namespace

QuantizeReport quantize_model(const fs::path& in, const fs::path& out,
                              const QuantizeOptions& options) {
  const ModelConfig config = load_model_config(in);
  check_arguments(in, out);
  Tokenizer::load(in);  // a folder without a tokenizer should not be noticed at the end
  const Checkpoint checkpoint(in);
  const bool own_head = checkpoint.find("language.lm_head.weight") != nullptr;
  const ModelPlan plan = plan_model(config, options.recipe, own_head);
  const std::vector<Item> items = items_of(plan, options.recipe, checkpoint);
  const std::vector<std::size_t> cuts = cut(items, options.shard_bytes);
  const std::string id = source_identity(in, checkpoint, options.recipe);
  const std::vector<ShardPlan> shards = plan_shards(items, cuts, id);

  QuantizeReport report{0, shards.size(), 0};
  for (const ShardPlan& shard : shards) report.bytes += shard.data_bytes();
  PartialFolder partial(out, id, options.shard_bytes);
  std::vector<std::optional<PackedFile>> written;
  std::size_t missing = 0;
  for (const ShardPlan& shard : shards) {
    written.push_back(finished_shard(partial.path(), shard));
    if (!written.back()) missing += shard.data_bytes();
  }
  partial.require_space(missing);

  Quantizer quantizer(checkpoint, options, report.bytes);
  PackedDescription description{options.recipe, id, {}, {}};
  for (std::size_t i = 0; i < shards.size(); ++i) {
    if (written[i]) {
      quantizer.skip(shards[i]);
      ++report.shards_before;
    } else {
      ShardWriter writer(partial.path(), shards[i]);
      for (std::size_t j = cuts[i]; j < cuts[i + 1]; ++j) quantizer.write(writer, items[j]);
      written[i] = writer.finish();
    }
    description.shards.push_back(*written[i]);
  }
  partial.complete(in, description, shards);
  return report;
}

}  // namespace vl2
