// Why coap/ refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason coap_truncated{"coap_truncated", ErrorClass::malformed,
                                       "the datagram is shorter than the four octets of a CoAP header",
                                       "check that the sender speaks CoAP on this port"};
inline constexpr Reason coap_version_unknown{"coap_version_unknown", ErrorClass::unsupported,
                                             "the CoAP version in the header is not 1",
                                             "check that the sender speaks CoAP, not DTLS, on this port"};
inline constexpr Reason coap_token_length{"coap_token_length", ErrorClass::malformed,
                                          "the token length is the reserved value 15", "check the sender's encoder"};
inline constexpr Reason coap_token_too_long{"coap_token_too_long", ErrorClass::unsupported,
                                            "the token is longer than is accepted",
                                            "send a shorter token, or raise the limit"};
inline constexpr Reason coap_token_truncated{"coap_token_truncated", ErrorClass::malformed,
                                             "the message ends within its token", "check the sender's encoder"};
inline constexpr Reason coap_option_malformed{
    "coap_option_malformed", ErrorClass::malformed,
    "an option uses a reserved delta or length, or the message ends within it", "check the sender's encoder"};
inline constexpr Reason coap_option_number_too_large{"coap_option_number_too_large", ErrorClass::malformed,
                                                     "an option number exceeds 65535", "check the sender's encoder"};
inline constexpr Reason coap_too_many_options{"coap_too_many_options", ErrorClass::unsupported,
                                              "the message has more options than are accepted",
                                              "send fewer options, or raise the limit"};
inline constexpr Reason coap_message_too_large{"coap_message_too_large", ErrorClass::unsupported,
                                               "the message exceeds the size of a datagram that is accepted",
                                               "use block-wise transfer"};
inline constexpr Reason coap_payload_missing{"coap_payload_missing", ErrorClass::malformed,
                                             "a payload marker is followed by no payload",
                                             "check the sender's encoder"};
inline constexpr Reason coap_empty_not_empty{"coap_empty_not_empty", ErrorClass::malformed,
                                             "a message with code 0.00 has a token, options or a payload",
                                             "check the sender's encoder"};
inline constexpr Reason coap_reset_not_empty{"coap_reset_not_empty", ErrorClass::malformed,
                                             "a Reset message is not empty", "check the sender's encoder"};
inline constexpr Reason coap_code_reserved{"coap_code_reserved", ErrorClass::malformed,
                                           "the code lies in one of the reserved classes 1, 6 and 7",
                                           "check whether the sender means CoAP over TCP"};
inline constexpr Reason coap_acknowledged_request{"coap_acknowledged_request", ErrorClass::malformed,
                                                  "an Acknowledgement carries a request",
                                                  "check the sender's message layer"};
inline constexpr Reason coap_option_value_malformed{"coap_option_value_malformed", ErrorClass::malformed,
                                                    "the value of an option has a length that it may not have",
                                                    "check the sender's encoder"};
inline constexpr Reason uri_malformed{"uri_malformed", ErrorClass::malformed, "the text is not an absolute CoAP URI",
                                      "write coap://host[:port]/path?query, with reserved characters percent-encoded"};
inline constexpr Reason uri_scheme_unknown{"uri_scheme_unknown", ErrorClass::unsupported,
                                           "the URI's scheme is neither coap nor coaps",
                                           "write coap:// or coaps:// in front of the host"};
inline constexpr Reason uri_has_fragment{"uri_has_fragment", ErrorClass::malformed,
                                         "the URI has a fragment, which CoAP cannot carry",
                                         "remove the # and what follows"};
inline constexpr Reason uri_option_too_long{"uri_option_too_long", ErrorClass::malformed,
                                            "a part of the URI exceeds the 255 octets of its option",
                                            "shorten the host, path segment or query argument"};
inline constexpr Reason uri_not_for_this_client{
    "uri_not_for_this_client", ErrorClass::unsupported,
    "the URI asks for DTLS or has a host name, and this client does plain CoAP"
    " to addresses",
    "write coap:// and an IP address, or take a client that resolves names"};
inline constexpr Reason coap_too_many_requests{"coap_too_many_requests", ErrorClass::internal,
                                               "too many requests wait for an answer",
                                               "wait for answers, or raise the limit of open requests"};
inline constexpr Reason coap_too_many_answers{"coap_too_many_answers", ErrorClass::peer_misbehaved,
                                              "too many requests of peers wait for their answers",
                                              "answer sooner, or raise the limit of open answers"};
inline constexpr Reason coap_too_many_peers{"coap_too_many_peers", ErrorClass::internal,
                                            "state is held for too many peers",
                                            "wait for old exchanges to expire, or raise the limit of peers"};
inline constexpr Reason coap_not_acknowledged{"coap_not_acknowledged", ErrorClass::peer_misbehaved,
                                              "a confirmable message was not acknowledged after all retransmissions",
                                              "check that the peer is up and reachable on this address and port"};
inline constexpr Reason coap_not_answered{"coap_not_answered", ErrorClass::peer_misbehaved, "no response came in time",
                                          "check that the peer is up, or allow it more time"};
inline constexpr Reason coap_reset_by_peer{"coap_reset_by_peer", ErrorClass::peer_misbehaved,
                                           "the peer rejected the message with a Reset",
                                           "check that the peer serves CoAP requests, or whether it restarted"};
inline constexpr Reason coap_response_bad_option{"coap_response_bad_option", ErrorClass::unsupported,
                                                 "the response has a critical option that is not understood",
                                                 "compare the response's options with those that are supported"};
inline constexpr Reason coap_response_too_large{"coap_response_too_large", ErrorClass::unsupported,
                                                "the response exceeds the size of a datagram that is accepted",
                                                "ask for block-wise transfer with the Block2 option"};
inline constexpr Reason coap_answer_overdue{"coap_answer_overdue", ErrorClass::internal,
                                            "the request was not answered within the time a client waits",
                                            "look for what the resource's handler waits for"};

}  // namespace aceward::reason
