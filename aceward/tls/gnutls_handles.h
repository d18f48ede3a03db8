// Owners of GnuTLS objects. Only tls/ includes this.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>

#include <memory>
#include <type_traits>

#include "aceward/base/bytes.h"

namespace aceward::tls::detail {

template <auto function>
struct FreedBy {
  template <class T>
  void operator()(T* handle) const {
    function(handle);
  }
};

using SessionHandle = std::unique_ptr<std::remove_pointer_t<gnutls_session_t>, FreedBy<&gnutls_deinit>>;
using PriorityHandle = std::unique_ptr<std::remove_pointer_t<gnutls_priority_t>, FreedBy<&gnutls_priority_deinit>>;
using PrivateKeyHandle = std::unique_ptr<std::remove_pointer_t<gnutls_privkey_t>, FreedBy<&gnutls_privkey_deinit>>;
using PublicKeyHandle = std::unique_ptr<std::remove_pointer_t<gnutls_pubkey_t>, FreedBy<&gnutls_pubkey_deinit>>;
using CertificateHandle = std::unique_ptr<std::remove_pointer_t<gnutls_certificate_credentials_t>,
                                          FreedBy<&gnutls_certificate_free_credentials>>;
using PskServerHandle = std::unique_ptr<std::remove_pointer_t<gnutls_psk_server_credentials_t>,
                                        FreedBy<&gnutls_psk_free_server_credentials>>;
using PskClientHandle = std::unique_ptr<std::remove_pointer_t<gnutls_psk_client_credentials_t>,
                                        FreedBy<&gnutls_psk_free_client_credentials>>;

/// GnuTLS takes non-const pointers to what it only reads.
inline gnutls_datum_t borrow(BytesView bytes) {
  return {const_cast<unsigned char*>(bytes.data()), static_cast<unsigned>(bytes.size())};
}
inline BytesView view(const gnutls_datum_t& datum) { return {datum.data, datum.size}; }

}  // namespace aceward::tls::detail
