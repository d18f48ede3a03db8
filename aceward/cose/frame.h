// How the three messages are framed: shared by sign1.cc, mac0.cc and encrypt0.cc, of no use outside.
#pragma once

#include <optional>
#include <string_view>

#include "aceward/base/secret.h"
#include "aceward/cose/message.h"

namespace aceward::cose {

/// What stands between tag and end. `body` is absent when detached, and may be what another message had encrypted;
/// `last` is the signature or MAC, where there is one.
struct Frame {
  Headers headers;
  std::optional<Secret> body;
  Bytes last;
};

/// `elements` is 3 or 4.
Result<Frame> parse_frame(BytesView encoded, MessageTag tag, std::size_t elements, const ParseOptions& options);

/// Puts `algorithm` into the protected bucket and checks the headers.
Result<> complete(Headers& headers, Algorithm algorithm);

/// The content of the protected byte string to send: none for an empty map (RFC 9052 section 3).
Bytes protected_to_send(const Headers& headers);

/// The message: tag, array, both buckets and body, and the signature or MAC if given. Leaves no copy of the body.
Bytes framed(MessageTag tag, BytesView protected_octets, const Headers& headers, BytesView body,
             std::optional<BytesView> last, const CreateOptions& options);

/// Sig_structure and MAC_structure: [context, protected, external_aad, payload].
Secret authenticated_structure(std::string_view context, BytesView protected_octets, BytesView external_aad,
                               BytesView payload);

/// Does the message state the key's algorithm where `rule` wants it? Errors: `cose_algorithm_missing`,
/// `cose_algorithm_mismatch`.
Result<> check_algorithm(const Headers& headers, Algorithm algorithm, AlgorithmRule rule);

}  // namespace aceward::cose
