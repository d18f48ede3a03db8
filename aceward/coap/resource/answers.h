// The answers that every resource gives alike.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "aceward/coap/layer.h"
#include "aceward/coap/resource/etag.h"

namespace aceward::coap {

/// A bare response: an error code, perhaps with a diagnostic payload in UTF-8 (RFC 7252 section 5.5.2), a brief
/// sentence in English for engineers. Without more to say than the code says, leave it empty.
Response make_response(Code code, std::string_view diagnostic = {});
/// A response with a payload of one Content-Format. With an error code the payload is the result of the action, not a
/// diagnostic (section 5.5.1).
Response make_response(Code code, ContentFormat format, Bytes payload);

/// nullopt if the request's Content-Format is `expected`, or if it has none and a missing one is allowed; else the 4.15
/// to answer (RFC 7252 section 5.9.2.11).
std::optional<Response> refuse_content_format(const Request& request, ContentFormat expected,
                                              bool missing_allowed = false);
/// The same for several. The 4.15 names them in its diagnostic payload, since no option can (RFC 8132 section 3.4): to
/// a PATCH "use Content-Format 51 or 52".
std::optional<Response> refuse_content_format(const Request& request, std::span<const ContentFormat> expected,
                                              bool missing_allowed = false);

/// nullopt if the request has no Accept option or one of `offered`; else the 4.06 to answer (section 5.10.4).
std::optional<Response> refuse_accept(const Request& request, std::initializer_list<ContentFormat> offered);
std::optional<Response> refuse_accept(const Request& request, std::span<const ContentFormat> offered);

/// Evaluates If-Match and If-None-Match (RFC 7252 section 5.10.8): nullopt if the request may go on, else the 4.12 to
/// answer. `current_etag` is that of the representation there is now; empty if it exists but has no tag, nullopt if
/// there is none.
std::optional<Response> refuse_precondition(const Request& request, std::optional<BytesView> current_etag);

/// The 2.03 to answer if the request is a GET or FETCH one of whose ETag options is the current one (section 5.9.1.3,
/// RFC 8132 section 2.3.2); nullopt otherwise. Freshness options (Max-Age) are the caller's to add.
std::optional<Response> validated(const Request& request, const ETag& current);

/// What Max-Age says, or the 60 seconds that its absence means (section 5.10.5).
std::chrono::seconds max_age_of(const Options& options);
/// Whole seconds, between 0 and 2^32-1; 60 leaves the option out.
void set_max_age(Options& options, std::chrono::seconds age);

/// No more than `limit` octets of payload: else the 4.13 with Size1 to answer (section 5.9.2.9).
std::optional<Response> refuse_size(const Request& request, std::size_t limit);

}  // namespace aceward::coap
