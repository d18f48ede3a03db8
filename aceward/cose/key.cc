#include "aceward/cose/key.h"

#include <algorithm>

#include "aceward/cose/map_entries.h"
#include "aceward/cose/reasons.h"
#include "aceward/crypto/hash.h"

namespace aceward::cose {

namespace {

namespace key_label {
constexpr std::int64_t kty = 1;
constexpr std::int64_t kid = 2;
constexpr std::int64_t alg = 3;
constexpr std::int64_t key_ops = 4;
constexpr std::int64_t base_iv = 5;
constexpr std::int64_t crv = -1;
constexpr std::int64_t x = -2;
constexpr std::int64_t y = -3;
constexpr std::int64_t d = -4;
constexpr std::int64_t k = -1;
}  // namespace key_label

constexpr std::size_t symmetric_limit = 512;
constexpr std::size_t coordinate_size = 32;
constexpr std::size_t key_ops_limit = 32;

const MapEntry* find_entry(const std::vector<MapEntry>& entries, std::int64_t label) {
  const auto found = std::ranges::find_if(entries, [&](const MapEntry& entry) { return entry.label.is(label); });
  return found == entries.end() ? nullptr : &*found;
}

Result<std::optional<BytesView>> key_octets(const std::vector<MapEntry>& entries, std::int64_t label,
                                            std::string_view name) {
  const MapEntry* entry = find_entry(entries, label);
  if (entry == nullptr) return std::optional<BytesView>();
  const auto value = read_all(entry->value, &cbor::Reader::byte_string);
  if (!value) return fail(reason::cose_key_malformed, name);
  return std::optional<BytesView>(*value);
}

// int / tstr of which only integers are known.
Result<std::int64_t> key_number(BytesView value, std::string_view name) {
  cbor::Reader reader(value);
  const auto kind = ACEWARD_TRY(reader.peek());
  if (kind == cbor::Kind::text_string) return fail(reason::cose_key_unsupported, name);
  const auto number = reader.integer();
  if (!number) return fail(reason::cose_key_malformed, name);
  return *number;
}

Result<std::vector<KeyOperation>> key_operations(BytesView value) {
  cbor::Reader reader(value);
  const auto count = reader.array();
  // Empty would allow nothing, or all, depending on who reads it; the CDDL has at least one.
  if (!count || *count == 0 || *count > key_ops_limit) return fail(reason::cose_key_malformed, "key_ops");
  std::vector<KeyOperation> operations;
  for (std::size_t i = 0; i < *count; ++i) {
    const BytesView item = ACEWARD_TRY(reader.skip());
    operations.emplace_back(ACEWARD_TRY(key_number(item, "key_ops")));
  }
  return operations;
}

Result<crypto::PublicKey> checked(Result<crypto::PublicKey> key, std::string_view name) {
  if (!key) return fail(reason::cose_key_malformed, name);
  return key;
}

Result<crypto::PublicKey> ec2_public(BytesView x, const MapEntry& y) {
  if (x.size() != coordinate_size) return fail(reason::cose_key_malformed, "x");
  if (const auto sign = read_all(y.value, &cbor::Reader::boolean)) {
    return checked(crypto::PublicKey::p256_compressed(x, *sign), "x");
  }
  const auto octets = read_all(y.value, &cbor::Reader::byte_string);
  if (!octets || octets->size() != coordinate_size) return fail(reason::cose_key_malformed, "y");
  return checked(crypto::PublicKey::p256(x, *octets), "point");
}

Curve cose_curve(crypto::Curve curve) {
  switch (curve) {
    case crypto::Curve::p256: return crv::p256;
    case crypto::Curve::ed25519: return crv::ed25519;
    case crypto::Curve::x25519: return crv::x25519;
  }
  return {};
}

Result<crypto::Curve> crypto_curve(KeyType type, Curve curve) {
  if (type == kty::ec2) {
    if (curve == crv::p256) return crypto::Curve::p256;
    if (curve == crv::ed25519 || curve == crv::x25519) return fail(reason::cose_key_malformed, "crv");
  } else {
    if (curve == crv::ed25519) return crypto::Curve::ed25519;
    if (curve == crv::x25519) return crypto::Curve::x25519;
    if (curve == crv::p256) return fail(reason::cose_key_malformed, "crv");
  }
  return fail(reason::cose_key_unsupported, "crv");
}

// The members that name the public key, in every serialization of it.
void add_public(SecretMap& map, const crypto::PublicKey& key) {
  const bool is_ec2 = key.curve() == crypto::Curve::p256;
  map.add(key_label::kty, [&](cbor::Writer& out) { out.integer((is_ec2 ? kty::ec2 : kty::okp).value); });
  map.add(key_label::crv, [&](cbor::Writer& out) { out.integer(cose_curve(key.curve()).value); });
  map.add(key_label::x, [&](cbor::Writer& out) { out.byte_string(key.x()); });
  if (is_ec2) map.add(key_label::y, [&](cbor::Writer& out) { out.byte_string(key.y()); });
}

void add_symmetric(SecretMap& map, BytesView k) {
  map.add(key_label::kty, [](cbor::Writer& out) { out.integer(kty::symmetric.value); });
  map.add(key_label::k, [&](cbor::Writer& out) { out.byte_string(k); });
}

bool is_own_label(const Label& label, bool symmetric, bool ec2) {
  const auto* number = std::get_if<std::int64_t>(&label.value);
  if (number == nullptr) return false;
  if (*number >= key_label::kty && *number <= key_label::base_iv) return true;
  if (symmetric) return *number == key_label::k;
  return *number == key_label::crv || *number == key_label::x || *number == key_label::d ||
         (ec2 && *number == key_label::y);
}

}  // namespace

Result<Key> Key::parse(BytesView encoded) {
  const auto entries = ACEWARD_TRY(parse_map(encoded, reason::cose_key_malformed));
  const MapEntry* type_entry = find_entry(entries, key_label::kty);
  if (type_entry == nullptr) return fail(reason::cose_key_malformed, "kty");
  const KeyType type(ACEWARD_TRY(key_number(type_entry->value, "kty")));

  Key key;
  if (const auto kid = ACEWARD_TRY(key_octets(entries, key_label::kid, "kid"))) key.kid = to_bytes(*kid);
  if (const MapEntry* entry = find_entry(entries, key_label::alg)) {
    key.alg = Algorithm(ACEWARD_TRY(key_number(entry->value, "alg")));
  }
  if (const MapEntry* entry = find_entry(entries, key_label::key_ops)) {
    key.key_ops = ACEWARD_TRY(key_operations(entry->value));
  }
  if (const auto iv = ACEWARD_TRY(key_octets(entries, key_label::base_iv, "Base IV"))) key.base_iv = to_bytes(*iv);

  if (type == kty::symmetric) {
    const auto k = ACEWARD_TRY(key_octets(entries, key_label::k, "k"));
    if (!k || k->empty() || k->size() > symmetric_limit) return fail(reason::cose_key_malformed, "k");
    key.k_ = Secret::copy_of(*k);
  } else if (type == kty::ec2 || type == kty::okp) {
    const MapEntry* curve_entry = find_entry(entries, key_label::crv);
    if (curve_entry == nullptr) return fail(reason::cose_key_malformed, "crv");
    const Curve stated(ACEWARD_TRY(key_number(curve_entry->value, "crv")));
    const crypto::Curve curve = ACEWARD_TRY(crypto_curve(type, stated));
    const auto x = ACEWARD_TRY(key_octets(entries, key_label::x, "x"));
    const MapEntry* y = type == kty::ec2 ? find_entry(entries, key_label::y) : nullptr;
    const auto d = ACEWARD_TRY(key_octets(entries, key_label::d, "d"));
    if (type == kty::ec2 && x.has_value() != (y != nullptr)) return fail(reason::cose_key_malformed, "y");
    if (x) {
      key.public_key_ = type == kty::ec2                  ? ACEWARD_TRY(ec2_public(*x, *y))
                        : curve == crypto::Curve::ed25519 ? ACEWARD_TRY(checked(crypto::PublicKey::ed25519(*x), "x"))
                                                          : ACEWARD_TRY(checked(crypto::PublicKey::x25519(*x), "x"));
    }
    if (d) {
      auto own = crypto::PrivateKey::from_octets(curve, *d);
      if (!own) return fail(reason::cose_key_malformed, "d");
      if (key.public_key_ && *key.public_key_ != own->public_key()) return fail(reason::cose_key_malformed, "d and x");
      key.public_key_ = own->public_key();
      key.private_key_ = std::move(*own);
    }
    if (!key.public_key_) return fail(reason::cose_key_malformed, "x");
  } else {
    return fail(reason::cose_key_unsupported, "kty");
  }

  for (const MapEntry& entry : entries) {
    if (!is_own_label(entry.label, type == kty::symmetric, type == kty::ec2)) key.others.push_back(keep(entry));
  }
  return key;
}

Key Key::from_public(const crypto::PublicKey& public_key) {
  Key key;
  key.public_key_ = public_key;
  return key;
}

Key Key::from_private(const crypto::PrivateKey& private_key) {
  Key key;
  key.public_key_ = private_key.public_key();
  key.private_key_ = private_key.clone();
  return key;
}

Result<Key> Key::symmetric(Secret k) {
  if (k.empty() || k.size() > symmetric_limit) return fail(reason::cose_key_malformed, "k");
  Key key;
  key.k_ = std::move(k);
  return key;
}

Secret Key::serialize() const {
  SecretMap map;
  if (public_key_) {
    add_public(map, *public_key_);
    if (private_key_) {
      map.add(key_label::d, [&](cbor::Writer& out) { out.byte_string(private_key_->d().expose()); });
    }
  } else {
    add_symmetric(map, k_.expose());
  }
  if (kid) map.add(key_label::kid, [&](cbor::Writer& out) { out.byte_string(*kid); });
  if (alg) map.add(key_label::alg, [&](cbor::Writer& out) { out.integer(alg->value); });
  if (!key_ops.empty()) {
    map.add(key_label::key_ops, [&](cbor::Writer& out) {
      out.array(key_ops.size());
      for (const KeyOperation operation : key_ops) out.integer(operation.value);
    });
  }
  if (base_iv) map.add(key_label::base_iv, [&](cbor::Writer& out) { out.byte_string(*base_iv); });
  map.add(others);
  return map.finish();
}

Key Key::clone() const {
  Key copy;
  copy.kid = kid;
  copy.alg = alg;
  copy.key_ops = key_ops;
  copy.base_iv = base_iv;
  copy.others = others;
  copy.public_key_ = public_key_;
  if (private_key_) copy.private_key_ = private_key_->clone();
  copy.k_ = k_.clone();
  return copy;
}

Result<Key> Key::public_part() const {
  if (!public_key_) return fail(reason::cose_key_incomplete, "symmetric");
  Key copy = clone();
  copy.private_key_.reset();
  return copy;
}

KeyType Key::kty() const {
  if (!public_key_) return kty::symmetric;
  return public_key_->curve() == crypto::Curve::p256 ? kty::ec2 : kty::okp;
}

std::optional<Curve> Key::crv() const {
  if (!public_key_) return std::nullopt;
  return cose_curve(public_key_->curve());
}

Result<crypto::PublicKey> Key::public_key() const {
  if (!public_key_) return fail(reason::cose_key_incomplete, "symmetric");
  return *public_key_;
}

Result<crypto::PrivateKey> Key::private_key() const {
  if (!private_key_) return fail(reason::cose_key_incomplete, "no private key");
  return private_key_->clone();
}

Result<> Key::permits(KeyOperation operation, Algorithm algorithm) const {
  if (alg && *alg != algorithm) return fail(reason::cose_key_restricted, "alg");
  if (key_ops.empty() || std::ranges::find(key_ops, operation) != key_ops.end()) return {};
  // RFC 9053 section 4: a content key may state either of these.
  const bool wraps = operation == key_op::encrypt && std::ranges::find(key_ops, key_op::wrap_key) != key_ops.end();
  const bool unwraps = operation == key_op::decrypt && std::ranges::find(key_ops, key_op::unwrap_key) != key_ops.end();
  if (wraps || unwraps) return {};
  return fail(reason::cose_key_restricted, "key_ops");
}

bool Key::same_key(const Key& other) const {
  if (public_key_ != other.public_key_ || private_key_.has_value() != other.private_key_.has_value()) return false;
  if (private_key_) return private_key_->d().equals(other.private_key_->d());
  return k_.equals(other.k_);
}

std::array<std::uint8_t, 32> Key::thumbprint() const {
  SecretMap map;
  if (public_key_) {
    add_public(map, *public_key_);
  } else {
    add_symmetric(map, k_.expose());
  }
  return crypto::sha256(map.finish().expose());
}

}  // namespace aceward::cose
