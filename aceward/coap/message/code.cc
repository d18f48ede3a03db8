#include "aceward/coap/message/code.h"

namespace aceward::coap {

std::string_view Code::name() const {
  switch (value) {
    case code::empty.value: return "Empty";
    case code::get.value: return "GET";
    case code::post.value: return "POST";
    case code::put.value: return "PUT";
    case code::delete_.value: return "DELETE";
    case code::fetch.value: return "FETCH";
    case code::patch.value: return "PATCH";
    case code::ipatch.value: return "iPATCH";
    case code::created.value: return "Created";
    case code::deleted.value: return "Deleted";
    case code::valid.value: return "Valid";
    case code::changed.value: return "Changed";
    case code::content.value: return "Content";
    case code::continue_.value: return "Continue";
    case code::bad_request.value: return "Bad Request";
    case code::unauthorized.value: return "Unauthorized";
    case code::bad_option.value: return "Bad Option";
    case code::forbidden.value: return "Forbidden";
    case code::not_found.value: return "Not Found";
    case code::method_not_allowed.value: return "Method Not Allowed";
    case code::not_acceptable.value: return "Not Acceptable";
    case code::request_entity_incomplete.value: return "Request Entity Incomplete";
    case code::conflict.value: return "Conflict";
    case code::precondition_failed.value: return "Precondition Failed";
    case code::request_entity_too_large.value: return "Request Entity Too Large";
    case code::unsupported_content_format.value: return "Unsupported Content-Format";
    case code::unprocessable_entity.value: return "Unprocessable Entity";
    case code::too_many_requests.value: return "Too Many Requests";
    case code::internal_server_error.value: return "Internal Server Error";
    case code::not_implemented.value: return "Not Implemented";
    case code::bad_gateway.value: return "Bad Gateway";
    case code::service_unavailable.value: return "Service Unavailable";
    case code::gateway_timeout.value: return "Gateway Timeout";
    case code::proxying_not_supported.value: return "Proxying Not Supported";
    case code::hop_limit_reached.value: return "Hop Limit Reached";
    default: return {};
  }
}

std::string Code::number() const {
  std::string text;
  text += static_cast<char>('0' + code_class());
  text += '.';
  text += static_cast<char>('0' + detail() / 10);
  text += static_cast<char>('0' + detail() % 10);
  return text;
}

std::string Code::to_string() const {
  const auto known = name();
  if (known.empty()) return number();
  if (code_class() == 0) return std::string(known);
  return number() + " " + std::string(known);
}

}  // namespace aceward::coap
