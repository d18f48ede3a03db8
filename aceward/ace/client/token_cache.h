// Tokens that outlive the program: how a held token stands in a file. The file itself is the program's business.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aceward/ace/client/exchange.h"
#include "aceward/base/time.h"
#include "aceward/cbor/schema.h"

namespace aceward::ace::client {

/// Longest file that is read, in octets.
inline constexpr std::size_t max_cached_token_size = 64 * 1024;

/// For whom and from whom a token is. One that was kept for another of these is not used.
struct CacheBinding {
  std::string server;    ///< ServerEntry::name
  std::string audience;  ///< ServerEntry::audience
  std::string as_uri;    ///< AuthorizationServerEntry::token_uri
  Bytes client;          ///< the client's own key, by its thumbprint (RFC 9679), or whom it is to the AS; 32 octets

  friend bool operator==(const CacheBinding&, const CacheBinding&) = default;
};

///   cached-token = { 0 => 1, 1 => tstr, 2 => tstr, 3 => tstr, 4 => bstr, 5 => uint, 6 => bstr, ? 7 => bstr, ? 8 =>
///   bstr,
///                    ? 9 => tstr / bstr, ? 10 => tstr / bstr, 11 => uint, 12 => uint, ? 13 => uint, 14 => bstr,
///                    15 => bool, ? 16 => bstr }
///
/// Our own format, not one of the standards. Holds secrets: the symmetric key and the refresh token.
struct StoredToken {
  std::uint64_t version = 1;
  std::string server;
  std::string audience;
  std::string as_uri;
  Bytes client;
  PopKind kind = PopKind::raw_public_key;
  Bytes access_token;
  std::optional<Secret> psk;     ///< a COSE_Key
  std::optional<Secret> rs_key;  ///< a COSE_Key, the public part alone
  std::optional<Scope> scope;    ///< granted
  std::optional<Scope> asked;    ///< asked for
  std::uint64_t obtained = 0;    ///< seconds since 1970, when the answer came
  std::uint64_t expires = 0;
  std::optional<std::uint64_t> expires_in;
  Bytes key_id;
  bool uploaded = false;
  std::optional<Secret> refresh_token;
};

/// A token as it comes out of a file.
struct CachedToken {
  HeldToken token;
  std::optional<Scope> asked;  ///< what was asked for
  bool uploaded = false;       ///< the resource server had it
};

/// For the file. `now` and `wall` are one moment.
Secret serialize_token(const CacheBinding& binding, const HeldToken& token, const std::optional<Scope>& asked,
                       bool uploaded, Instant now, WallTime wall);

/// Whole and consistent, for whomever it is. Errors: `cached_token_malformed`.
Result<StoredToken> parse_stored_token(BytesView octets);

/// The token, if it is for `binding`. Its end is that of the wall clock, but never later than its lifetime from now: a
/// clock that was set back makes no token live longer than it was given. One that has ended comes back all the same,
/// for its refresh token: see usable_at. Errors: `cached_token_foreign`, `cached_token_malformed`.
Result<CachedToken> restore_token(const StoredToken& stored, const CacheBinding& binding, Instant now, WallTime wall);

}  // namespace aceward::ace::client

template <>
struct aceward::cbor::Schema<aceward::ace::client::StoredToken> {
  using T = aceward::ace::client::StoredToken;
  static constexpr auto value = declare<T>(
      "cached token", Unknown::reject, required(0, "version", &T::version), required(1, "server", &T::server),
      required(2, "audience", &T::audience), required(3, "AS", &T::as_uri), required(4, "client", &T::client),
      required(5, "kind", &T::kind), required(6, "access_token", &T::access_token), optional(7, "psk", &T::psk),
      optional(8, "rs_key", &T::rs_key), optional(9, "scope", &T::scope), optional(10, "asked", &T::asked),
      required(11, "obtained", &T::obtained), required(12, "expires", &T::expires),
      optional(13, "expires_in", &T::expires_in), required(14, "kid", &T::key_id),
      required(15, "uploaded", &T::uploaded), optional(16, "refresh_token", &T::refresh_token));
};
