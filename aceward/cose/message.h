// What the COSE messages have in common: how they are framed, and what their reader insists on.
#pragma once

#include <optional>
#include <span>

#include "aceward/cose/headers.h"
#include "aceward/cose/usable_key.h"

namespace aceward::cose {

enum class Tagging : std::uint8_t { required, absent, either };

struct ParseOptions {
  Tagging tagging = Tagging::either;
  /// Header parameters the application processes, beyond those of RFC 9052; they may be named in crit.
  std::span<const Label> understood = {};
};

struct CreateOptions {
  BytesView external_aad = {};
  bool tagged = true;
  /// nil in place of the payload or ciphertext, which travels by other means.
  bool detached = false;
};

/// Where a message must state its algorithm. Wherever it does, it must equal the key's.
enum class AlgorithmRule : std::uint8_t {
  in_protected,  ///< RFC 9052 section 3.1: authenticated where possible
  anywhere,      ///< the unprotected bucket does too
  optional,      ///< the context knows it, as in OSCORE and EDHOC
};

struct VerifyOptions {
  BytesView external_aad = {};
  AlgorithmRule algorithm = AlgorithmRule::in_protected;
};

/// Which COSE message `encoded` is by its tag (16, 17 or 18); empty when there is no tag or another.
std::optional<MessageTag> tag_of(BytesView encoded);

}  // namespace aceward::cose
