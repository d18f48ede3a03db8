// Who and what the authorization server knows: registered clients, resource servers and the owner's policy
// (RFC 9200 section 4 and appendix D). Plain data; the store keeps it, `aceward client|rs|policy` change it, and the
// token endpoint reads an immutable snapshot of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aceward/ace/params/registries.h"
#include "aceward/base/bytes.h"
#include "aceward/base/secret.h"
#include "aceward/base/time.h"

namespace aceward::ace::as {

/// A client. It authenticates to the AS over DTLS with its raw public key, its pre-shared key, its certificate or,
/// where the channel authenticates the AS alone, with its name and a client_secret; with any of those that it has.
struct ClientRecord {
  std::int64_t id = 0;   ///< the store's row; 0 until stored
  std::string name;      ///< unique; the client_id of RFC 6749; 1 to 255 octets of printable UTF-8
  Bytes public_key;      ///< COSE_Key, public part, serialized deterministically; empty: none
  Bytes key_thumbprint;  ///< COSE key thumbprint of public_key (RFC 9679, SHA-256, 32 octets), unique; empty with it
  Bytes psk_identity;    ///< identity it uses towards the AS; empty: no pre-shared key
  Secret psk;            ///< 16 octets or more
  /// The name that its X.509 certificate carries, under an authority that the AS trusts (RFC 7925 section 4.4.2): a
  /// dNSName or URI of subjectAltName, or the common name. Unique among clients; empty: none.
  std::string certificate_name;
  Bytes secret_digest;              ///< of its client_secret, see client_secret.h; empty: none
  std::vector<std::string> groups;  ///< client groups that rules can name; each 1 to 255 octets of printable UTF-8
};

/// How tokens for a resource server are protected. A token that carries a symmetric key is always encrypted
/// (RFC 9202 section 3.3.1), whatever stands here. `reference`: the token is opaque, and the server introspects it
/// (RFC 9200 section 5.9).
enum class TokenProtection : std::uint8_t { signed_cwt = 1, encrypted_cwt = 2, reference = 3 };

enum class ScopeFormat : std::uint8_t { text = 1, aif = 2 };

/// What happens to a request that no rule of the owner decides.
enum class Undecided : std::uint8_t {
  refuse = 1,
  ask_owner = 2,  ///< it waits for `aceward request approve|deny`; the client is told to come back
};

/// A resource server (RFC 9200 appendix D lists what its registration holds). The AS derives from it which profile is
/// used, how its tokens are protected and how long they live.
struct ServerRecord {
  std::int64_t id = 0;
  std::string name;      ///< unique
  std::string audience;  ///< unique; the `aud` claim of its tokens and the `audience` of requests
  /// Audiences that it shares with other servers (RFC 9200 section 6.1): a token for one of them is good at each. None
  /// of them is any server's `audience`.
  std::vector<std::string> group_audiences;
  /// COSE_Key it authenticates with in raw-key mode, for `rs_cnf` and towards the AS; empty: none.
  Bytes public_key;
  Bytes key_thumbprint;  ///< of public_key, as in ClientRecord; unique among servers
  Secret token_key;      ///< AES-CCM-16-64-128 key (16 octets) that the AS shares with it; empty: none
  Bytes token_key_id;    ///< `kid` in the COSE header of tokens encrypted under `token_key`
  /// The token_key before, while both are live: tokens under it can still be introspected. Empty: none.
  Secret previous_token_key;
  Bytes previous_token_key_id;
  /// Key derivation key (RFC 9202 section 3.3.1), 16 to 64 octets: symmetric keys of clients are derived from it and
  /// the token, which then carries a kid alone. Empty: the token carries the key and is encrypted.
  Secret derivation_key;
  TokenProtection protection = TokenProtection::signed_cwt;
  ScopeFormat scope_format = ScopeFormat::text;
  std::vector<Profile> profiles{Profile::coap_dtls};  ///< that it speaks, the preferred one first; never empty
  bool accepts_asymmetric = true;                     ///< can be the peer of a client with a raw public key
  bool accepts_symmetric = true;                      ///< can be the peer of a client with a pre-shared key
  /// It has no synchronized clock: its tokens say how long they live from their arrival (exi, RFC 9200 section 5.10.3).
  bool uses_exi = false;
  std::chrono::seconds token_lifetime{3600};  ///< 1 s to 30 days
  /// How long a client may refresh a token without the owner being asked anew; absent: no refresh tokens.
  std::optional<std::chrono::seconds> refresh_lifetime;
  /// May a symmetric key stand in a token for a group audience, so that each server of it could pose as the client to
  /// the others (RFC 9200 section 6.1)? All of the audience's servers must say so.
  bool allows_group_keys = false;
  Undecided undecided = Undecided::refuse;
  std::string owner;  ///< who administers it, see `[admin]`; empty: the administrator alone
  // How it authenticates to the AS, to introspect and to read the revocation list; with `public_key`, or:
  Bytes psk_identity;            ///< empty: no pre-shared key
  Secret psk;                    ///< 16 octets or more
  std::string certificate_name;  ///< as in ClientRecord; unique among servers
  Bytes secret_digest;           ///< as in ClientRecord
};

/// Hours of the week, in UTC, in which a rule holds. `from` and `to` are minutes of the day; where `to` is not after
/// `from` the window ends on the next day. `days` has a bit for the day on which it begins, Monday the lowest.
struct Hours {
  std::uint8_t days = 0x7f;
  std::uint16_t from = 0;   ///< 0 to 1439
  std::uint16_t to = 1440;  ///< 1 to 1440
  friend bool operator==(const Hours&, const Hours&) = default;
};

/// One rule of the owner: this client, or each of this group, may have this scope at this server. Rules of one pair add
/// up.
struct PolicyRule {
  std::int64_t id = 0;
  std::string name;        ///< unique; made from client or group, server and a number where none is given
  std::string client;      ///< ClientRecord::name; empty with `group`
  std::string group;       ///< of ClientRecord::groups; empty with `client`
  std::string server;      ///< ServerRecord::name
  std::string text_scope;  ///< scope-tokens separated by one space (RFC 6749 section 3.3); empty with AIF
  Bytes aif_scope;         ///< AIF-REST in CBOR (RFC 9237); empty with text
  std::optional<std::chrono::seconds> lifetime;  ///< shortens the server's token_lifetime, never lengthens it
  std::optional<Hours> hours;                    ///< absent: always. No token outlives the window it was issued in.
  std::optional<WallTime> until;                 ///< the rule holds before this time; absent: for ever
};

/// Copies are made by name alone, since they hold secrets.
ClientRecord clone(const ClientRecord& client);
ServerRecord clone(const ServerRecord& server);

/// All of it at one moment, with an index for every look-up. Immutable; shared between threads.
class Registry {
 public:
  /// Takes the records over. Where two records share a key that must be unique, the first one wins: the store has
  /// already refused the second.
  Registry(std::uint64_t version, std::vector<ClientRecord> clients, std::vector<ServerRecord> servers,
           std::vector<PolicyRule> rules);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  std::uint64_t version() const { return version_; }  ///< grows with every change
  const std::vector<ClientRecord>& clients() const { return clients_; }
  const std::vector<ServerRecord>& servers() const { return servers_; }
  const std::vector<PolicyRule>& rules() const { return rules_; }

