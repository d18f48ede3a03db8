// `aceward decode`: what some octets are, and what they say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/cose/key.h"
#include "app/console.h"

namespace aceward::app {

struct Explanation {
  std::string kind;  ///< `coap`, `cwt`, `claims`, `cose-key`, `token-request`, `hints`, …, `cbor`
  std::string text;  ///< lines for people; no secret that has a name is in them
  /// With keys: whether the token verified under one of them.
  std::optional<bool> verified;
  std::string reason;  ///< why it did not
};

/// Octets from text: hexadecimal (white space allowed) or base64url. Empty when it is neither.
std::optional<Bytes> octets_from_text(std::string_view text);

/// What it looks like most. `octets` come from a stranger.
std::string kind_of(BytesView octets);

/// `kind` is one that kind_of returns. Fails where the octets cannot be that. `keys` verify or decrypt a token.
Outcome<Explanation> explain(std::string_view kind, BytesView octets, const std::vector<cose::Key>& keys);

}  // namespace aceward::app
