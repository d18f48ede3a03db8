// Why the token endpoint refuses. What stands on the wire for each is decided in refusal.cc.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason client_not_authenticated{"client_not_authenticated", ErrorClass::denied,
                                                 "the token request came over a channel that authenticates nobody",
                                                 "use coaps, with the key that is registered for the client"};
inline constexpr Reason client_unregistered{"client_unregistered", ErrorClass::denied,
                                            "the client is no longer registered", "register the client again"};
inline constexpr Reason client_id_mismatch{
    "client_id_mismatch", ErrorClass::peer_misbehaved,
    "client_id is not the name of the client that the channel authenticated",
    "leave client_id out, or send the name under which the client is registered"};
inline constexpr Reason client_secret_unexpected{"client_secret_unexpected", ErrorClass::peer_misbehaved,
                                                 "a client_secret was sent, but clients authenticate by their channel",
                                                 "leave client_secret out"};
inline constexpr Reason token_request_format{"token_request_format", ErrorClass::unsupported,
                                             "the token request is not of Content-Format application/ace+cbor",
                                             "send Content-Format 19"};
inline constexpr Reason token_request_accept{"token_request_accept", ErrorClass::unsupported,
                                             "the client accepts no answer of Content-Format application/ace+cbor",
                                             "leave the Accept option out, or send 19"};
inline constexpr Reason grant_type_unsupported{"grant_type_unsupported", ErrorClass::unsupported,
                                               "the grant type is neither client_credentials nor refresh_token",
                                               "leave grant_type out"};
inline constexpr Reason audience_missing{"audience_missing", ErrorClass::malformed,
                                         "the request names no audience, and there is not exactly one to choose",
                                         "send the audience of the resource server"};
inline constexpr Reason audience_unknown{"audience_unknown", ErrorClass::denied,
                                         "no resource server is registered for the audience",
                                         "compare the audience with what the server is registered with"};
inline constexpr Reason audience_without_policy{"audience_without_policy", ErrorClass::denied,
                                                "no policy rule gives this client anything at this server",
                                                "add a policy rule for the client and the server"};
inline constexpr Reason ace_profile_incompatible{"ace_profile_incompatible", ErrorClass::unsupported,
                                                 "the client asks for a profile that the server does not use",
                                                 "leave ace_profile out, or send coap_dtls"};
inline constexpr Reason cnonce_too_long{"cnonce_too_long", ErrorClass::malformed,
                                        "the client-nonce is empty or longer than 64 octets",
                                        "copy the cnonce of the creation hints unchanged"};
inline constexpr Reason req_cnf_secret{"req_cnf_secret", ErrorClass::peer_misbehaved,
                                       "req_cnf carries a private or symmetric key",
                                       "send the public key alone; symmetric keys are made by the server"};
inline constexpr Reason req_cnf_kid_too_long{"req_cnf_kid_too_long", ErrorClass::malformed,
                                             "a key identifier in req_cnf is empty or longer than 64 octets",
                                             "choose a short kid"};
inline constexpr Reason pop_key_method_unsupported{"pop_key_method_unsupported", ErrorClass::unsupported,
                                                   "req_cnf carries neither a COSE_Key nor a kid nor a thumbprint",
                                                   "send a COSE_Key with the client's public key, or a kid"};
inline constexpr Reason pop_key_not_proven{"pop_key_not_proven", ErrorClass::denied,
                                           "req_cnf is a key that this client has not been shown to hold",
                                           "ask over a channel that is authenticated with that key, or register it"};
inline constexpr Reason pop_key_unsuitable{"pop_key_unsuitable", ErrorClass::unsupported,
                                           "the resource server cannot process this kind of key",
                                           "use a kind of key that the server is registered with; raw keys are P-256"};
inline constexpr Reason pop_key_unknown{"pop_key_unknown", ErrorClass::denied,
                                        "the kid is that of no valid key of this client at this server",
                                        "ask again without req_cnf to get a new key"};
inline constexpr Reason scope_format_mismatch{"scope_format_mismatch", ErrorClass::unsupported,
                                              "the scope is text where the server uses AIF, or the reverse",
                                              "write the scope in the format that the server is registered with"};
