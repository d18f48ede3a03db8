#include "aceward/ace/params/introspection.h"

#include "aceward/ace/params/reasons.h"

namespace aceward::ace {

namespace {

constexpr cbor::Limits introspection_limits{.max_depth = 8, .max_items = 256, .max_size = max_introspection_message};

}  // namespace

Result<IntrospectionRequest> parse_introspection_request(BytesView octets) {
  IntrospectionRequest request = ACEWARD_TRY(cbor::parse<IntrospectionRequest>(octets, introspection_limits));
  if (request.token.empty() || request.token.size() > max_introspected_token)
    return fail(reason::introspection_malformed, "token");
  return request;
}

Result<IntrospectionResponse> parse_introspection_response(BytesView octets) {
  IntrospectionResponse response = ACEWARD_TRY(cbor::parse<IntrospectionResponse>(octets, introspection_limits));
  if (!response.active) return IntrospectionResponse{};
  return response;
}

}  // namespace aceward::ace
