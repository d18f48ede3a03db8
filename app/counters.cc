#include "app/counters.h"

#include "app/console.h"

namespace aceward::app {

namespace {

using Values = std::vector<std::pair<std::string_view, std::uint64_t>>;

Values values_of(const coap::Counters& counters) {
  return {{"received", counters.received},
          {"sent", counters.sent},
          {"retransmitted", counters.retransmitted},
          {"ignored", counters.ignored},
          {"rejected", counters.rejected},
          {"duplicates", counters.duplicates},
          {"unmatched", counters.unmatched},
          {"bad_options", counters.bad_options},
          {"too_large", counters.too_large},
          {"timed_out", counters.timed_out},
          {"late_answers", counters.late_answers},
          {"forgotten_early", counters.forgotten_early},
          {"challenged", counters.challenged},
          {"verified", counters.verified},
          {"bad_echo", counters.bad_echo},
          {"shortened", counters.shortened},
          {"held_back", counters.held_back},
          {"refused_busy", counters.refused_busy},
          {"refused_peers", counters.refused_peers},
          {"refused_remembering", counters.refused_remembering},
          {"refused_requests", counters.refused_requests},
          {"refused_answers", counters.refused_answers},
          {"refused_events", counters.refused_events},
          {"refused_datagrams", counters.refused_datagrams},
          {"refused_message_ids", counters.refused_message_ids}};
}

Values values_of(const coap::BlockwiseCounters& counters) {
  return {{"assemblies_started", counters.assemblies_started},
          {"assembled", counters.assembled},
          {"assemblies_restarted", counters.assemblies_restarted},
          {"assemblies_expired", counters.assemblies_expired},
          {"assemblies_evicted", counters.assemblies_evicted},
          {"repeated_blocks", counters.repeated_blocks},
          {"refused_malformed", counters.refused_malformed},
          {"refused_gaps", counters.refused_gaps},
          {"refused_overlaps", counters.refused_overlaps},
          {"refused_too_large", counters.refused_too_large},
          {"refused_full", counters.refused_full},
          {"answers_cut", counters.answers_cut},
          {"held_expired", counters.held_expired},
          {"held_evicted", counters.held_evicted},
          {"not_held", counters.not_held},
          {"asked_again", counters.asked_again},
          {"unanswerable", counters.unanswerable},
          {"size_mismatches", counters.size_mismatches}};
}

Values values_of(const coap::ObservationCounters& counters) {
  return {{"registered", counters.registered},
          {"replaced", counters.replaced},
          {"deregistered", counters.deregistered},
          {"refused", counters.refused},
          {"notified", counters.notified},
          {"confirmable", counters.confirmable},
          {"skipped", counters.skipped},
          {"lost", counters.lost},
          {"ended_by_error", counters.ended_by_error},
          {"format_changed", counters.format_changed},
          {"answered_too_late", counters.answered_too_late}};
}

Values values_of(const tls::Server::Counters& counters) {
  return {{"datagrams_in", counters.datagrams_in},
          {"malformed", counters.malformed},
          {"unexpected", counters.unexpected},
          {"undecryptable", counters.undecryptable},
          {"cookies_sent", counters.cookies_sent},
          {"handshakes_started", counters.handshakes_started},
          {"handshakes_completed", counters.handshakes_completed},
          {"handshakes_failed", counters.handshakes_failed},
          {"refused_half_open", counters.refused_half_open},
          {"refused_sessions", counters.refused_sessions},
          {"duplicate_hellos", counters.duplicate_hellos},
          {"renegotiations_refused", counters.renegotiations_refused}};
}

Values values_of(const std::vector<net::UdpSocket::Counters>& sockets) {
  net::UdpSocket::Counters sum;
  for (const auto& one : sockets) {
    sum.datagrams_in += one.datagrams_in;
    sum.datagrams_out += one.datagrams_out;
    sum.octets_in += one.octets_in;
    sum.octets_out += one.octets_out;
    sum.truncated += one.truncated;
    sum.queue_dropped += one.queue_dropped;
    sum.send_errors += one.send_errors;
    sum.receive_errors += one.receive_errors;
    sum.calls_in += one.calls_in;
    sum.calls_out += one.calls_out;
  }
  return {{"datagrams_in", sum.datagrams_in}, {"datagrams_out", sum.datagrams_out},
          {"octets_in", sum.octets_in},       {"octets_out", sum.octets_out},
          {"truncated", sum.truncated},       {"queue_dropped", sum.queue_dropped},
          {"send_errors", sum.send_errors},   {"receive_errors", sum.receive_errors},
          {"calls_in", sum.calls_in},         {"calls_out", sum.calls_out}};
}

Values held_in(coaps::ServerStack& stack) {
  const coap::Occupancy now = stack.endpoint().occupancy();
  const coap::BlockwiseOccupancy blocks = stack.blockwise().occupancy();
  return {{"sessions", stack.session_count()},
          {"half_open", stack.half_open_count()},
          {"peers", now.peers},
          {"remembered", now.remembered},
          {"requests", now.requests},
          {"answers", now.answers},
          {"events", now.events},
          {"datagrams", now.datagrams},
          {"assemblies", blocks.assemblies},
          {"assembly_octets", blocks.assembly_bytes},
          {"held_answers", blocks.held},
          {"held_octets", blocks.held_bytes}};
}

std::vector<CounterGroup> groups_of(std::string_view role, coaps::ServerStack& stack,
                                    const std::vector<net::UdpSocket::Counters>& sockets) {
  return {{role, "messages", values_of(stack.endpoint().counters())},
          {role, "blockwise", values_of(stack.blockwise().counters())},
          {role, "dtls", values_of(stack.tls_counters())},
          {role, "sockets", values_of(sockets)},
          {role, "held", held_in(stack)}};
}

}  // namespace

std::vector<CounterGroup> counters_of(AsRole& role) {
  auto groups = groups_of("as", role.stack(), role.host().counters());
  groups.back().values.emplace_back("revoked_tokens", role.service().revocations().size());
  return groups;
}

std::vector<CounterGroup> counters_of(RsRole& role) {
  auto groups = groups_of("rs", role.service().stack(), role.host().counters());
  const coap::Observations& observations = role.service().observations();
  groups.back().values.emplace_back("tokens", role.service().server().tokens().size());
  groups.back().values.emplace_back("observers", observations.observers());
  groups.push_back({"rs", "observe", values_of(observations.counters())});
  return groups;
}

std::vector<DecisionCounters> decisions_of(AsRole& role) {
  const ace::as::TokenEndpoint::Counters& tokens = role.endpoint().counters();
  const ace::as::IntrospectionEndpoint::Counters& introspection = role.service().introspection().counters();
  return {
      {"as", "tokens_issued", "Tokens that were issued.", tokens.granted, {}},
      {"as", "token_requests_refused", "Requests for tokens that were refused, by reason.", 0, tokens.refused},
      {"as", "introspections_active", "Tokens that were told as active.", introspection.active, {}},
      {"as", "introspections_inactive", "Tokens that were told as not active, by reason.", 0, introspection.inactive},
      {"as", "introspections_refused", "Introspections that were refused, by reason.", 0, introspection.refused}};
}

std::string counters_json(const std::vector<CounterGroup>& groups) {
  std::string text = "{";
  std::string_view role;
  for (const CounterGroup& group : groups) {
    if (group.role != role) {
      if (!role.empty()) text += "},";
      text += json_quoted(group.role) + ":{";
      role = group.role;
    } else {
      text += ",";
    }
    text += json_quoted(group.name) + ":{";
    for (std::size_t i = 0; i < group.values.size(); ++i) {
      text += (i == 0 ? "" : ",") + json_quoted(group.values[i].first) + ":" + std::to_string(group.values[i].second);
    }
    text += "}";
  }
  return text + (role.empty() ? "}" : "}}");
}

std::string counters_line(const CounterGroup& group) {
  std::string text;
  for (const auto& [name, value] : group.values) {
    if (value == 0) continue;
    text.append(text.empty() ? " " : ", ").append(name).append(" ").append(std::to_string(value));
  }
  return std::string(group.role) + " " + std::string(group.name) + ":" + (text.empty() ? " nothing" : text);
}

}  // namespace aceward::app
