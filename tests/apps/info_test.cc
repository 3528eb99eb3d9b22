// SPDX-License-Identifier: MIT
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/program.h"

namespace vl2 {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

TEST(Info, TextNamesModelAndMachine) {
  const Result result = run_on_nano("info", {});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.errors, "");
  for (const char* word : {"vision", "language", "parameters", "bf16", "kernels", "threads"})
    EXPECT_THAT(result.output, HasSubstr(word));
}

TEST(Info, JsonAddsUp) {
  const json info = run_on_nano("info", {"--json"}).json();
  const json& parameters = info["parameters"];
  EXPECT_EQ(parameters["total"], parameters["vision"].get<int>() +
                                     parameters["projector"].get<int>() +
                                     parameters["language"].get<int>());
  // The released file holds two bytes a parameter and a header.
  const auto file_bytes = std::filesystem::file_size(kNano / "model.safetensors");
  const auto weight_bytes = info["memory"]["bf16"]["weight_bytes"].get<std::uintmax_t>();
  EXPECT_LE(weight_bytes, file_bytes);
  EXPECT_GT(weight_bytes, file_bytes * 9 / 10);
  // Matrices take twice as much in fp32; the embedding stays as it is in the file.
  const auto f32_bytes = info["memory"]["f32"]["weight_bytes"].get<std::uintmax_t>();
  EXPECT_LE(f32_bytes, 2 * weight_bytes);
  EXPECT_GT(f32_bytes, 19 * weight_bytes / 10);
}

TEST(Info, ARunTakesWhatIsPredicted) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers take memory of their own";
#endif
  const std::string picture = kNano / "demo" / "sign.png";
  Surroundings around;
  around.environment = {{"OMP_NUM_THREADS", "2"}};  // each thread takes some memory
  const json memory = run_on_nano("info", {"--json", "--context", "400"}, around).json()["memory"];
  for (const std::string format : {"f32", "bf16", "int8", "int4"}) {
    const Result result =
        run_on_nano("run", {"--weights", format, "-i", picture, "What does the text say?"}, around);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    const auto predicted = memory[format]["peak_bytes"].get<double>();
    EXPECT_NEAR(static_cast<double>(result.peak_bytes) / predicted, 1.0, 0.1) << format;
  }
}

TEST(Info, ContextDecidesTheMemory) {
  const auto need = [](const std::string& context) {
    return run_on_nano("info", {"--json", "--context", context}).json()["memory"]["bf16"];
  };
  const json small = need("1024");
  const json large = need("2048");
  EXPECT_EQ(2 * small["kv_bytes_of_context"].get<std::size_t>(), large["kv_bytes_of_context"]);
  EXPECT_EQ(large["peak_bytes"], large["weight_bytes"].get<std::size_t>() +
                                     large["kv_bytes_of_context"].get<std::size_t>() +
                                     large["activation_bytes"].get<std::size_t>() +
                                     large["picture_bytes"].get<std::size_t>() +
                                     large["program_bytes"].get<std::size_t>());
}

TEST(Info, AContextBeyondReasonIsRefusedAsARunRefusesIt) {
  const Result result = run_on_nano("info", {"--context", "1000000000000"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(is_one_clear_line(result.errors));
  EXPECT_THAT(result.errors, HasSubstr("context of 1000000000000 tokens is too long"));
}

TEST(Info, CacheBytesOfBothAttentions) {
  const auto bytes_of = [](const char* name) {
    const json info = run_program({"info", "--json", "-m", kCheckpoints / name}).json();
    const json& language = info["language"];
    const json& attention = language["attention"];
    const int numbers =
        attention["type"] == "latent"
            ? attention["kv_lora_rank"].get<int>() + attention["qk_rope_head_dim"].get<int>()
            : 2 * attention["kv_heads"].get<int>() * attention["head_dim"].get<int>();
    EXPECT_EQ(info["memory"]["bf16"]["kv_bytes_per_token"],
              2 * numbers * language["layers"].get<int>());
    return attention["type"].get<std::string>();
  };
  EXPECT_EQ(bytes_of("mha-softmax"), "plain");
  EXPECT_EQ(bytes_of("mla-general"), "latent");
}

TEST(Info, InstructionSetIsTheOneAskedFor) {
  Surroundings around;
  around.environment = {{"VL2_ISA", "portable"}};
  const json info = run_on_nano("info", {"--json"}, around).json();
  EXPECT_EQ(info["machine"]["chosen"], "portable");
  EXPECT_THAT(info["machine"]["kernels"]["f32"]["matmul"].get<std::string>(),
              HasSubstr("portable"));
}

}  // namespace
}  // namespace vl2
