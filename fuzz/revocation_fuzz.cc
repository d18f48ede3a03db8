// The revocation list: answers of any octets to a follower, queries of any octets to the list.
#include <cstdint>
#include <cstdlib>

#include "aceward/ace/as/memory_ledger.h"
#include "aceward/ace/as/revocation_list.h"
#include "aceward/ace/params/revocation.h"
#include "aceward/ace/revocation/follower.h"
#include "aceward/coap/resource/answers.h"

using namespace aceward;

namespace {

void ask_the_list(BytesView query) {
  static SeededRandom random(1);
  static ace::as::MemoryLedger ledger;
  static ace::as::RevocationList list({}, random, ledger);
  if (!list.update(WallTime(std::chrono::seconds(1'700'000'000)))) std::abort();
  coap::Request request;
  // Two parameters, split at the first &.
  const std::string_view text = as_text(query);
  const auto split = text.find('&');
  request.options.add(coap::option::uri_query, text.substr(0, split));
  if (split != std::string_view::npos) request.options.add(coap::option::uri_query, text.substr(split + 1));
  const auto response = list.answer({.client_id = 1, .server_id = 0, .administrator = false}, request);
  if (response.code == coap::code::content) {
    if (!ace::parse_revocation_answer(response.payload)) std::abort();
  } else if (response.code != coap::code::bad_request || !ace::trl_error_of(response)) {
    std::abort();
  }
}

/// The input is one answer after the other: an octet of length, then that much.
void answer_a_follower(BytesView octets) {
  SeededRandom random(2);
  ace::revocation::FollowerSettings settings;
  settings.max_hashes = 8;
  ace::revocation::Follower follower(settings, random);
  Instant now{std::chrono::seconds(1)};
  follower.start(now);
  std::uint64_t number = 0;
  std::uint64_t observation = 0;
  bool to_observation = false;
  while (!octets.empty()) {
    const std::size_t length = std::min<std::size_t>(octets.front(), octets.size() - 1);
    const auto response = coap::make_response(coap::code::content, coap::content_format::ace_trl_cbor,
                                              to_bytes(octets.subspan(1, length)));
    octets = octets.subspan(length + 1);
    while (const auto ask = follower.next_ask(now)) {
      number = ask->number;
      if (ask->observe) observation = number;
    }
    to_observation = !to_observation;
    follower.answered(to_observation && observation != 0 ? observation : number, response, false, now);
    if (follower.size() > settings.max_hashes) std::abort();
    while (const auto change = follower.next()) {
      if (change->token_hash.size() < 2) std::abort();
    }
    now += std::chrono::seconds(10);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView octets(data, size);
  if (const auto answer = ace::parse_revocation_answer(octets)) {
    const Bytes written = cbor::serialize(*answer);
    const auto again = ace::parse_revocation_answer(written);
    if (!again || *again != *answer) std::abort();
  }
  if (size <= 1000) ask_the_list(octets);
  answer_a_follower(octets);
  return 0;
}
