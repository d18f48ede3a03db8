// The resources that the test descriptions of the CoAP plugtests ask a server for.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aceward/coap/observe/observations.h"
#include "aceward/coap/resource/router.h"
#include "aceward/coap/resource/stored_resource.h"

namespace aceward::plugtest {

/// Adds to a router what the test descriptions name: /test /validate /seg1/seg2/seg3 /query /separate /location-query
/// /multi-format /create1 /create2 /create3 /large /large-update /large-create /large-post /obs /obs-non /obs-large.
/// Sans-IO, and independent of how requests come in, so that it serves plain CoAP as well as DTLS.
class Resources {
 public:
  /// Both outlive the resources, and nothing is asked of the router after these are gone.
  Resources(coap::Router& router, coap::Observations& observations);
  ~Resources();
  Resources(const Resources&) = delete;
  Resources& operator=(const Resources&) = delete;

  /// What changes periodically changes now: the observable resources, if they exist.
  void tick(Instant now);

  /// /separate answers so long after it was asked.
  static constexpr std::chrono::seconds separate_after{3};
  std::optional<Instant> next_timeout() const;
  void on_timeout(Instant now);

  /// What a stored resource holds now, by its path ("/test"); nullptr if it is not one or does not exist.
  const coap::Representation* held(const std::string& path) const;
  /// From the server's side.
  void set(const std::string& path, coap::ContentFormat format, const std::string& content, Instant now);

  /// The content of /large: 2,000 octets and a few, of which no two places are alike.
  static std::string large_text();
  /// What /large-post answers to a body.
  static std::string answer_to(std::string body);

 private:
  class Separate;
  class Answering;
  struct Stored {
    std::string path;
    coap::StoredResource resource;
  };

  coap::StoredResource& store(const std::string& path, coap::StoredResource resource);
  void answer(coap::Code method, const std::string& path, std::function<coap::Response(const coap::Request&)> how);
  void observable(const std::string& path, coap::Reliability notifications);

  coap::Router& router_;
  coap::Observations& observations_;
  std::list<Stored> stored_;
  std::vector<std::unique_ptr<coap::Resource>> others_;
  Separate* separate_ = nullptr;
  unsigned ticks_ = 0;
  unsigned created_ = 0;
};

}  // namespace aceward::plugtest
