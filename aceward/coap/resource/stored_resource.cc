#include "aceward/coap/resource/stored_resource.h"

#include <algorithm>
#include <utility>

namespace aceward::coap {

namespace {

template <class Hooks>
auto* hook_for(const Hooks& hooks, std::optional<ContentFormat> format) {
  const auto found = std::ranges::find_if(hooks, [&](const auto& hook) { return format && hook.first == *format; });
  return found == hooks.end() ? nullptr : &found->second;
}

template <class Hooks>
std::vector<ContentFormat> formats_of(const Hooks& hooks) {
  std::vector<ContentFormat> formats;
  for (const auto& hook : hooks) formats.push_back(hook.first);
  return formats;
}

template <class Hooks, class Hook>
void set_hook(Hooks& hooks, ContentFormat format, Hook hook) {
  const auto found = std::ranges::find_if(hooks, [&](const auto& one) { return one.first == format; });
  if (found != hooks.end()) {
    found->second = std::move(hook);
  } else {
    hooks.emplace_back(format, std::move(hook));
  }
}

}  // namespace

StoredResource::StoredResource(ContentFormat format, Bytes content, StoredRules rules)
    : rules_(std::move(rules)), first_format_(format) {
  const auto tag = etag_of(content, format);
  current_ = Representation{format, std::move(content), tag};
  if (rules_.formats.empty()) rules_.formats.push_back(format);
  list_methods();
}

StoredResource::StoredResource(std::string_view text, StoredRules rules)
    : StoredResource(content_format::text_plain, to_bytes(text), std::move(rules)) {}

StoredResource::StoredResource(StoredRules rules) : rules_(std::move(rules)) {
  if (rules_.formats.empty()) rules_.formats.push_back(content_format::octet_stream);
  first_format_ = rules_.formats.front();
  list_methods();
}

void StoredResource::list_methods() {
  methods_.assign(1, code::get);
  if (rules_.put) methods_.push_back(code::put);
  if (rules_.delete_) methods_.push_back(code::delete_);
  if (post_) methods_.push_back(code::post);
  if (!fetches_.empty()) methods_.push_back(code::fetch);
  if (!patches_.empty()) {
    methods_.push_back(code::patch);
    methods_.push_back(code::ipatch);
  }
}

void StoredResource::take_patches(ContentFormat format, Patch patch) {
  set_hook(patches_, format, std::move(patch));
  list_methods();
}

void StoredResource::take_fetches(ContentFormat format, Fetch answer) {
  set_hook(fetches_, format, std::move(answer));
  list_methods();
}

void StoredResource::take_posts(Post answer) {
  post_ = std::move(answer);
  list_methods();
}

std::optional<links::Link> StoredResource::link() const {
  if (!current_) return std::nullopt;
  auto link = rules_.link;
  if (link && !link->has("ct")) link->add("ct", static_cast<std::uint64_t>(current_->format.value));
  return link;
}

// Changes

bool StoredResource::replace(ContentFormat format, Bytes content, Instant now) {
  const bool created = !current_;
  if (current_ && current_->format == format && current_->content == content) return false;
  const auto tag = etag_of(content, format);
  current_ = Representation{format, std::move(content), tag};
  if (on_change_) on_change_(*this, now);
  return created;
}

void StoredResource::set(ContentFormat format, Bytes content, Instant now) { replace(format, std::move(content), now); }

void StoredResource::erase(Instant now) {
  if (!current_) return;
  current_.reset();
  if (on_change_) on_change_(*this, now);
}

// Requests

std::optional<BytesView> StoredResource::current_etag() const {
  if (!current_) return std::nullopt;
  return current_->etag.view();
}

Response StoredResource::answer(const Request& request, Instant now, Response spare) {
  if (std::ranges::find(methods_, request.method) == methods_.end()) return make_response(code::method_not_allowed);
  if (auto refused = refuse_precondition(request, current_etag())) return *std::move(refused);
  if (request.method == code::get) return read(request, std::move(spare));
  if (request.method == code::put) return put(request, now);
  if (request.method == code::delete_) return remove(now);
  if (request.method == code::post) return post_(*this, request, now);
  if (request.method == code::fetch) return fetch(request);
  return patch(request, now);
}

Response StoredResource::read(const Request& request, Response spare) const {
  if (!current_) return make_response(code::not_found);
  if (auto refused = refuse_accept(request, {current_->format})) return *std::move(refused);
  if (auto valid = validated(request, current_->etag)) {
    spare = *std::move(valid);
  } else {
    spare.code = code::content;
    spare.options.add(option::etag, current_->etag.view());
    spare.options.set_content_format(current_->format);
    spare.payload.assign(current_->content.begin(), current_->content.end());
  }
  if (rules_.max_age) set_max_age(spare.options, *rules_.max_age);
  return spare;
}

Response StoredResource::fetch(const Request& request) const {
  if (!current_) return make_response(code::not_found);
  // RFC 8132 section 2.3.1: the Content-Format must be there; what is there decides who answers.
  const auto* hook = hook_for(fetches_, request.options.content_format());
  if (hook == nullptr) {
    if (!request.options.has(option::content_format)) {
      return make_response(code::bad_request, "a FETCH has a Content-Format");
    }
    return *refuse_content_format(request, formats_of(fetches_));
  }
  if (auto refused = refuse_size(request, rules_.max_size)) return *std::move(refused);
  return (*hook)(*current_, request);
}

Response StoredResource::put(const Request& request, Instant now) {
  if (auto refused = refuse_content_format(request, rules_.formats, true)) return *std::move(refused);
  if (auto refused = refuse_size(request, rules_.max_size)) return *std::move(refused);
  const auto format = request.options.content_format().value_or(rules_.formats.front());
  const bool created = replace(format, request.payload, now);
  auto response = make_response(created ? code::created : code::changed);
  response.options.add(option::etag, current_->etag.view());
  return response;
}

Response StoredResource::remove(Instant now) {
  // RFC 7252 section 5.8.4: 2.02 also where there was nothing.
  erase(now);
  return make_response(code::deleted);
}

Response StoredResource::patch(const Request& request, Instant now) {
  const auto* hook = hook_for(patches_, request.options.content_format());
  if (hook == nullptr) return *refuse_content_format(request, formats_of(patches_));
  if (auto refused = refuse_size(request, rules_.max_size)) return *std::move(refused);
  auto after = (*hook)(representation(), request);
  if (!after) return std::move(after.error());
  if (after->size() > rules_.max_size) return make_response(code::request_entity_too_large);
  const bool created = replace(current_ ? current_->format : first_format_, *std::move(after), now);
  auto response = make_response(created ? code::created : code::changed);
  response.options.add(option::etag, current_->etag.view());
  return response;
}

void StoredResource::handle(ExchangeId id, const Peer& /*peer*/, const Request& request, Responder& responder) {
  responder.respond(id, answer(request, responder.now(), responder.spare()));
}

}  // namespace aceward::coap