  /// Each returns nullptr where there is none; the pointer lives as long as the registry.
  const ClientRecord* client_by_name(std::string_view name) const;
  const ClientRecord* client_by_psk_identity(BytesView identity) const;
  const ClientRecord* client_by_key_thumbprint(BytesView thumbprint) const;
  const ClientRecord* client_by_certificate_name(std::string_view name) const;
  const ServerRecord* server_by_name(std::string_view name) const;
  const ServerRecord* server_by_id(std::int64_t id) const;
  const ServerRecord* server_by_audience(std::string_view audience) const;
  const ServerRecord* server_by_psk_identity(BytesView identity) const;
  const ServerRecord* server_by_key_thumbprint(BytesView thumbprint) const;
  const ServerRecord* server_by_certificate_name(std::string_view name) const;
  /// The server of an audience of its own, or all those of a group audience in the order of their rows; none: unknown.
  std::vector<const ServerRecord*> servers_of_audience(std::string_view audience) const;
  /// Those that name the client or one of its groups, in the order in which they were added; whether they hold at some
  /// moment is another question. None for a client that is not registered.
  std::vector<const PolicyRule*> rules_for(std::string_view client, std::string_view server) const;
  /// The servers at which this client has any rule, in the order of their rows.
  std::vector<const ServerRecord*> servers_for(std::string_view client) const;

 private:
  using Index = std::unordered_map<std::string, std::size_t>;
  using ListIndex = std::unordered_map<std::string, std::vector<std::size_t>>;

  /// Indices of the rules for a client, ascending.
  std::vector<std::size_t> rules_of(std::string_view client) const;

  std::uint64_t version_;
  std::vector<ClientRecord> clients_;
  std::vector<ServerRecord> servers_;
  std::vector<PolicyRule> rules_;
  Index client_names_, client_identities_, client_thumbprints_, client_certificates_;
  Index server_names_, audiences_, server_identities_, server_thumbprints_, server_certificates_;
  std::unordered_map<std::int64_t, std::size_t> server_ids_;
  ListIndex group_audiences_, client_rules_, group_rules_;
};
using RegistrySnapshot = std::shared_ptr<const Registry>;

}  // namespace aceward::ace::as
