#include <map>
#include <mutex>

#include "aceward/tls/connection.h"

namespace aceward::tls::detail {

Result<gnutls_priority_t> priority_for(const PriorityNeeds& needs) {
  const bool long_lived = needs.suites == SuitePreference::long_lived;
  // DHE_PSK costs a client octets in its hello, so it is offered where it is wanted.
  const bool dhe_psk = needs.psk && (needs.server || long_lived);
  std::string text = "NONE:+VERS-DTLS1.2:+AEAD:+COMP-NULL";
  text += long_lived ? ":+AES-128-CCM:+CHACHA20-POLY1305:+AES-128-CCM-8"
                     : ":+AES-128-CCM-8:+AES-128-CCM:+CHACHA20-POLY1305";
  if (needs.server_raw_key || needs.server_certificate) text += ":+ECDHE-ECDSA";
  if (needs.psk) text += long_lived ? ":+ECDHE-PSK:+DHE-PSK:+PSK" : ":+PSK:+ECDHE-PSK";
  if (dhe_psk && !long_lived) text += ":+DHE-PSK";
  if (needs.server_raw_key) text += ":+CTYPE-SRV-RAWPK";
  if (needs.client_raw_key) text += ":+CTYPE-CLI-RAWPK";
  if (needs.server_certificate || !needs.server_raw_key) text += ":+CTYPE-SRV-X509";
  if (needs.client_certificate || !needs.client_raw_key) text += ":+CTYPE-CLI-X509";
  text += ":+GROUP-X25519:+GROUP-SECP256R1";
  if (dhe_psk) text += ":+GROUP-FFDHE2048";
  text += ":+SIGN-ECDSA-SHA256";
  if (needs.server && long_lived) text += ":%SERVER_PRECEDENCE";
  // Parsing one takes longer than many a handshake, and there are few of them.
  static std::mutex mutex;
  static std::map<std::string, PriorityHandle> made;
  const std::lock_guard lock(mutex);
  if (const auto found = made.find(text); found != made.end()) return found->second.get();
  gnutls_priority_t priority = nullptr;
  if (gnutls_priority_init(&priority, text.c_str(), nullptr) < 0) return fail(reason::tls_setup_failed, "priority");
  return made.emplace(text, PriorityHandle(priority)).first->second.get();
}

}  // namespace aceward::tls::detail
