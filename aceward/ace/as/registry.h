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

#include "aceward/base/bytes.h"
#include "aceward/base/secret.h"

namespace aceward::ace::as {

/// A client. It authenticates to the AS over DTLS with its raw public key, its pre-shared key, or either.
struct ClientRecord {
  std::int64_t id = 0;   ///< the store's row; 0 until stored
  std::string name;      ///< unique; the client_id of RFC 6749; 1 to 255 octets of printable UTF-8
  Bytes public_key;      ///< COSE_Key, public part, serialized deterministically; empty: none
  Bytes key_thumbprint;  ///< COSE key thumbprint of public_key (RFC 9679, SHA-256, 32 octets), unique; empty with it
  Bytes psk_identity;    ///< identity it uses towards the AS; empty: no pre-shared key
  Secret psk;            ///< 16 octets or more
};

/// How tokens for a resource server are protected. A token that carries a symmetric key is always encrypted
/// (RFC 9202 section 3.3.1), whatever stands here.
enum class TokenProtection : std::uint8_t { signed_cwt = 1, encrypted_cwt = 2 };

enum class ScopeFormat : std::uint8_t { text = 1, aif = 2 };

/// A resource server (RFC 9200 appendix D lists what its registration holds).
struct ServerRecord {
  std::int64_t id = 0;
  std::string name;      ///< unique
  std::string audience;  ///< unique; the `aud` claim of its tokens and the `audience` of requests
  Bytes public_key;      ///< COSE_Key it authenticates with in raw-key mode, for `rs_cnf`; empty: none
  Secret token_key;      ///< AES-CCM-16-64-128 key (16 octets) that the AS shares with it; empty: none
  Bytes token_key_id;    ///< `kid` in the COSE header of tokens encrypted under `token_key`
  TokenProtection protection = TokenProtection::signed_cwt;
  ScopeFormat scope_format = ScopeFormat::text;
  bool accepts_asymmetric = true;             ///< can be the peer of a client with a raw public key
  bool accepts_symmetric = true;              ///< can be the peer of a client with a pre-shared key
  std::chrono::seconds token_lifetime{3600};  ///< 1 s to 30 days
};

/// One rule of the owner: this client may have this scope at this server. Rules of one pair add up.
struct PolicyRule {
  std::int64_t id = 0;
  std::string name;        ///< unique; made from client, server and a number where none is given
  std::string client;      ///< ClientRecord::name
  std::string server;      ///< ServerRecord::name
  std::string text_scope;  ///< scope-tokens separated by one space (RFC 6749 section 3.3); empty with AIF
  Bytes aif_scope;         ///< AIF-REST in CBOR (RFC 9237); empty with text
  std::optional<std::chrono::seconds> lifetime;  ///< shortens the server's token_lifetime, never lengthens it
};

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
  const ServerRecord* server_by_name(std::string_view name) const;
  const ServerRecord* server_by_audience(std::string_view audience) const;
  /// In the order in which they were added.
  std::vector<const PolicyRule*> rules_for(std::string_view client, std::string_view server) const;
  /// The servers at which this client has any rule, in the order of their rows.
  std::vector<const ServerRecord*> servers_for(std::string_view client) const;

 private:
  using Index = std::unordered_map<std::string, std::size_t>;

  std::uint64_t version_;
  std::vector<ClientRecord> clients_;
  std::vector<ServerRecord> servers_;
  std::vector<PolicyRule> rules_;
  Index client_names_, client_identities_, client_thumbprints_, server_names_, audiences_;
  std::unordered_map<std::string, std::vector<std::size_t>> client_rules_;
};
using RegistrySnapshot = std::shared_ptr<const Registry>;

}  // namespace aceward::ace::as
