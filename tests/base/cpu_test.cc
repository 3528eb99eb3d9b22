// SPDX-License-Identifier: MIT
#include "base/cpu.h"

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>

#include "vl2/error.h"

namespace vl2 {
namespace {

class VariableSet {
 public:
  explicit VariableSet(const char* value) {
    if (const char* old = std::getenv("VL2_ISA")) before_ = old;
    setenv("VL2_ISA", value, 1);
  }
  ~VariableSet() { before_.empty() ? unsetenv("VL2_ISA") : setenv("VL2_ISA", before_.c_str(), 1); }

 private:
  std::string before_;
};

TEST(Cpu, PortableIsAlwaysThere) {
  ASSERT_FALSE(cpu_isas().empty());
  EXPECT_EQ(cpu_isas().front(), Isa::portable);
}

TEST(Cpu, EachSetImpliesThoseBeforeIt) {
  for (std::size_t i = 0; i < cpu_isas().size(); ++i) EXPECT_EQ(cpu_isas()[i], kAllIsas[i]);
}

TEST(Cpu, EnvironmentForcesASet) {
  const VariableSet variable("portable");
  EXPECT_EQ(chosen_isa(), Isa::portable);
}

TEST(Cpu, UnknownNameIsAnErrorThatListsWhatThereIs) {
  const VariableSet variable("sse9");
  try {
    chosen_isa();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), testing::HasSubstr("VL2_ISA=sse9"));
    EXPECT_THAT(error.what(), testing::HasSubstr("portable"));
  }
}

}  // namespace
}  // namespace vl2
