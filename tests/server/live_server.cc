// SPDX-License-Identifier: MIT
#include "live_server.h"

#include <string_view>
#include <utility>

#include "base/mapped_file.h"
#include "encode_base64.h"

namespace vl2::test {
LiveServer::LiveServer(ServerOptions options)
    : server_([&] {
        if (options.model.empty()) options.model = kNanoFolder;
        options.http.port = 0;
        options.log = [this](std::string_view line) {
          const std::lock_guard lock(mutex_);
          log_.emplace_back(line);
        };
        return std::move(options);
      }()),
      thread_([this] {
        server_.run();
        ended_ = true;
      }) {
  EXPECT_TRUE(wait_until([&] {
    const auto health = client().Get("/health");
    return health && health->status == 200;
  }));
}

LiveServer::~LiveServer() {
  server_.drain();
  thread_.join();
}

std::vector<std::string> LiveServer::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

httplib::Client LiveServer::client() const {
  httplib::Client client("127.0.0.1", port());
  client.set_read_timeout(60);
  return client;
}

Reply LiveServer::get(const std::string& path, int status) const {
  const auto result = client().Get(path);
  if (!result) {
    ADD_FAILURE() << path << ": " << to_string(result.error());
    return {};
  }
  EXPECT_EQ(result->status, status) << path << ": " << result->body;
  return Reply::parse(result->body, nullptr, false);
}

Reply LiveServer::post(const std::string& path, const Reply& body, int status) const {
  const auto result = client().Post(path, body.dump(), "application/json");
  if (!result) {
    ADD_FAILURE() << path << ": " << to_string(result.error());
    return {};
  }
  EXPECT_EQ(result->status, status) << path << ": " << result->body;
  return Reply::parse(result->body, nullptr, false);
}

std::string LiveServer::post_text(const std::string& path, const Reply& body) const {
  const auto result = client().Post(path, body.dump(), "application/json");
  if (!result) {
    ADD_FAILURE() << path << ": " << to_string(result.error());
    return {};
  }
  EXPECT_EQ(result->status, 200) << path << ": " << result->body;
  return result->body;
}

double LiveServer::metric(const std::string& name) const {
  const auto result = client().Get("/metrics");
  if (!result) return 0.0;
  const std::string text = "\n" + result->body;
  const std::size_t at = text.find("\n" + name + " ");
  return at == text.npos ? 0.0 : std::stod(text.substr(at + name.size() + 2));
}

std::string picture_base64(const std::string& name) {
  return encode_base64(read_text_file(kNanoFolder / "demo" / name));
}

std::string picture_url(const std::string& name) {
  return "data:image/png;base64," + picture_base64(name);
}

Reply question(const std::string& text, Reply more) {
  more["messages"] = Reply::array({{{"role", "user"}, {"content", text}}});
  return more;
}

Reply picture_question(const std::string& picture, const std::string& text, Reply more) {
  const Reply url = {{"url", picture_url(picture)}};
  Reply content = Reply::array();
  content.push_back({{"type", "image_url"}, {"image_url", url}});
  content.push_back({{"type", "text"}, {"text", text}});
  more["messages"] = Reply::array({{{"role", "user"}, {"content", std::move(content)}}});
  return more;
}

std::vector<Reply> chunks_of(const std::string& stream) {
  constexpr std::string_view kData = "data: ";
  std::vector<Reply> chunks;
  bool done = false;
  for (std::size_t begin = 0; begin < stream.size();) {
    const std::size_t end = std::min(stream.find("\n\n", begin), stream.size());
    const std::string event = stream.substr(begin, end - begin);
    begin = end + 2;
    if (event.starts_with(":")) continue;
    EXPECT_TRUE(event.starts_with(kData)) << event;
    EXPECT_FALSE(done) << event;
    done = event == "data: [DONE]";
    if (!done) chunks.push_back(Reply::parse(event.substr(kData.size())));
  }
  EXPECT_TRUE(done) << stream;
  return chunks;
}

}  // namespace vl2::test
