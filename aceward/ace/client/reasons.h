// Why a client refuses. docs/reasons.md lists the reasons of all modules.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason hint_malformed{"hint_malformed", ErrorClass::malformed,
                                       "the server's AS Request Creation Hints do not parse",
                                       "the hints come over an unprotected channel: look who answers there"};
inline constexpr Reason hint_as_not_allowed{"hint_as_not_allowed", ErrorClass::denied,
                                            "the server names an authorization server that is not allowed for it here",
                                            "look whether the hint was forged, or allow that server in the "
                                            "configuration"};
inline constexpr Reason hint_audience_unexpected{"hint_audience_unexpected", ErrorClass::denied,
                                                 "the server names an audience that is not the configured one",
                                                 "look whether the hint was forged, or correct the audience in the "
                                                 "configuration"};
inline constexpr Reason as_answer_malformed{"as_answer_malformed", ErrorClass::malformed,
                                            "the authorization server's answer is not Access Information",
                                            "look at the answer with --trace"};
inline constexpr Reason as_answer_unusable{"as_answer_unusable", ErrorClass::unsupported,
                                           "the Access Information asks for what this client cannot do",
                                           "look at profile, token type and keys of the answer with --trace"};
inline constexpr Reason as_refused{"as_refused", ErrorClass::denied, "the authorization server issued no token",
                                   "ask the owner for a policy rule; the error code says what was wrong"};
inline constexpr Reason approval_pending{"approval_pending", ErrorClass::denied,
                                         "there is no decision yet: the request waits for the owner's approval, or the "
                                         "authorization server is out of order for a moment",
                                         "ask again when the owner has decided; `aceward token get --wait` does so"};
inline constexpr Reason server_key_conflict{"server_key_conflict", ErrorClass::peer_misbehaved,
                                            "the authorization server names another key for the resource server than "
                                            "the configuration",
                                            "ask both owners which key is right, and correct [[client.server]] key or "
                                            "the server's registration"};
inline constexpr Reason held_token_revoked{"held_token_revoked", ErrorClass::denied,
                                           "the authorization server has revoked the token that this went on with",
                                           "ask the owner whether there are still rights; then begin anew"};
inline constexpr Reason cached_token_malformed{"cached_token_malformed", ErrorClass::malformed,
                                               "the file with a token that was kept does not parse",
                                               "nothing needs to be done: it is replaced with the next token"};
inline constexpr Reason cached_token_foreign{"cached_token_foreign", ErrorClass::denied,
                                             "the token that was kept belongs to another server, authorization server "
                                             "or client key",
                                             "nothing needs to be done: it is replaced with the next token"};
inline constexpr Reason token_refused{"token_refused", ErrorClass::denied,
                                      "the resource server did not accept the access token",
                                      "compare audience, keys and clocks of the two servers"};
inline constexpr Reason access_still_denied{"access_still_denied", ErrorClass::denied,
                                            "the server asks for a token again right after it got a fresh one",
                                            "compare the clocks of client, resource server and authorization server"};
inline constexpr Reason server_unprotected{"server_unprotected", ErrorClass::peer_misbehaved,
                                           "the server would act on the request without any permission",
                                           "the payload was not sent; look whether this is the right server"};
inline constexpr Reason server_unknown{"server_unknown", ErrorClass::denied,
                                       "no server with this address is in the client's configuration",
                                       "add a [[client.server]] with its address, audience and authorization server"};
inline constexpr Reason client_key_missing{"client_key_missing", ErrorClass::unsupported,
                                           "the client has no raw public key of its own",
                                           "make one with `aceward keygen` and name it in [client] key"};
inline constexpr Reason operation_canceled{"operation_canceled", ErrorClass::internal,
                                           "the operation was given up on this side", "raise the time-out"};

}  // namespace aceward::reason
