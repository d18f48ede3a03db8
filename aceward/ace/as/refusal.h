// What a client is told when it gets no token (RFC 9200 section 5.8.3): the one place where that is decided.
#pragma once

#include "aceward/base/result.h"
#include "aceward/coap/layer.h"

namespace aceward::ace::as {

/// invalid_client is answered with 4.01 in every case: each of them means that the channel does not stand for the
/// client that the request is about. An audience that nobody has and one that the client may not use look the same.
coap::Response refusal(const Error& error);
/// When the ledger could not record the token: 5.03 for `store_unavailable`, a bare 5.00 for the rest, whatever its
/// class: it is about our records, not about what the client sent.
coap::Response refusal_by_ledger(const Error& error);

}  // namespace aceward::ace::as
