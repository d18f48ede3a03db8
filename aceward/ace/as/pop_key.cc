#include "aceward/ace/as/pop_key.h"

#include <algorithm>

#include "aceward/ace/as/reasons.h"
#include "aceward/base/secret.h"
#include "aceward/cbor/reader.h"

namespace aceward::ace::as {

namespace {

constexpr std::size_t max_kid_size = 64;
/// The confirmation method of a COSE key thumbprint (RFC 9679 section 6.1).
constexpr std::int64_t confirmation_ckt = 5;

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

/// Can it be a raw public key in DTLS with these servers? Those are P-256 and sign with ES256 (RFC 9202 section 3.2.2).
Result<> check_raw_key(const cose::Key& key, const Parties& parties) {
  if (!std::ranges::all_of(parties.servers, &ServerRecord::accepts_asymmetric))
    return fail(reason::pop_key_unsuitable, "the server takes no raw public keys");
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
  ACEWARD_TRY(check_raw_key(key, parties));
  const auto thumbprint = key.thumbprint();
  if (!equal(thumbprint, parties.channel.key_thumbprint()) && !equal(thumbprint, parties.client.key_thumbprint))
    return fail(reason::pop_key_not_proven);
  PopKey chosen{.key = ACEWARD_TRY(bare_public_key(key))};
  if (chosen.key->kid) return chosen;
  const auto registered = ACEWARD_TRY(registered_key(parties.client));
  if (registered && registered->same_key(*chosen.key)) chosen.key->kid = registered->kid;
  return chosen;
}

Result<> check_shared_key(const Parties& parties) {
  if (parties.may_share_key()) return {};
  if (parties.servers.size() > 1) return fail(reason::group_key_shared);
  return fail(reason::pop_key_unsuitable, "the server takes no shared keys");
}

Result<cose::Key> key_in(const IssuedToken& issued) {
  auto recorded = cose::Key::parse(issued.pop_key.expose());
  if (!recorded) return fail(reason::token_not_made, "the recorded key");
  if (!issued.key_id.empty()) recorded->kid = issued.key_id;
  return recorded;
}

Result<PopKey> key_of_kid(const Bytes& kid, const Parties& parties, Ledger& ledger, WallTime now) {
  ACEWARD_TRY(check_kid(kid));
  const auto registered = ACEWARD_TRY(registered_key(parties.client));
  const auto issued = ACEWARD_TRY(ledger.find_by_key_id(parties.client.id, parties.servers.front()->id, kid, now));
  if (issued) {
    cose::Key key = ACEWARD_TRY(key_in(*issued));
    if (key.is_symmetric()) {
      ACEWARD_TRY(check_shared_key(parties));
      if (!is_for(*issued, parties.servers)) return fail(reason::pop_key_of_other_servers);
      return PopKey{.key = std::move(key), .known_to_servers = true};
    }
    ACEWARD_TRY(check_raw_key(key, parties));
    // The client's key may have been replaced since, because it was stolen.
    if (registered && registered->same_key(key)) return PopKey{.key = std::move(key), .known_to_servers = true};
  }
  if (!registered || registered->kid != kid) return fail(reason::pop_key_unknown);
  ACEWARD_TRY(check_raw_key(*registered, parties));
  return PopKey{.key = registered->clone()};
}

/// The octets of a `ckt` (RFC 9679 section 6); nothing where there is none or it is no thumbprint of SHA-256.
std::optional<Bytes> thumbprint_in(const cwt::Confirmation& req_cnf) {
  const cose::Member* member = req_cnf.other(cose::Label(confirmation_ckt));
  if (member == nullptr) return std::nullopt;
  cbor::Reader reader(member->value);
  const auto octets = reader.byte_string();
  if (!octets || octets->size() != 32) return std::nullopt;
  return to_bytes(*octets);
}

Result<PopKey> key_of_thumbprint(const Bytes& thumbprint, const Parties& parties) {
  const auto registered = ACEWARD_TRY(registered_key(parties.client));
  if (!registered || !equal(registered->thumbprint(), thumbprint)) return fail(reason::pop_key_unknown, "thumbprint");
  ACEWARD_TRY(check_raw_key(*registered, parties));
  return PopKey{.key = registered->clone()};
}

}  // namespace

Result<PopKey> choose_pop_key(const std::optional<cwt::Confirmation>& req_cnf, const Parties& parties, Ledger& ledger,
                              WallTime now) {
  if (req_cnf) {
    if (const cose::Key* key = req_cnf->cose_key()) return own_public_key(*key, parties);
    if (const cwt::KeyId* kid = req_cnf->kid()) return key_of_kid(kid->value, parties, ledger, now);
    if (req_cnf->encrypted_key() == nullptr)
      if (const auto thumbprint = thumbprint_in(*req_cnf)) return key_of_thumbprint(*thumbprint, parties);
    return fail(reason::pop_key_method_unsupported);
  }
  if (parties.may_share_key()) return PopKey{.key = std::nullopt, .chosen_here = true};
  auto registered = ACEWARD_TRY(registered_key(parties.client));
  if (!registered && parties.servers.size() > 1) return fail(reason::group_key_shared);
  if (!registered) return fail(reason::pop_key_unsuitable, "the server takes only raw public keys");
  ACEWARD_TRY(check_raw_key(*registered, parties));
  return PopKey{.key = std::move(*registered), .chosen_here = true};
}

bool Parties::may_share_key() const {
  return std::ranges::all_of(servers, &ServerRecord::accepts_symmetric) &&
         (servers.size() == 1 || std::ranges::all_of(servers, &ServerRecord::allows_group_keys));
}

Result<PopKey> recorded_pop_key(const IssuedToken& issued, const Parties& parties) {
  cose::Key key = ACEWARD_TRY(key_in(issued));
  if (key.is_symmetric()) {
    ACEWARD_TRY(check_shared_key(parties));
  } else {
    ACEWARD_TRY(check_raw_key(key, parties));
    const auto thumbprint = key.thumbprint();
    if (!equal(thumbprint, parties.channel.key_thumbprint()) && !equal(thumbprint, parties.client.key_thumbprint))
      return fail(reason::pop_key_not_proven);
  }
  return PopKey{.key = std::move(key), .known_to_servers = true};
}

bool names_key_of(const cwt::Confirmation& req_cnf, const IssuedToken& issued) {
  if (const cose::Key* key = req_cnf.cose_key())
    return !key->is_symmetric() && equal(key->thumbprint(), issued.key_thumbprint);
  if (const cwt::KeyId* kid = req_cnf.kid()) return !kid->value.empty() && kid->value == issued.key_id;
  const auto thumbprint = thumbprint_in(req_cnf);
  return req_cnf.encrypted_key() == nullptr && thumbprint && equal(*thumbprint, issued.key_thumbprint);
}

bool is_for(const IssuedToken& issued, std::span<const ServerRecord* const> servers) {
  std::vector<std::int64_t> then = issued.more_servers;
  then.push_back(issued.server_id);
  std::vector<std::int64_t> today;
  for (const ServerRecord* server : servers) today.push_back(server->id);
  std::ranges::sort(then);
  std::ranges::sort(today);
  return then == today;
}

}  // namespace aceward::ace::as
