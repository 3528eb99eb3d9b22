// SPDX-License-Identifier: MIT
// boxes MODEL PICTURE THING: where the thing is, in pixels, and how sure the model was of each
// token. The answer is shown while it is written.
#include <cstdio>
#include <string>

#include <vl2/engine.h>

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fputs("usage: boxes MODEL PICTURE THING\n", stderr);
    return 2;
  }
  vl2::Engine engine({.model = argv[1]});
  const vl2::Message question = {
      vl2::Role::user, "<|ref|>" + std::string(argv[3]) + "<|/ref|>.", {vl2::load_image(argv[2])}};

  vl2::GenerationOptions options;
  options.max_tokens = 128;
  options.logprobs = 1;
  vl2::ChatCallbacks callbacks;
  callbacks.text = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return true;  // false would end the answer
  };
  const vl2::Answer answer = engine.chat({&question, 1}, options, callbacks);

  double logprob = 0;
  for (const vl2::TokenReport& token : answer.logprobs) logprob += token.chosen.logprob;
  std::printf("\n%zu boxes, log-probability %.3f\n", answer.boxes.size(), logprob);
  for (const vl2::Box& box : answer.boxes)
    std::printf("%s: %d,%d to %d,%d\n", box.label.c_str(), box.x1, box.y1, box.x2, box.y2);
  return 0;
} catch (const vl2::Error& error) {
  std::fprintf(stderr, "boxes: %s\n", error.what());
  return 1;
}
