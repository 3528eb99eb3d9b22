// SPDX-License-Identifier: MIT
#include "server/base64.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace vl2 {
namespace {

std::string text_of(std::string_view base64) {
  const auto bytes = decode_base64(base64);
  return bytes ? std::string(bytes->begin(), bytes->end()) : "(refused)";
}

// RFC 4648, section 10.
TEST(Base64, DecodesTheVectorsOfTheRfc) {
  EXPECT_EQ(text_of(""), "");
  EXPECT_EQ(text_of("Zg=="), "f");
  EXPECT_EQ(text_of("Zm8="), "fo");
  EXPECT_EQ(text_of("Zm9v"), "foo");
  EXPECT_EQ(text_of("Zm9vYg=="), "foob");
  EXPECT_EQ(text_of("Zm9vYmE="), "fooba");
  EXPECT_EQ(text_of("Zm9vYmFy"), "foobar");
}

TEST(Base64, DecodesAllDigits) {
  EXPECT_EQ(text_of("+/+/"), "\xfb\xff\xbf");
  EXPECT_EQ(text_of("AAAA"), std::string(3, '\0'));
}

TEST(Base64, RefusesEverythingElse) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "====", "=Zg=", "Zg==Zg==", "Zm9v\n", "Zm 9",
                          "Zm9-", "Zh==", "Zm9=", "Z===", "\xff\xff\xff\xff"})
    EXPECT_FALSE(decode_base64(bad).has_value()) << bad;
}

TEST(DataUrl, GivesWhatComesAfterTheComma) {
  EXPECT_EQ(base64_of_data_url("data:image/png;base64,Zm9v"), "Zm9v");
  EXPECT_EQ(base64_of_data_url("data:image/png;name=a.png;base64,"), "");
  EXPECT_EQ(base64_of_data_url("data:;base64,Zm9v"), "Zm9v");
}

TEST(DataUrl, RefusesOtherUrls) {
  EXPECT_FALSE(base64_of_data_url("data:image/png,Zm9v").has_value());
  EXPECT_FALSE(base64_of_data_url("data:image/png;base64").has_value());
  EXPECT_FALSE(base64_of_data_url("http://example.org/a.png").has_value());
  EXPECT_FALSE(base64_of_data_url("data:" + std::string(400, 'a') + ";base64,Zm9v").has_value());
  EXPECT_FALSE(base64_of_data_url("").has_value());
}

}  // namespace
}  // namespace vl2
