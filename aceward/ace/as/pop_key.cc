#include "aceward/ace/as/pop_key.h"

#include "aceward/ace/as/reasons.h"

namespace aceward::ace::as {

namespace {

constexpr std::size_t max_kid_size = 64;

Result<> check_kid(BytesView kid) {
  if (kid.empty() || kid.size() > max_kid_size) return fail(reason::req_cnf_kid_too_long);
  return {};
}

/// The key and its kid alone: what else a client wrote into its COSE_Key has no business in a token.
Result<cose::Key> bare_public_key(const cose::Key& key) {
  const crypto::PublicKey public_key = ACEWARD_TRY(key.public_key());
  cose::Key bare = cose::Key::from_public(public_key);
  bare.kid = key.kid;
  bare.alg.reset();
  bare.key_ops.clear();
  return bare;
}

/// Can it be a raw public key in DTLS with this server? Those are P-256 and sign with ES256 (RFC 9202 section 3.2.2).
Result<> check_raw_key(const cose::Key& key, const ServerRecord& server) {
  if (!server.accepts_asymmetric) return fail(reason::pop_key_unsuitable, "the server takes no raw public keys");
  if (key.crv() != cose::crv::p256) return fail(reason::pop_key_unsuitable, "the curve");
  // RFC 9201 section 5.
  if (!key.permits(cose::key_op::verify, cose::alg::es256)) return fail(reason::pop_key_unsuitable, "alg or key_ops");
  return {};
}

Result<std::optional<cose::Key>> registered_key(const ClientRecord& client) {
  if (client.public_key.empty()) return std::nullopt;
  auto key = cose::Key::parse(client.public_key);
  if (!key || key->is_symmetric()) return fail(reason::client_public_key_unreadable);
  return bare_public_key(*key);
}

Result<PopKey> own_public_key(const cose::Key& key, const Parties& parties) {
  if (key.is_symmetric() || key.has_private()) return fail(reason::req_cnf_secret);
  if (key.kid) ACEWARD_TRY(check_kid(*key.kid));
  ACEWARD_TRY(check_raw_key(key, parties.server));
  const auto thumbprint = key.thumbprint();
  if (!equal(thumbprint, parties.channel.key_thumbprint()) && !equal(thumbprint, parties.client.key_thumbprint))
    return fail(reason::pop_key_not_proven);
  PopKey chosen{.key = ACEWARD_TRY(bare_public_key(key))};
  if (chosen.key->kid) return chosen;
  const auto registered = ACEWARD_TRY(registered_key(parties.client));
  if (registered && registered->same_key(*chosen.key)) chosen.key->kid = registered->kid;
  return chosen;
}

Result<PopKey> key_of_kid(const Bytes& kid, const Parties& parties, Ledger& ledger, WallTime now) {
  ACEWARD_TRY(check_kid(kid));
  const auto registered = ACEWARD_TRY(registered_key(parties.client));
  const auto issued = ACEWARD_TRY(ledger.find_by_key_id(parties.client.id, parties.server.id, kid, now));
  if (issued) {
    auto recorded = cose::Key::parse(issued->pop_key.expose());
    if (!recorded) return fail(reason::token_not_made, "the recorded key");
    cose::Key key = std::move(*recorded);
    key.kid = kid;
    if (key.is_symmetric()) {
      if (!parties.server.accepts_symmetric) return fail(reason::pop_key_unsuitable, "the server takes no shared keys");
      return PopKey{.key = std::move(key)};
    }
    ACEWARD_TRY(check_raw_key(key, parties.server));
    // The client's key may have been replaced since, because it was stolen.
    if (registered && registered->same_key(key)) return PopKey{.key = std::move(key)};
  }
  if (!registered || registered->kid != kid) return fail(reason::pop_key_unknown);
  ACEWARD_TRY(check_raw_key(*registered, parties.server));
  return PopKey{.key = registered->clone()};
}

}  // namespace

Result<PopKey> choose_pop_key(const std::optional<cwt::Confirmation>& req_cnf, const Parties& parties, Ledger& ledger,
                              WallTime now) {
  if (req_cnf) {
    if (const cose::Key* key = req_cnf->cose_key()) return own_public_key(*key, parties);
    if (const cwt::KeyId* kid = req_cnf->kid()) return key_of_kid(kid->value, parties, ledger, now);
    return fail(reason::pop_key_method_unsupported);
  }
  if (parties.server.accepts_symmetric) return PopKey{.key = std::nullopt, .chosen_here = true};
  auto registered = ACEWARD_TRY(registered_key(parties.client));
  if (!registered) return fail(reason::pop_key_unsuitable, "the server takes only raw public keys");
  ACEWARD_TRY(check_raw_key(*registered, parties.server));
  return PopKey{.key = std::move(*registered), .chosen_here = true};
}

}  // namespace aceward::ace::as
