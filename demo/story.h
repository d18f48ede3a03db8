// The chapters, in their order, each with what must come of it.
#pragma once

#include <string>
#include <vector>

#include "demo/device.h"
#include "demo/narrator.h"
#include "demo/scenery.h"

namespace aceward::demo {

class Story {
 public:
  Story(net::EventLoop& loop, Scenery& scenery, Narrator& narrator, Console& console, Random& random);

  /// Plays all chapters; false as soon as one ends otherwise than it should. `failure` says how then.
  bool play();
  const std::string& failure() const { return failure_; }

  /// Keys that came up while the story was played.
  std::vector<Secret>& secrets() { return secrets_; }

 private:
  bool registration();
  bool first_access();
  bool refusals();
  bool extension();
  bool pre_shared_key();
  bool token_as_identity();
  bool forged_hint();
  bool expiry();

  /// Remembers the first thing that went otherwise.
  bool check(bool holds, const std::string& expected, const std::string& seen);
  bool check(const Result<>& result, const std::string& expected);
  bool check_transcript(const std::string& expected);
  bool check_answer(const ace::dtls::Completed& completed, coap::Code code, std::string_view payload);

  net::EventLoop& loop_;
  Scenery& scenery_;
  Narrator& narrator_;
  Console& console_;
  Random& random_;
  std::unique_ptr<Device> a_;
  std::unique_ptr<Device> b_;
  std::vector<Secret> secrets_;
  std::string failure_;
};

}  // namespace aceward::demo
