// What a client is told when it gets no token (RFC 9200 section 5.8.3): the one place where that is decided.
#pragma once

#include <chrono>

#include "aceward/base/result.h"
#include "aceward/coap/layer.h"

namespace aceward::ace::as {

/// invalid_client is answered with 4.01 in every case: each of them means that the channel does not stand for the
/// client that the request is about. An audience that nobody has and one that the client may not use look the same.
/// `retry_after` is the Max-Age, at least 1 s, of what says "come back later": 4.29 for who asks too often, 5.03 for
/// what waits for the owner of the server. The others have none. Every way in which a refresh token can be no good is
/// one answer, and so is every way in which a client_secret can be.
coap::Response refusal(const Error& error, std::chrono::seconds retry_after = std::chrono::seconds(1));
/// When the ledger could not record the token: 5.03 for `store_unavailable`, a bare 5.00 for the rest, whatever its
/// class: it is about our records, not about what the client sent.
coap::Response refusal_by_ledger(const Error& error);

}  // namespace aceward::ace::as