inline constexpr Reason scope_denied{"scope_denied", ErrorClass::denied, "policy grants nothing of the requested scope",
                                     "compare the scope with the policy rules of this client and server"};
inline constexpr Reason policy_unusable{"policy_unusable", ErrorClass::internal,
                                        "a policy rule's scope cannot be read or is too large for a token",
                                        "replace the rule, or split what it grants"};
inline constexpr Reason server_token_key_missing{"server_token_key_missing", ErrorClass::internal,
                                                 "the token has to be encrypted, but no key is shared with the server",
                                                 "register the server with a token key, or without symmetric keys"};
inline constexpr Reason server_public_key_missing{"server_public_key_missing", ErrorClass::internal,
                                                  "the server's public key for rs_cnf is missing or unreadable",
                                                  "register the server with its public key"};
inline constexpr Reason client_public_key_unreadable{"client_public_key_unreadable", ErrorClass::internal,
                                                     "the public key registered for the client cannot be read",
                                                     "register the client's key again"};
inline constexpr Reason token_not_made{"token_not_made", ErrorClass::internal, "signing or encrypting the token failed",
                                       "look at the detail, and at the keys of the authorization and resource server"};
inline constexpr Reason ledger_silent{"ledger_silent", ErrorClass::internal,
                                      "the ledger did not say whether the token was recorded",
                                      "look whether the store was closed"};

inline constexpr Reason requests_full{"requests_full", ErrorClass::denied,
                                      "too many requests for access wait for their owners",
                                      "decide them: aceward request list|approve|deny"};
inline constexpr Reason signing_key_missing{"signing_key_missing", ErrorClass::internal,
                                            "the authorization server has no key to sign tokens with",
                                            "configure a signing key"};

inline constexpr Reason client_secret_missing{"client_secret_missing", ErrorClass::denied,
                                              "the channel does not say who the client is, and the request does not",
                                              "send client_id and client_secret, or use the client's key"};
inline constexpr Reason client_secret_wrong{"client_secret_wrong", ErrorClass::denied,
                                            "client_id and client_secret are not those of a registered client",
                                            "compare both with what the client was registered with"};
inline constexpr Reason client_secret_throttled{"client_secret_throttled", ErrorClass::denied,
                                                "too many wrong client secrets came from this peer or for this client",
                                                "wait for Max-Age; look for who is guessing"};
inline constexpr Reason client_without_rules{"client_without_rules", ErrorClass::denied,
                                             "no policy rule names this client or one of its groups",
                                             "add a policy rule for the client"};
inline constexpr Reason token_requests_too_many{"token_requests_too_many", ErrorClass::denied,
                                                "the client has asked for too many tokens in a short time",
                                                "wait for Max-Age, and use the tokens for as long as they live"};
inline constexpr Reason tokens_too_many{"tokens_too_many", ErrorClass::denied,
                                        "the client holds as many live tokens as one client may",
                                        "use the tokens for as long as they live, or shorten their lifetime"};
inline constexpr Reason group_audience_unusable{
    "group_audience_unusable", ErrorClass::internal, "the servers of a group audience cannot take one token",
    "give all of them signed tokens, the same scope format, the same kind of expiry and a common profile"};
inline constexpr Reason group_key_shared{"group_key_shared", ErrorClass::denied,
                                         "a symmetric key would be shared by all servers of a group audience",
                                         "ask with a public key"};
inline constexpr Reason pop_key_of_other_servers{"pop_key_of_other_servers", ErrorClass::denied,
                                                 "the kid is that of a key that other servers share too",
                                                 "ask again without req_cnf to get a new key"};
inline constexpr Reason refresh_token_missing{"refresh_token_missing", ErrorClass::malformed,
                                              "the grant type is refresh_token, but there is none",
                                              "send the refresh_token that came with the token"};
inline constexpr Reason refresh_token_invalid{"refresh_token_invalid", ErrorClass::denied,
                                              "the refresh token is not known, has ended, or is another client's",
                                              "ask for a token without it"};
