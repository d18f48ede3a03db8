#include "app/config/sections.h"

namespace aceward::app {

namespace {

AsIntrospectionSection introspection_of(const ConfigBlock& block) {
  return {block.get<std::string>("path"), block.get<std::chrono::seconds>("cache"), block.get<bool>("clients_may_ask"),
          block.get<std::uint64_t>("per_second"), block.get<std::uint64_t>("at_once")};
}

AsRevocationSection revocation_of(const ConfigBlock& block) {
  return {block.get<std::string>("path"), value_or_empty<std::vector<std::string>>(block, "administrators"),
          block.get<std::uint64_t>("updates_kept"), block.get<std::uint64_t>("updates_in_answer")};
}

AsRequestsSection requests_of(const ConfigBlock& block) {
  return {block.get<std::uint64_t>("per_client"),
          block.get<std::uint64_t>("live_tokens_per_client"),
          block.get<std::uint64_t>("wrong_secrets_per_peer"),
          block.get<std::uint64_t>("wrong_secrets_per_client"),
          block.get<std::chrono::seconds>("come_back"),
          block.get<std::chrono::seconds>("kept"),
          block.get<std::uint64_t>("waiting"),
          block.get<std::uint64_t>("waiting_per_client")};
}

}  // namespace

Outcome<AsSection> read_as_section(const Sections& sections, const ConfigBlock& block) {
  AsSection as;
  as.listen = block.get<std::vector<Address>>("listen");
  as.issuer = block.get<std::string>("issuer");
  as.token_path = block.get<std::string>("token_path");
  as.channel_key = block.get<KeyReference>("channel_key");
  as.signing_key = block.get<KeyReference>("signing_key");
  as.previous_signing_keys = value_or_empty<std::vector<KeyReference>>(block, "previous_signing_keys");
  as.maximum_lifetime = block.get<std::chrono::seconds>("maximum_lifetime");
  as.arrival_allowance = block.get<std::chrono::seconds>("arrival_allowance");
  as.channel_certificate = optional_value<std::filesystem::path>(block, "channel_certificate");
  as.client_authorities = optional_value<std::filesystem::path>(block, "client_authorities");
  as.introspection = introspection_of(sections.with_defaults("as.introspection"));
  as.revocation = revocation_of(sections.with_defaults("as.revocation"));
  as.requests = requests_of(sections.with_defaults("as.requests"));
  for (const auto& [key, path] : {std::pair("[as] token_path", &as.token_path),
                                  {"[as.introspection] path", &as.introspection.path},
                                  {"[as.revocation] path", &as.revocation.path}}) {
    if (path->empty() ? path == &as.token_path : !path->starts_with('/')) {
      return sections.fault(block.place, std::string(key) + " is \"" + *path + "\"", "write a path from the root");
    }
  }
  if (as.revocation.updates_in_answer > as.revocation.updates_kept) {
    return sections.fault(block.place, "[as.revocation] updates_in_answer is more than updates_kept",
                          "an answer has no more updates than are kept");
  }
  return as;
}

}  // namespace aceward::app
