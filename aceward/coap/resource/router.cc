#include "aceward/coap/resource/router.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "aceward/coap/links/filter.h"
#include "aceward/coap/resource/location.h"

namespace aceward::coap {

namespace {

constexpr std::string_view well_known = ".well-known";
constexpr std::string_view core = "core";
constexpr std::string_view not_conditional = "no conditional requests here";

char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view lowered, std::string_view text) {
  return std::ranges::equal(lowered, text, {}, {}, lower_case);
}

template <class A, class B>
bool path_less(const A& a, std::size_t a_size, const B& b, std::size_t b_size) {
  for (std::size_t i = 0; i < std::min(a_size, b_size); ++i) {
    const auto order = std::string_view(a[i]).compare(std::string_view(b[i]));
    if (order != 0) return order < 0;
  }
  return a_size < b_size;
}

/// Whether `host` is the literal of `address`, however it is written.
bool is_literal_of(std::string_view host, const Address& address) {
  const bool v6 = host.find(':') != std::string_view::npos;
  if (v6 == address.is_v4()) return false;
  const auto literal = Address::parse(v6 ? "[" + std::string(host) + "]" : std::string(host), address.port);
  return literal && literal->ip == address.ip;
}

bool is_multicast(const Address& address) {
  return address.is_v4() ? (address.ip[12] & 0xf0U) == 0xe0U : address.ip[0] == 0xff;
}

}  // namespace

std::string_view Router::Segments::operator[](std::size_t i) const {
  return options != nullptr ? as_text(options->at(first + i).value) : texts[i];
}

bool Router::Less::operator()(const Path& a, const Segments& b) const { return path_less(a, a.size(), b, b.count); }
bool Router::Less::operator()(const Segments& a, const Path& b) const { return path_less(a, a.count, b, b.size()); }

Path path_of(std::string_view text) {
  Options options;
  options.add_path(text);
  const auto segments = options.path();
  return Path(segments.begin(), segments.end());
}

std::string to_reference(const Path& path) { return to_string(Location{path, {}}); }

KnownOptions Router::known_options() {
  return KnownOptions::in_requests().add(option::if_match).add(option::if_none_match);
}

// Sites

