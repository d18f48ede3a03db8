// Why a block-wise transfer is given up.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason coap_block_malformed{"coap_block_malformed", ErrorClass::malformed,
                                             "a Block1 or Block2 option is too long, repeated, or of block size 7",
                                             "check the sender's encoder"};
inline constexpr Reason coap_block_size{"coap_block_size", ErrorClass::peer_misbehaved,
                                        "a block that is not the last has not the size that its option says",
                                        "check how the peer cuts bodies into blocks"};
inline constexpr Reason coap_block_unexpected{"coap_block_unexpected", ErrorClass::peer_misbehaved,
                                              "the peer answered with another block than the one that was due",
                                              "check the peer's block-wise transfer, and what lies in between"};
inline constexpr Reason coap_body_changed{"coap_body_changed", ErrorClass::peer_misbehaved,
                                          "the representation changed each time while its blocks were fetched",
                                          "ask when the resource changes less often, or for larger blocks"};
inline constexpr Reason coap_body_too_large{"coap_body_too_large", ErrorClass::unsupported,
                                            "the body exceeds the size that is accepted or that blocks can number",
                                            "raise the limit of bodies, or use larger blocks"};
inline constexpr Reason coap_bodies_full{"coap_bodies_full", ErrorClass::internal,
                                         "the bodies that are being received exceed the memory meant for them",
                                         "wait for other transfers, or raise the limit"};
inline constexpr Reason coap_answer_incomplete{
    "coap_answer_incomplete", ErrorClass::peer_misbehaved,
    "the request was carried out, but the rest of its answer could not be fetched",
    "look at the resource's state before the request is repeated"};

}  // namespace aceward::reason
