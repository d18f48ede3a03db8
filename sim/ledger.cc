#include "sim/ledger.h"

#include <algorithm>
#include <charconv>

namespace aceward::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr coap::Code all_methods[] = {coap::code::get,   coap::code::post,  coap::code::put,   coap::code::delete_,
                                      coap::code::fetch, coap::code::patch, coap::code::ipatch};

coap::Code answer_to(const Asked& asked) {
  if (asked.refused) return coap::code::conflict;
  if (coap::is_safe(asked.method)) return coap::code::content;
  if (asked.method == coap::code::delete_) return coap::code::deleted;
  if (asked.method == coap::code::post) return coap::code::created;
  return coap::code::changed;
}

Bytes content_of(std::size_t number, std::string_view whose) {
  auto text = std::string(whose) + " " + std::to_string(number) + " ";
  text.append(number % 23, static_cast<char>('a' + number % 26));
  return to_bytes(text);
}

}  // namespace

bool acts_once(coap::Code method) {
  return method == coap::code::post || method == coap::code::patch || method == coap::code::ipatch;
}

void check_empty(Run& run, const coap::Occupancy& occupancy, std::string_view whose) {
  const auto empty = [&](std::size_t count, std::string_view what) {
    run.require_equal(count, std::size_t{0}, std::string(whose) + " still holds " + std::string(what));
  };
  empty(occupancy.requests, "requests");
  empty(occupancy.answers, "answers");
  empty(occupancy.events, "events");
  empty(occupancy.datagrams, "datagrams");
  empty(occupancy.remembered, "remembered messages");
  empty(occupancy.peers, "peers");
}

void Ledger::serve(ServerHost& server) {
  server.on_event = [this, &server](coap::Event event) {
    if (const auto* arrived = std::get_if<coap::RequestArrived>(&event)) on_request(server, *arrived);
  };
}

void Ledger::listen(ClientHost& client) {
  client.on_event = [this, &client](coap::Event event) {
    if (const auto* arrived = std::get_if<coap::ResponseArrived>(&event)) {
      on_answer(client, *arrived);
    } else if (const auto* request = std::get_if<coap::RequestArrived>(&event)) {
      // Reflected by an attacker. The client is no server, and an answer, reflected in its turn, would be one with the
      // right token: against that plain CoAP knows no remedy.
      client.top().cancel(request->id);
    } else if (const auto* gone = std::get_if<coap::ExchangeGone>(&event)) {
      const auto found = by_id_.find({&client, client.life(), gone->id.value});
      run_.require(found != by_id_.end(), "an exchange ends that was never begun");
      asked_[found->second].error = gone->reason;
      end(asked_[found->second]);
    }
  };
}

Asked* Ledger::ask(ClientHost& client, const coap::Peer& peer, coap::Code method, coap::Reliability reliability) {
  Asked asked;
  asked.number = asked_.size();
  asked.method = method;
  asked.reliability = reliability;
  asked.refused = run_.chance(100);
  const auto mood = run_.dice.below(10);
  if (mood >= 6) asked.thinking = run_.between(milliseconds(0), mood == 9 ? seconds(120) : seconds(4));
  asked.when = run_.now();

  coap::Request request;
  request.method = method;
  request.options.add_path("/ledger");
  request.options.add(coap::option::uri_query, "n=" + std::to_string(asked.number));
  request.payload = content_of(asked.number, "question");
  const auto id = client.top().request(peer, std::move(request), {reliability, seconds(0)}, run_.now());
  if (!id) {
    run_.reach("not sent");
    return nullptr;
  }
  asked_.push_back(asked);
  by_id_[{&client, client.life(), id->value}] = asked.number;
  ++open_;
  return &asked_.back();
}

Asked* Ledger::ask_anything(ClientHost& client, const coap::Peer& peer) {
  const auto method = all_methods[run_.dice.below(std::size(all_methods))];
  const bool confirmable = !run_.chance(300);
  return ask(client, peer, method, confirmable ? coap::Reliability::confirmable : coap::Reliability::non_confirmable);
}

void Ledger::on_request(ServerHost& server, const coap::RequestArrived& arrived) {
  const auto query = arrived.request.options.find_text(coap::option::uri_query);
  std::size_t number = SIZE_MAX;
  if (query && query->starts_with("n=")) std::from_chars(query->data() + 2, query->data() + query->size(), number);
  const auto respond = [this, &server, id = arrived.id, life = server.life()](coap::Response response) {
    if (server.life() == life) server.top().respond(id, std::move(response), {}, run_.now());
  };
  if (number >= asked_.size()) {
    // Not one of ours: an attacker's own. It acts, as any other would.
    return respond({coap::code::changed, {}, {}});
  }
  Asked& asked = asked_[number];
  run_.require(arrived.request.method == asked.method, "the method arrives as it was sent");
  run_.require(arrived.request.payload == content_of(number, "question"), "the payload arrives as it was sent");
  if (!asked.refused) ++asked.acted;
  coap::Response response{answer_to(asked), {}, content_of(number, "answer")};
  if (asked.thinking.count() == 0) return respond(std::move(response));
  network_.after(asked.thinking, [respond, response] { respond(response); });
}

void Ledger::on_answer(ClientHost& client, const coap::ResponseArrived& arrived) {
  const auto found = by_id_.find({&client, client.life(), arrived.id.value});
  run_.require(found != by_id_.end(), "an answer to a request that was never made");
  Asked& asked = asked_[found->second];
  run_.require(arrived.final, "an answer without Observe is final");
  run_.require(arrived.response.payload == content_of(asked.number, "answer"), "the answer is that of this request");
  run_.require(arrived.response.code == answer_to(asked), "the code is that of this request");
  run_.require(asked.acted >= 1 || asked.refused, "what is answered has acted");
  asked.answered = true;
  end(asked);
}

void Ledger::end(Asked& asked) {
  ++asked.ended;
  run_.require_equal(asked.ended, 1U, "a request ends once");
  asked.ended_at = run_.now();
  --open_;
}

void Ledger::forget(const ClientHost& client) {
  for (const auto& [key, number] : by_id_) {
    Asked& asked = asked_[number];
    if (key.client != &client || asked.ended != 0) continue;
    asked.abandoned = true;
    end(asked);
  }
}

std::size_t Ledger::answered() const {
  return static_cast<std::size_t>(std::ranges::count_if(asked_, &Asked::answered));
}

void Ledger::check_each_ended_once() const {
  for (const auto& asked : asked_) {
    run_.require_equal(asked.ended, 1U, "request " + std::to_string(asked.number) + " came to an end");
  }
}

void Ledger::check_none_acted_twice(unsigned lives) const {
  for (const auto& asked : asked_) {
    const auto text = "request " + std::to_string(asked.number) + " " + asked.method.to_string() + " acted once";
    if (asked.refused) run_.require_equal(asked.acted, 0U, "what is refused does not act");
    if (acts_once(asked.method)) run_.require(asked.acted <= lives, text);
  }
}

}  // namespace aceward::sim