Router::Site& Router::site_for(std::string_view authority) {
  if (authority.empty()) return default_site_;
  std::string host(authority);
  std::ranges::transform(host, host.begin(), lower_case);
  std::optional<std::uint16_t> port;
  const auto colon = host.rfind(':');
  const bool bracketed = host.starts_with('[');
  // A bare IPv6 literal has several colons and no port.
  const bool has_port = colon != std::string::npos && (bracketed ? host[colon - 1] == ']' : host.find(':') == colon);
  if (has_port) {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(host.data() + colon + 1, host.data() + host.size(), number);
    if (error == std::errc() && end == host.data() + host.size()) port = number;
    host.resize(colon);
  }
  if (bracketed && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto found =
      std::ranges::find_if(sites_, [&](const Site& site) { return site.host == host && site.port == port; });
  if (found != sites_.end()) return *found;
  Site site;
  site.host = std::move(host);
  site.port = port;
  return sites_.emplace_back(std::move(site));
}

const Router::Site* Router::site_of(const Peer& peer, const Options& options) const {
  if (sites_.empty() && serve_unknown_hosts_) return &default_site_;
  auto host = options.find_text(option::uri_host);
  // As an IP-literal stands in a URI (RFC 7252 section 6.5), and as it is told to Router::add.
  if (host && host->starts_with('[') && host->ends_with(']')) host = host->substr(1, host->size() - 2);
  const auto port = options.find_uint(option::uri_port).value_or(peer.local.port);
  const Site* any_port = nullptr;
  for (const auto& site : sites_) {
    if (host ? !equal_ignoring_case(site.host, *host) : !is_literal_of(site.host, peer.local)) continue;
    if (site.port == port) return &site;
    if (!site.port) any_port = &site;
  }
  if (any_port != nullptr) return any_port;
  if (serve_unknown_hosts_ || !host || is_literal_of(*host, peer.local)) return &default_site_;
  return nullptr;
}

void Router::add(std::string_view host, Path path, Resource& resource) {
  site_for(host).resources.insert_or_assign(std::move(path), &resource);
}

void Router::add_tree(std::string_view host, Path path, Resource& resource) {
  site_for(host).trees.insert_or_assign(std::move(path), &resource);
}

void Router::remove(std::string_view host, const Path& path) {
  auto& site = site_for(host);
  site.resources.erase(path);
  site.trees.erase(path);
}

// Looking up

Router::Segments Router::segments_of(const Options& options) {
  Segments segments;
  segments.options = &options;
  segments.count = options.count(option::uri_path);
  while (segments.first < options.size() && options.at(segments.first).number < option::uri_path) ++segments.first;
  return segments;
}

Resource* Router::find(const Site& site, Segments path) {
  if (const auto found = site.resources.find(path); found != site.resources.end()) return found->second;
  if (site.trees.empty()) return nullptr;
  for (path.count += 1; path.count-- > 0;) {
    if (const auto found = site.trees.find(path); found != site.trees.end()) return found->second;
  }
  return nullptr;
}

Resource* Router::find(std::span<const std::string_view> path) const {
  Segments segments;
  segments.texts = path;
  segments.count = path.size();
  return find(default_site_, segments);
}

Resource* Router::find(const Peer& peer, const Options& options) const {
  const auto* site = site_of(peer, options);
  return site == nullptr ? nullptr : find(*site, segments_of(options));
}

bool Router::is_list_of_links(const Segments& path) const {
  return well_known_core_ && path.count == 2 && path[0] == well_known && path[1] == core;
}

bool Router::serves(const Peer& peer, const Options& options) const {
  const auto* site = site_of(peer, options);
  if (site == nullptr) return false;
  const auto path = segments_of(options);
  return is_list_of_links(path) || find(*site, path) != nullptr;
}

// Discovery

std::vector<links::Link> Router::listed(const Site& site, const Peer& peer) const {
  std::vector<links::Link> all;
  const auto put = [&](links::Link link) {
    if (!visible_ || visible_(peer, link)) all.push_back(std::move(link));
  };
  for (const auto* table : {&site.resources, &site.trees}) {
    for (const auto& [path, resource] : *table) {
      auto link = resource->link();
      if (!link) continue;
      link->target = to_reference(path);
      put(*std::move(link));
    }
  }
  for (const auto& link : extra_links_) put(link);
  return all;
}

std::vector<links::Link> Router::listed(const Peer& peer, const Options& options) const {
  const auto* site = site_of(peer, options);
  return site == nullptr ? std::vector<links::Link>{} : listed(*site, peer);
}

void Router::answer_well_known_core(const Site& site, const RequestArrived& arrived, Responder& responder) const {
  const auto& options = arrived.request.options;
  if (arrived.request.method != code::get) {
    return responder.respond(arrived.id, make_response(code::method_not_allowed));
  }
  if (auto refused = refuse_accept(arrived.request, {content_format::link_format})) {
    return responder.respond(arrived.id, *std::move(refused));
  }
  std::vector<links::Filter> filters;
  for (const auto query : options.queries()) {
    auto filter = links::Filter::parse(query);
    if (!filter) return responder.respond(arrived.id, make_response(code::bad_request, "a filter is name=value"));
    filters.push_back(*std::move(filter));
  }
  auto all = listed(site, arrived.peer);
  std::erase_if(all, [&](const links::Link& link) { return !links::matches_all(filters, link); });
  // RFC 6690 section 4.1: no storm of answers that say nothing.
  if (all.empty() && !filters.empty() && is_multicast(arrived.peer.local)) return responder.stay_silent(arrived.id);
  const std::string document = links::serialize(all);
  const auto tag = etag_of(as_bytes(document), content_format::link_format);
  if (auto valid = validated(arrived.request, tag)) return responder.respond(arrived.id, *std::move(valid));
  auto response = make_response(code::content, content_format::link_format, to_bytes(document));
  response.options.add(option::etag, tag.view());
  responder.respond(arrived.id, std::move(response));
}

// Requests

void Router::dispatch(const RequestArrived& arrived, Instant now) {
  Responder responder(layer_, now);
  const auto& options = arrived.request.options;
  const auto* site = site_of(arrived.peer, options);
  if (site == nullptr) return responder.respond(arrived.id, make_response(code::not_found));
  const auto path = segments_of(options);
  auto* resource = find(*site, path);
  const bool conditional = options.has(option::if_match) || options.has(option::if_none_match);
  if (resource == nullptr) {
    if (!is_list_of_links(path)) return responder.respond(arrived.id, make_response(code::not_found));
    if (conditional) return responder.respond(arrived.id, make_response(code::bad_option, not_conditional));
    return answer_well_known_core(*site, arrived, responder);
  }
  const auto methods = resource->methods();
  if (std::ranges::find(methods, arrived.request.method) == methods.end()) {
    return responder.respond(arrived.id, make_response(code::method_not_allowed));
  }
  if (conditional && !resource->evaluates_preconditions()) {
    return responder.respond(arrived.id, make_response(code::bad_option, not_conditional));
  }
  resource->handle(arrived.id, arrived.peer, arrived.request, responder);
}

std::optional<Event> Router::next_event(Instant now) {
  while (auto event = layer_.next_event(now)) {
    auto* arrived = std::get_if<RequestArrived>(&*event);
    if (arrived == nullptr) return event;
    dispatch(*arrived, now);
    layer_.recycle(std::move(arrived->request));
  }
  return std::nullopt;
}

}  // namespace aceward::coap
