// Why a resource server refuses. docs/reasons.md lists the reasons of all modules.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason token_kid_unknown{"token_kid_unknown", ErrorClass::malformed,
                                          "the token's cnf refers to a key that is not held for its issuer",
                                          "let the authorization server put the whole key into the token"};
inline constexpr Reason token_kid_ambiguous{"token_kid_ambiguous", ErrorClass::malformed,
                                            "the token's cnf refers to a kid that several keys of its issuer have",
                                            "let the authorization server put the whole key into the token"};
inline constexpr Reason token_store_full{"token_store_full", ErrorClass::internal,
                                         "the resource server holds as many tokens as it may",
                                         "wait until tokens expire, or raise the limit"};
inline constexpr Reason authz_info_busy{"authz_info_busy", ErrorClass::denied,
                                        "too many tokens were posted in this second",
                                        "try again after Max-Age (RFC 8516)"};
inline constexpr Reason authz_info_method{"authz_info_method", ErrorClass::denied,
                                          "authz-info was asked something other than POST",
                                          "post the access token; nothing else is possible there"};
inline constexpr Reason authz_info_format{"authz_info_format", ErrorClass::unsupported,
                                          "the token was posted without Content-Format application/cwt",
                                          "set Content-Format 61"};
inline constexpr Reason request_unprotected{"request_unprotected", ErrorClass::denied,
                                            "the request for a protected resource came over no secure channel",
                                            "get a token from the authorization server that the hints name"};
inline constexpr Reason request_without_token{"request_without_token", ErrorClass::denied,
                                              "no valid token is bound to the request's secure channel",
                                              "get a new token from the authorization server"};
inline constexpr Reason request_not_for_us{"request_not_for_us", ErrorClass::denied,
                                           "the request is destined for another host",
                                           "look at Uri-Host and at the proxy options"};
inline constexpr Reason request_target_not_covered{"request_target_not_covered", ErrorClass::denied,
                                                   "the client's token does not cover the resource",
                                                   "get a token whose scope does"};
inline constexpr Reason request_method_not_covered{"request_method_not_covered", ErrorClass::denied,
                                                   "the client's token covers the resource, but not this method",
                                                   "get a token whose scope does"};

inline constexpr Reason token_revoked{"token_revoked", ErrorClass::denied,
                                      "the authorization server has revoked the token",
                                      "get a new one from the authorization server"};
inline constexpr Reason token_inactive{"token_inactive", ErrorClass::denied,
                                       "the authorization server says that the token is not active",
                                       "get a new one from the authorization server"};
inline constexpr Reason token_needs_introspection{"token_needs_introspection", ErrorClass::unsupported,
                                                  "the authorization server must be asked about the token, which "
                                                  "cannot be done within a handshake",
                                                  "post the token to authz-info first"};
inline constexpr Reason token_sequence_expired{"token_sequence_expired", ErrorClass::denied,
                                               "the token's sequence number is not above the highest that has expired "
                                               "here, or that was taken before this server was started",
                                               "get a new token from the authorization server"};
inline constexpr Reason introspection_unavailable{"introspection_unavailable", ErrorClass::internal,
                                                  "the authorization server could not be asked about the token",
                                                  "look at the connection to the authorization server; try again"};
inline constexpr Reason introspection_busy{"introspection_busy", ErrorClass::internal,
                                           "as many questions about tokens wait for an answer as may",
                                           "try again later"};
inline constexpr Reason introspection_answer_malformed{"introspection_answer_malformed", ErrorClass::peer_misbehaved,
                                                       "the authorization server's answer about a token cannot be read",
                                                       "look at the authorization server"};
inline constexpr Reason configured_key_invalid{"configured_key_invalid", ErrorClass::internal,
                                               "a configured key has no name, is of a kind that clients cannot use "
                                               "here, or stands there twice",
                                               "give a P-256 public key, or a psk_identity and 16 to 256 octets"};
inline constexpr Reason cnonce_without_random{"cnonce_without_random", ErrorClass::internal,
                                              "nonces are wanted, but there is no source of randomness for them",
                                              "hand one to the resource server"};

}  // namespace aceward::reason
