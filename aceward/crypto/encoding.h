// Keys as SubjectPublicKeyInfo, PKCS#8 and PEM.
#pragma once

#include <string>
#include <string_view>

#include "aceward/crypto/key.h"

namespace aceward::crypto {

/// SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7, RFC 5480, RFC 8410): 91 octets for P-256, 44 for the others.
Bytes spki_der(const PublicKey& key);
/// Only the curves above; a P-256 point may be compressed; no octets may follow.
/// Errors: `crypto_encoding_malformed`, `crypto_key_unsuitable`, `crypto_key_invalid`.
Result<PublicKey> public_key_from_spki(BytesView der);

/// PKCS#8 / OneAsymmetricKey version 1 in DER (RFC 5958), unencrypted. P-256 keys carry their public point.
Secret pkcs8_der(const PrivateKey& key);
/// Errors: as public_key_from_spki.
Result<PrivateKey> private_key_from_pkcs8(BytesView der);

/// `-----BEGIN PUBLIC KEY-----`, lines of 64 characters.
std::string public_key_pem(const PublicKey& key);
Result<PublicKey> public_key_from_pem(std::string_view pem);
/// `-----BEGIN PRIVATE KEY-----`. The text is as secret as the key.
Secret private_key_pem(const PrivateKey& key);
Result<PrivateKey> private_key_from_pem(std::string_view pem);

}  // namespace aceward::crypto
