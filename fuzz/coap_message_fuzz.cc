// CoAP messages, and an endpoint that is sent arbitrary datagrams.
//
// The input is read twice: as one datagram, which must survive parse and serialize, and as a list of length-prefixed
// datagrams with pauses between them, for an endpoint with small limits.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "aceward/base/random.h"
#include "aceward/coap/message/message.h"
#include "aceward/coap/message/option_check.h"
#include "aceward/coap/message/pretty.h"
#include "aceward/coap/message/uri.h"
#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint.h"

namespace {

using namespace aceward;
using namespace aceward::coap;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

void try_codec(BytesView datagram) {
  auto message = parse(datagram);
  if (!message) {
    require(!message.error().id().empty(), "a refusal has a reason");
    return;
  }
  const auto again = parse(serialize(*message));
  require(again.has_value() && *again == *message, "what parses survives the round trip");
  require(!pretty(*message).empty(), "what parses can be shown");
  const auto uri = uri_of(message->options, false, Address::v4(192, 0, 2, 1, 5683));
  const auto checked = check_options(message->options, KnownOptions::in_requests());
  if (!checked && message->options.find_text(option::uri_host).value_or("h") == "h") {
    // The text form of a path names the same segments, except that one empty segment is the root.
    const auto parsed = parse_uri(compose_uri(uri));
    const bool lone_empty = uri.path.size() == 1 && uri.path[0].empty();
    if (parsed && !lone_empty) require(parsed->path == uri.path, "a path survives as a URI");
  }
}

void try_endpoint(BytesView input) {
  Limits limits;
  limits.peers = 4;
  limits.remembered_per_peer = 8;
  limits.remembered = 16;
  limits.requests_per_peer = 4;
  limits.requests = 8;
  limits.answers_per_peer = 4;
  limits.answers = 8;
  limits.events = 16;
  limits.datagrams = 16;
  SeededRandom random(1);
  Endpoint endpoint(Parameters{}, limits, random);
  Instant now{std::chrono::hours(1)};
  Token token;  // of our last request, so that the input can answer it
  std::uint16_t message_id = 0;

  while (input.size() >= 2) {
    const std::uint8_t control = input[0];
    const std::size_t length = std::min<std::size_t>(input[1], input.size() - 2);
    Bytes datagram = to_bytes(input.subspan(2, length));
    input = input.subspan(2 + length);
    Peer peer;
    peer.remote = Address::v4(192, 0, 2, control & 7, 5683);
    if ((control & 8) != 0) {
      peer.transport = Transport::dtls;
      peer.session = 1;
    }
    switch (control >> 4 & 7) {
      case 0: {
        Request request{code::get, {}, datagram};
        if (length % 2 == 1) request.options.add_uint(option::observe, 0);
        const auto reliability = length % 3 == 0 ? Reliability::non_confirmable : Reliability::confirmable;
        (void)endpoint.request(peer, std::move(request), {reliability, std::chrono::seconds(0)}, now);
        break;
      }
      case 1:
        now += std::chrono::seconds(length);
        endpoint.on_timeout(now);
        break;
      case 2: endpoint.peer_gone(peer, Error(reason::coap_not_answered), now); break;
      case 3:
        // An answer to our last request, as far as the header goes.
        if (datagram.size() >= 12) {
          datagram[0] = static_cast<std::uint8_t>((datagram[0] & 0x30) | 0x48);
          datagram[2] = static_cast<std::uint8_t>(message_id >> 8);
          datagram[3] = static_cast<std::uint8_t>(message_id);
          std::ranges::copy(token.view(), datagram.begin() + 4);
        }
        [[fallthrough]];
      default: endpoint.receive(peer, datagram, now);
    }
    while (auto event = (control & 0x80) != 0 ? std::nullopt : endpoint.next_event(now)) {
      if (const auto* arrived = std::get_if<RequestArrived>(&*event)) {
        Response response{code::content, {}, arrived->request.payload};
        if (arrived->id.value % 3 == 0) response.options.set_uint(option::observe, arrived->id.value);
        if (arrived->id.value % 5 == 0) {
          endpoint.cancel(arrived->id);
        } else if (arrived->id.value % 5 != 1) {
          endpoint.respond(arrived->id, response, {}, now);
          endpoint.respond(arrived->id, response, {Reliability::confirmable, {}}, now);
        }
      }
    }
    const auto held = endpoint.occupancy();
    require(held.peers <= 2 * limits.peers, "peers are bounded");
    require(held.remembered <= 2 * limits.remembered, "memory is bounded");
    require(held.requests <= limits.requests, "requests are bounded");
    require(held.answers <= 2 * limits.answers, "answers are bounded");
    require(held.datagrams <= limits.datagrams, "datagrams are bounded");
    while (auto out = endpoint.next_datagram()) {
      const auto sent = parse(out->datagram);
      require(sent.has_value(), "what is sent is well-formed");
      if (sent->code.is_request()) {
        token = sent->token;
        message_id = sent->message_id;
      }
    }
  }
  // Everything comes to an end by itself, except observations.
  for (int steps = 0; steps < 10'000; ++steps) {
    const auto next = endpoint.next_timeout();
    if (!next) return;
    now = std::max(now, *next);
    endpoint.on_timeout(now);
  }
  require(false, "time-outs come to an end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView input(data, size);
  try_codec(input);
  try_endpoint(input);
  return 0;
}
