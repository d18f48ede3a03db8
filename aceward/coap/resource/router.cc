#include "aceward/coap/resource/router.h"

#include <algorithm>
#include <utility>

namespace aceward::coap {

namespace {

template <class A, class B>
bool path_less(const A& a, const B& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](std::string_view x, std::string_view y) { return x < y; });
}

}  // namespace

bool Router::Less::operator()(const Path& a, std::span<const std::string_view> b) const { return path_less(a, b); }
bool Router::Less::operator()(std::span<const std::string_view> a, const Path& b) const { return path_less(a, b); }

Path path_of(std::string_view text) {
  Options options;
  options.add_path(text);
  const auto segments = options.path();
  return Path(segments.begin(), segments.end());
}

void Router::add(Path path, Resource& resource) { resources_.insert_or_assign(std::move(path), &resource); }

void Router::add_tree(Path path, Resource& resource) { trees_.insert_or_assign(std::move(path), &resource); }

void Router::remove(const Path& path) {
  resources_.erase(path);
  trees_.erase(path);
}

Resource* Router::find(std::span<const std::string_view> path) const {
  if (const auto found = resources_.find(path); found != resources_.end()) return found->second;
  for (std::size_t length = path.size() + 1; length-- > 0;) {
    if (const auto found = trees_.find(path.first(length)); found != trees_.end()) return found->second;
  }
  return nullptr;
}

void Router::dispatch(const RequestArrived& arrived, Instant now) {
  Responder responder(layer_, now);
  const auto path = arrived.request.options.path();
  auto* resource = find(path);
  if (resource == nullptr) return responder.respond(arrived.id, make_response(code::not_found));
  if (std::ranges::find(resource->methods(), arrived.request.method) == resource->methods().end()) {
    return responder.respond(arrived.id, make_response(code::method_not_allowed));
  }
  resource->handle(arrived.id, arrived.peer, arrived.request, responder);
}

std::optional<Event> Router::next_event(Instant now) {
  while (auto event = layer_.next_event(now)) {
    const auto* arrived = std::get_if<RequestArrived>(&*event);
    if (arrived == nullptr) return event;
    dispatch(*arrived, now);
  }
  return std::nullopt;
}

Response make_response(Code code, std::string_view diagnostic) { return {code, {}, to_bytes(diagnostic)}; }

Response make_response(Code code, ContentFormat format, Bytes payload) {
  Response response{code, {}, std::move(payload)};
  response.options.set_content_format(format);
  return response;
}

std::optional<Response> refuse_content_format(const Request& request, ContentFormat expected, bool missing_allowed) {
  const auto format = request.options.content_format();
  if (format ? *format == expected : missing_allowed) return std::nullopt;
  return make_response(code::unsupported_content_format);
}

std::optional<Response> refuse_accept(const Request& request, std::initializer_list<ContentFormat> offered) {
  const auto accept = request.options.accept();
  if (!accept || std::ranges::find(offered, *accept) != offered.end()) return std::nullopt;
  return make_response(code::not_acceptable);
}

}  // namespace aceward::coap
