// SPDX-License-Identifier: MIT
#include "text/byte_level.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

TEST(ByteLevel, SpellsEveryByteDifferentlyAndBack) {
  std::set<std::string> spellings;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string spelling = byte_spelling(static_cast<std::uint8_t>(byte));
    EXPECT_TRUE(spellings.insert(spelling).second);
    EXPECT_EQ(bytes_of_spelling(spelling), std::string(1, static_cast<char>(byte)));
  }
}

TEST(ByteLevel, UsesTheCustomaryCharacters) {
  EXPECT_EQ(byte_spelling('a'), "a");
  EXPECT_EQ(byte_spelling(' '), "\u0120");
  EXPECT_EQ(byte_spelling('\n'), "\u010A");
  EXPECT_EQ(byte_spelling(0xAD), "\u0143");
  EXPECT_EQ(bytes_of_spelling("\u0120the"), " the");
}

TEST(ByteLevel, RefusesCharactersThatSpellNoByte) {
  EXPECT_FALSE(bytes_of_spelling("<\uFF5CUser\uFF5C>"));
  EXPECT_FALSE(bytes_of_spelling("a b"));
  EXPECT_FALSE(bytes_of_spelling("\u0144"));
}

}  // namespace
}  // namespace vl2