inline constexpr Reason refresh_changes_key{"refresh_changes_key", ErrorClass::malformed,
                                            "a refresh asks for another key than the first token's",
                                            "leave req_cnf out (RFC 9200 section 5.8.1)"};
inline constexpr Reason refresh_changes_audience{"refresh_changes_audience", ErrorClass::malformed,
                                                 "a refresh asks for another audience than the first token's",
                                                 "leave audience out (RFC 9200 section 5.8.1)"};
inline constexpr Reason refresh_widens_scope{"refresh_widens_scope", ErrorClass::denied,
                                             "a refresh asks for more than the first token's scope",
                                             "ask for a token without the refresh token (RFC 6749 section 6)"};
inline constexpr Reason owner_asked{"owner_asked", ErrorClass::denied,
                                    "no rule decides the request, so it waits for the owner of the server",
                                    "aceward request list|approve|deny; the client comes back by itself"};
inline constexpr Reason owner_denied{"owner_denied", ErrorClass::denied,
                                     "the owner of the server has denied the request",
                                     "aceward request list shows it; add a policy rule to allow it"};
inline constexpr Reason server_derivation_key_unusable{"server_derivation_key_unusable", ErrorClass::internal,
                                                       "no key can be derived from the server's derivation key",
                                                       "register the server with a derivation key of 16 to 64 octets"};

inline constexpr Reason introspection_by_nobody{"introspection_by_nobody", ErrorClass::denied,
                                                "who asks about a token is no registered client or server",
                                                "use coaps, with the key that is registered for the asker"};
inline constexpr Reason introspection_not_for_clients{"introspection_not_for_clients", ErrorClass::denied,
                                                      "a client asked about a token where only servers may",
                                                      "allow clients to introspect their own tokens"};
inline constexpr Reason introspection_format{"introspection_format", ErrorClass::unsupported,
                                             "the introspection request is not of Content-Format application/ace+cbor",
                                             "send Content-Format 19"};
inline constexpr Reason introspection_accept{"introspection_accept", ErrorClass::unsupported,
                                             "the asker accepts no answer of Content-Format application/ace+cbor",
                                             "leave the Accept option out, or send 19"};
inline constexpr Reason introspection_too_many{"introspection_too_many", ErrorClass::denied,
                                               "the asker has asked about too many tokens in a short time",
                                               "keep answers for as long as Max-Age says"};
inline constexpr Reason introspected_unknown{"introspected_unknown", ErrorClass::denied,
                                             "the token asked about is none that was issued here",
                                             "look where the token comes from"};
inline constexpr Reason introspected_of_others{"introspected_of_others", ErrorClass::denied,
                                               "the token asked about is not for this server or of this client",
                                               "look who presents tokens of others"};
inline constexpr Reason introspected_expired{"introspected_expired", ErrorClass::denied,
                                             "the token asked about has expired", "the client asks for a new one"};
inline constexpr Reason introspected_revoked{"introspected_revoked", ErrorClass::denied,
                                             "the token asked about was revoked", "the client may ask for a new one"};
inline constexpr Reason introspected_unregistered{
    "introspected_unregistered", ErrorClass::denied,
    "the client or the server of the token asked about is no longer registered", "register it again if it should be"};
inline constexpr Reason introspected_unreadable{"introspected_unreadable", ErrorClass::internal,
                                                "what the ledger holds of a token cannot be read",
                                                "check the database: aceward db status"};
inline constexpr Reason revocation_list_too_long{"revocation_list_too_long", ErrorClass::internal,
                                                 "more live tokens are revoked than the revocation list may hold",
                                                 "raise its limit, or let tokens live shorter"};
inline constexpr Reason revocation_list_not_ready{"revocation_list_not_ready", ErrorClass::internal,
                                                  "the revocation list could not be read from the ledger",
                                                  "look at the reason of the failed update"};
inline constexpr Reason revocation_list_by_nobody{"revocation_list_by_nobody", ErrorClass::denied,
                                                  "who asks for the revocation list is no registered client or server",
                                                  "use coaps, with the key that is registered for the asker"};

}  // namespace aceward::reason
