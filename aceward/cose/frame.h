// How the three messages are framed: shared by sign1.cc, mac0.cc and encrypt0.cc, of no use outside.
#pragma once

#include <optional>

#include "aceward/cbor/writer.h"
#include "aceward/cose/message.h"

namespace aceward::cose {

/// What stands between tag and end. `body` is absent when detached; `last` is the signature or MAC, where there is one.
struct Frame {
  Headers headers;
  std::optional<Bytes> body;
  Bytes last;
};

/// `elements` is 3 or 4.
Result<Frame> parse_frame(BytesView encoded, MessageTag tag, std::size_t elements, const ParseOptions& options);

/// Puts `algorithm` into the protected bucket and checks the headers.
Result<> complete(Headers& headers, Algorithm algorithm);

/// The content of the protected byte string to send: none for an empty map (RFC 9052 section 3).
Bytes protected_to_send(const Headers& headers);

/// Tag, array head, both buckets and body.
void write_frame(cbor::Writer& out, MessageTag tag, std::size_t elements, BytesView protected_octets,
                 const Headers& headers, BytesView body, const CreateOptions& options);

/// Does the message state the key's algorithm where `rule` wants it? Errors: `cose_algorithm_missing`,
/// `cose_algorithm_mismatch`.
Result<> check_algorithm(const Headers& headers, Algorithm algorithm, AlgorithmRule rule);

}  // namespace aceward::cose
