// What GnuTLS asks and tells about keys in the middle of a handshake.
#include <algorithm>
#include <cstring>

#include "aceward/tls/connection.h"

namespace aceward::tls::detail {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

}  // namespace

int find_psk(gnutls_session_t session, const gnutls_datum_t* identity, gnutls_datum_t* key) {
  auto& self = *static_cast<Connection*>(gnutls_session_get_ptr(session));
  auto found = self.check_.psk(view(*identity));
  // GnuTLS crashes on a success without a key, so an empty one is a refusal.
  if (found && found->key.empty()) found = fail(reason::psk_identity_refused, "empty key");
  if (!found) {
    self.refusal_ = found.error();
    return -1;
  }
  key->data = static_cast<unsigned char*>(gnutls_malloc(found->key.size()));
  if (key->data == nullptr) return -1;
  std::memcpy(key->data, found->key.expose().data(), found->key.size());
  key->size = static_cast<unsigned>(found->key.size());
  self.psk_handle_ = found->handle;
  return 0;
}

// Always installed: without a function of our own GnuTLS writes every session's secrets to the file that SSLKEYLOGFILE
// names.
int log_key(gnutls_session_t session, const char* label, const gnutls_datum_t* secret) {
  const auto* self = static_cast<const Connection*>(gnutls_session_get_ptr(session));
  if (self == nullptr || self->key_log_ == nullptr || !*self->key_log_) return 0;
  gnutls_datum_t client_random{nullptr, 0};
  gnutls_datum_t server_random{nullptr, 0};
  gnutls_session_get_random(session, &client_random, &server_random);
  const std::string_view name(label);
  // Of one size from the start, so that no copy of the secret stays behind where a longer one was moved to.
  Bytes line(name.size() + 2 + 2 * std::size_t{client_random.size} + 2 * std::size_t{secret->size});
  auto at = line.begin();
  const auto add_hex = [&at](BytesView octets) {
    for (const std::uint8_t octet : octets) {
      *at++ = static_cast<std::uint8_t>(hex_digits[octet >> 4]);
      *at++ = static_cast<std::uint8_t>(hex_digits[octet & 15]);
    }
  };
  at = std::copy(name.begin(), name.end(), at);
  *at++ = ' ';
  add_hex(view(client_random));
  *at++ = ' ';
  add_hex(view(*secret));
  (*self->key_log_)(as_text(line));
  wipe(line);
  return 0;
}

}  // namespace aceward::tls::detail
