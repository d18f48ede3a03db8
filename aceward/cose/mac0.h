// COSE_Mac0.
#pragma once

#include "aceward/cose/message.h"

namespace aceward::cose {

/// A parsed COSE_Mac0 (RFC 9052 section 6.2), tag 17:
///
///   COSE_Mac0 = [ Headers, payload : bstr / nil, tag : bstr ]
class Mac0 {
 public:
  /// Errors as Sign1::parse.
  static Result<Mac0> parse(BytesView encoded, const ParseOptions& options = {});
  /// Errors as Sign1::create, and `cose_key_restricted`.
  static Result<Bytes> create(const MacKey& key, Headers headers, BytesView payload, const CreateOptions& options = {});

  const Headers& headers() const { return headers_; }
  bool is_detached() const { return !payload_.has_value(); }

  /// As Sign1::verify; the tag has exactly the algorithm's length and is compared in constant time.
  Result<BytesView> verify(const MacKey& key, const VerifyOptions& options = {}) const&;
  Result<BytesView> verify(const MacKey& key, const VerifyOptions& options = {}) const&& = delete;
  Result<> verify_detached(const MacKey& key, BytesView payload, const VerifyOptions& options = {}) const;

 private:
  Mac0() = default;
  Headers headers_;
  std::optional<Secret> payload_;  // as in Sign1
  Bytes tag_;
};

}  // namespace aceward::cose
