// Why tls/ refuses. docs/reasons.md lists the reasons of all modules.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason tls_setup_failed{"tls_setup_failed", ErrorClass::internal,
                                         "the DTLS library refused a key, a credential or a setting",
                                         "look whether the key and the configuration are what DTLS 1.2 can use"};
inline constexpr Reason raw_key_malformed{"raw_key_malformed", ErrorClass::malformed,
                                          "the key is not a P-256 key pair in a form that DTLS can use",
                                          "give a PKCS#8 PEM of a P-256 private key, or x, y and d of 32 octets each"};
inline constexpr Reason spki_malformed{"spki_malformed", ErrorClass::malformed,
                                       "the SubjectPublicKeyInfo is not an uncompressed P-256 public key",
                                       "raw public keys are P-256 (RFC 7250, RFC 9202 section 3.2)"};
inline constexpr Reason psk_unusable{"psk_unusable", ErrorClass::malformed,
                                     "the pre-shared key or its identity is empty or too long",
                                     "an identity has 1 to 65535 octets, a key 1 to 256"};
inline constexpr Reason psk_identity_refused{"psk_identity_refused", ErrorClass::denied,
                                             "the server knows no key for this PSK identity",
                                             "look whether the token was uploaded and has not expired"};
inline constexpr Reason raw_key_refused{"raw_key_refused", ErrorClass::denied,
                                        "the server accepts no client with this raw public key",
                                        "look whether the token names this key in its cnf claim"};
inline constexpr Reason server_key_unexpected{"server_key_unexpected", ErrorClass::peer_misbehaved,
                                              "the server proved a key other than the one that was expected",
                                              "look whether rs_cnf (or the configuration) names the server's key"};
inline constexpr Reason certificate_chain_malformed{
    "certificate_chain_malformed", ErrorClass::malformed,
    "the certificate chain is not one that DTLS can use, or the private key is another certificate's",
    "give PEM certificates with P-256 keys and ecdsa-with-SHA256, the own one first, and its key"};
inline constexpr Reason authorities_malformed{"authorities_malformed", ErrorClass::malformed,
                                              "the certificates of the authorities cannot be read",
                                              "give 1 to 64 CA certificates with P-256 keys in PEM"};
inline constexpr Reason certificate_untrusted{"certificate_untrusted", ErrorClass::denied,
                                              "no authority vouches for the peer's certificate at this time",
                                              "look at its issuer, its dates, its key usage and at this side's clock"};
inline constexpr Reason certificate_unsupported{"certificate_unsupported", ErrorClass::unsupported,
                                                "the peer's certificate is not of the kind that is used here",
                                                "certificates have P-256 keys and ecdsa-with-SHA256 (RFC 7925)"};
inline constexpr Reason certificate_refused{"certificate_refused", ErrorClass::denied,
                                            "the server accepts no client with this certificate",
                                            "look whether a client is registered with a name of the certificate"};
inline constexpr Reason certificate_name_unexpected{
    "certificate_name_unexpected", ErrorClass::peer_misbehaved, "the server's certificate is for another name",
    "look whether the address is the right one, and which dNSName or URI its certificate has"};
inline constexpr Reason client_unauthenticated{"client_unauthenticated", ErrorClass::denied,
                                               "the client did not authenticate itself, and has to",
                                               "give the client a raw key or a certificate"};
inline constexpr Reason extended_master_secret_missing{"extended_master_secret_missing", ErrorClass::peer_misbehaved,
                                                       "the peer does not support the extended master secret",
                                                       "RFC 7627 is required; update the peer"};
inline constexpr Reason resumption_refused{"resumption_refused", ErrorClass::denied,
                                           "the session may not be resumed without a full handshake",
                                           "nothing: the client shakes hands in full"};
inline constexpr Reason handshake_timed_out{"handshake_timed_out", ErrorClass::peer_misbehaved,
                                            "the DTLS handshake did not complete in time",
                                            "look whether the peer is reachable and holds the same pre-shared key"};
inline constexpr Reason handshake_alert_received{"handshake_alert_received", ErrorClass::peer_misbehaved,
                                                 "the peer ended the DTLS handshake with an alert",
                                                 "the alert's number says why; the peer's log says more"};
inline constexpr Reason handshake_failed{"handshake_failed", ErrorClass::peer_misbehaved,
                                         "the DTLS handshake broke the protocol or found no common parameters",
                                         "look whether both sides have a credential type and a cipher suite in common"};
inline constexpr Reason handshake_superseded{"handshake_superseded", ErrorClass::peer_misbehaved,
                                             "the peer began a new DTLS handshake before this one completed",
                                             "the peer may have restarted"};
inline constexpr Reason handshake_canceled{"handshake_canceled", ErrorClass::internal,
                                           "the DTLS handshake was ended on this side before it completed",
                                           "the caller closed the session"};
inline constexpr Reason session_unknown{"session_unknown", ErrorClass::internal,
                                        "there is no such DTLS session (any more)",
                                        "the session was closed, replaced or expired"};
inline constexpr Reason session_closed_by_peer{"session_closed_by_peer", ErrorClass::peer_misbehaved,
                                               "the peer closed the DTLS session", "connect again"};
inline constexpr Reason session_closed_here{"session_closed_here", ErrorClass::internal,
                                            "this side closed the DTLS session", "connect again if it is still needed"};
inline constexpr Reason session_replaced{"session_replaced", ErrorClass::peer_misbehaved,
                                         "the peer completed a new handshake from the same address and port",
                                         "use the new session"};
inline constexpr Reason session_idle{"session_idle", ErrorClass::internal,
                                     "nothing was heard in the DTLS session for longer than the idle timeout",
                                     "connect again, or raise the idle timeout"};
inline constexpr Reason session_alert_received{"session_alert_received", ErrorClass::peer_misbehaved,
                                               "the peer ended the DTLS session with a fatal alert",
                                               "the peer's log says why"};
inline constexpr Reason session_broken{"session_broken", ErrorClass::internal,
                                       "the DTLS library could not go on with the session", "connect again"};
inline constexpr Reason dtls_data_too_large{"dtls_data_too_large", ErrorClass::malformed,
                                            "the message does not fit into one DTLS record within the path MTU",
                                            "send less at once: CoAP has block-wise transfer"};
inline constexpr Reason session_not_established{"session_not_established", ErrorClass::internal,
                                                "the DTLS handshake has not completed yet",
                                                "wait for the event Established"};

}  // namespace aceward::reason
