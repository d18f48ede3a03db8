#include "app/config/limits.h"

#include <charconv>

namespace aceward::app {

namespace {

template <class Struct>
struct CountKey {
  const char* name;
  std::size_t Struct::* member;
};

constexpr CountKey<LimitsSection> dtls_counts[] = {{"sessions", &LimitsSection::sessions},
                                                   {"half_open", &LimitsSection::half_open},
                                                   {"tokens", &LimitsSection::tokens}};

constexpr CountKey<coap::Limits> message_counts[] = {
    {"datagram_size", &coap::Limits::datagram_size},
    {"options", &coap::Limits::options},
    {"token_length", &coap::Limits::token},
    {"peers", &coap::Limits::peers},
    {"remembered_per_peer", &coap::Limits::remembered_per_peer},
    {"remembered", &coap::Limits::remembered},
    {"answers_per_peer", &coap::Limits::answers_per_peer},
    {"answers", &coap::Limits::answers},
    {"requests_per_peer", &coap::Limits::requests_per_peer},
    {"requests", &coap::Limits::requests},
    {"unverified_answer", &coap::Limits::unverified_answer},
    {"verified_addresses", &coap::Limits::verified_addresses},
    {"events", &coap::Limits::events},
    {"datagrams", &coap::Limits::datagrams},
};

constexpr CountKey<coap::BlockwiseLimits> blockwise_counts[] = {
    {"request_body", &coap::BlockwiseLimits::request_body},
    {"assemblies_per_peer", &coap::BlockwiseLimits::assemblies_per_peer},
    {"assemblies", &coap::BlockwiseLimits::assemblies},
    {"assembly_octets", &coap::BlockwiseLimits::assembly_bytes},
    {"held_per_peer", &coap::BlockwiseLimits::held_per_peer},
    {"held", &coap::BlockwiseLimits::held},
    {"held_octets", &coap::BlockwiseLimits::held_bytes},
    {"response_body", &coap::BlockwiseLimits::response_body},
    {"answer_octets", &coap::BlockwiseLimits::answer_bytes},
};

constexpr CountKey<coap::ObservationLimits> observe_counts[] = {
    {"per_resource", &coap::ObservationLimits::per_resource},
    {"per_peer", &coap::ObservationLimits::per_peer},
    {"overall", &coap::ObservationLimits::overall},
    {"request_size", &coap::ObservationLimits::request_size},
};

template <class Struct, std::size_t size>
void take_counts(Struct& out, const CountKey<Struct> (&keys)[size], const ConfigBlock& block) {
  for (const auto& key : keys) out.*key.member = block.get<std::uint64_t>(key.name);
}

/// Every value as text, to tell whether a section has changed.
std::string written_form(const ConfigBlock& block) {
  std::string text;
  for (const auto& [name, value] : block.values) {
    if (name == "drain_timeout") continue;  // this one changes while the roles run
    text.append(block.section).append(" ").append(name).append(" ");
    if (const auto* number = std::get_if<std::uint64_t>(&value.value)) text += std::to_string(*number);
    if (const auto* seconds = std::get_if<std::chrono::seconds>(&value.value)) text += std::to_string(seconds->count());
    if (const auto* ms = std::get_if<std::chrono::milliseconds>(&value.value)) text += std::to_string(ms->count());
    if (const auto* factor = std::get_if<double>(&value.value)) text += std::to_string(*factor);
    if (const auto* choice = std::get_if<std::string>(&value.value)) text += *choice;
    text += "\n";
  }
  return text;
}

/// The smallest message that says anything: the suggestion of RFC 7252 section 4.6 cut down to one block of 16 octets
/// with its options.
constexpr std::size_t smallest_datagram = 64;
/// What UDP carries.
constexpr std::size_t largest_datagram = 65'507;
constexpr unsigned most_retransmissions = 10;
constexpr std::size_t longest_token = 65'804;  // RFC 8974 section 2.1

class LimitChecks {
 public:
  LimitChecks(const ConfigBlock& block, const std::filesystem::path& file) : block_(block), file_(file) {}

