// From a COSE_Key to the key pair that DTLS uses.
#pragma once

#include "aceward/cose/key.h"
#include "aceward/tls/credentials.h"

namespace aceward::app {

/// Errors: `cose_key_incomplete` without a private part, `raw_key_malformed` for another curve than P-256.
Result<tls::RawKeyPair> raw_key_pair(const cose::Key& key);

}  // namespace aceward::app
