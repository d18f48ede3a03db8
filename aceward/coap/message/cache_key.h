// What makes two requests ask for the same thing.
#pragma once

#include <initializer_list>

#include "aceward/base/bytes.h"
#include "aceward/coap/message/code.h"
#include "aceward/coap/message/options.h"

namespace aceward::coap {

/// The Cache-Key of RFC 7252 section 5.6: the method and all options but those marked NoCacheKey, Observe (RFC 7641
/// section 2) and those in `interpreted`, which the caller processes by itself (the ETag of a request, for a cache;
/// Block1, Block2 and If-None-Match, for block-wise transfer). Two keys are equal if and only if the requests match.
/// The payload, which belongs to the key of a FETCH (RFC 8132 section 2), is appended if given.
Bytes cache_key(Code method, const Options& options, std::initializer_list<OptionNumber> interpreted = {},
                BytesView payload = {});
/// The same into `out`, whose memory is used again.
void cache_key(Code method, const Options& options, std::initializer_list<OptionNumber> interpreted, BytesView payload,
               Bytes& out);

}  // namespace aceward::coap