  void between(const char* name, std::uint64_t least, std::uint64_t most) {
    const auto found = block_.get<std::uint64_t>(name);
    if (found >= least && found <= most) return;
    refuse(name, std::to_string(found),
           "write an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  /// What one peer may have is no more than what all may have together.
  void within(const char* one, const char* all) {
    const auto part = block_.get<std::uint64_t>(one);
    const auto whole = block_.get<std::uint64_t>(all);
    if (part > whole) {
      refuse(one, std::to_string(part),
             "that is more than " + std::string(all) + ", which is " + std::to_string(whole));
    }
  }
  void refuse(const char* name, const std::string& found, const std::string& check) {
    if (failure_) return;
    const Place place = block_.values.at(name).place;
    failure_ = config_failure(file_, place, "[" + std::string(block_.section) + "] " + name + " is " + found, check);
  }
  const std::optional<Failure>& failure() const { return failure_; }

 private:
  const ConfigBlock& block_;
  const std::filesystem::path& file_;
  std::optional<Failure> failure_;
};

}  // namespace

Outcome<CoapSection> read_coap(const SectionOf& section_of, const std::filesystem::path& file) {
  const ConfigBlock block = section_of("coap");
  LimitChecks checks(block, file);
  CoapSection coap;
  coap::Parameters& parameters = coap.parameters;
  const auto ack_timeout = block.get<std::chrono::milliseconds>("ack_timeout");
  parameters.ack_timeout = ack_timeout;
  parameters.ack_random_factor = block.get<double>("ack_random_factor");
  checks.between("max_retransmit", 0, most_retransmissions);
  parameters.max_retransmit = static_cast<unsigned>(block.get<std::uint64_t>("max_retransmit"));
  checks.between("nstart", 1, 1'000'000);
  parameters.nstart = static_cast<unsigned>(block.get<std::uint64_t>("nstart"));
  parameters.probing_rate = static_cast<unsigned>(block.get<std::uint64_t>("probing_rate"));
  parameters.max_latency = block.get<std::chrono::seconds>("max_latency");
  const auto acknowledge_after = block.get<std::chrono::milliseconds>("acknowledge_after");
  parameters.acknowledge_after = acknowledge_after;
  if (acknowledge_after >= ack_timeout) {
    checks.refuse("acknowledge_after", std::to_string(acknowledge_after.count()) + " ms",
                  "the other side would retransmit: stay below ack_timeout");
  }
  const std::string& block_size = block.get<std::string>("block_size");
  std::size_t octets = 0;
  std::from_chars(block_size.data(), block_size.data() + block_size.size(), octets);
  coap.blockwise.request_szx = coap::Szx::fitting(octets);
  coap.blockwise.response_szx = coap::Szx::fitting(octets);
  if (checks.failure()) return std::unexpected(*checks.failure());
  coap.written = written_form(block);
  return coap;
}

Outcome<LimitsSection> read_limits(const SectionOf& section_of, const std::filesystem::path& file) {
  LimitsSection limits;
  const ConfigBlock block = section_of("limits");
  LimitChecks checks(block, file);
  take_counts(limits, dtls_counts, block);
  take_counts(limits.messages, message_counts, block);
  limits.drain_timeout = block.get<std::chrono::seconds>("drain_timeout");
  limits.handshake_timeout = block.get<std::chrono::seconds>("handshake_timeout");
  limits.idle_timeout = block.get<std::chrono::seconds>("idle_timeout");
  checks.between("datagram_size", smallest_datagram, largest_datagram);
  checks.between("token_length", 0, longest_token);
  checks.within("remembered_per_peer", "remembered");
  checks.within("answers_per_peer", "answers");
  checks.within("requests_per_peer", "requests");
  if (checks.failure()) return std::unexpected(*checks.failure());

  const ConfigBlock blockwise = section_of("limits.blockwise");
  LimitChecks of_blockwise(blockwise, file);
  take_counts(limits.blockwise, blockwise_counts, blockwise);
  if (const auto* lifetime = blockwise.find<std::chrono::seconds>("assembly_lifetime")) {
    limits.blockwise.assembly_lifetime = *lifetime;
  }
  if (const auto* lifetime = blockwise.find<std::chrono::seconds>("held_lifetime")) {
    limits.blockwise.held_lifetime = *lifetime;
  }
  of_blockwise.within("assemblies_per_peer", "assemblies");
  of_blockwise.within("request_body", "assembly_octets");
  of_blockwise.within("held_per_peer", "held");
  of_blockwise.within("response_body", "answer_octets");
  if (of_blockwise.failure()) return std::unexpected(*of_blockwise.failure());

  const ConfigBlock observe = section_of("limits.observe");
  LimitChecks of_observe(observe, file);
  take_counts(limits.observe, observe_counts, observe);
  if (const auto* apart = observe.find<std::chrono::milliseconds>("apart")) {
    limits.observe.non_confirmable_apart = *apart;
  }
  limits.observe.answer_within = observe.get<std::chrono::seconds>("answer_within");
  of_observe.within("per_resource", "overall");
  if (limits.observe.per_peer >= limits.messages.answers_per_peer) {
    of_observe.refuse("per_peer", std::to_string(limits.observe.per_peer),
                      "stay below [limits] answers_per_peer, which is " +
                          std::to_string(limits.messages.answers_per_peer) + ": observations count there too");
  }
  if (of_observe.failure()) return std::unexpected(*of_observe.failure());
  limits.written = written_form(block) + written_form(blockwise) + written_form(observe);
  return limits;
}

}  // namespace aceward::app
