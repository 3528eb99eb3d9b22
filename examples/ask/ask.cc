// SPDX-License-Identifier: MIT
// ask MODEL PICTURE QUESTION
#include <cstdio>

#include <vl2/engine.h>

int main(int argc, char** argv) try {
  if (argc != 4) return std::fprintf(stderr, "usage: ask MODEL PICTURE QUESTION\n"), 2;
  vl2::Engine engine({.model = argv[1]});
  const vl2::Message question = {vl2::Role::user, argv[3], {vl2::load_image(argv[2])}};
  std::puts(engine.chat({&question, 1}).text.c_str());
} catch (const vl2::Error& error) {
  return std::fprintf(stderr, "ask: %s\n", error.what()), 1;
}
