// The list of revoked tokens, as each asker may see it (drafts/ace-revoked-token-notification, RFC 9770; "the draft").
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/ledger.h"
#include "aceward/ace/as/registry.h"
#include "aceward/ace/params/revocation.h"
#include "aceward/base/random.h"
#include "aceward/base/result.h"
#include "aceward/base/time.h"
#include "aceward/coap/layer.h"

namespace aceward::ace::as {

struct RevocationListConfig {
  /// Names of registered clients or servers that see the whole list (section 10).
  std::vector<std::string> administrators;
  /// MAX_N: updates kept for each asker; at least 1.
  std::size_t updates_kept = 10;
  /// MAX_DIFF_BATCH: updates in one answer; 1 to MAX_N.
  std::size_t updates_in_answer = 5;
  /// MAX_INDEX; at least MAX_N - 1.
  std::uint64_t last_possible_index = std::numeric_limits<std::uint64_t>::max();
  /// The index of the first update. Absent: one made from the time and random octets, above all of any former life of
  /// this list, so that a cursor from then is never taken for one of now. The draft wants 0 for the first update ever;
  /// whether it is that cannot be known after a restart.
  std::optional<std::uint64_t> first_index;
  /// Revoked tokens that have not expired, in all. Beyond that the list cannot be told truthfully and is not told.
  std::size_t most_listed = 200'000;
};

/// Who asks. One party may be a client and a server: its portion is both.
struct RevocationAsker {
  std::int64_t client_id = 0;  ///< 0: not a client
  std::int64_t server_id = 0;  ///< 0: not a server
  bool administrator = false;  ///< sees all
  friend auto operator<=>(const RevocationAsker&, const RevocationAsker&) = default;
};

/// The list in memory. It begins empty, and is made of the ledger's rows at the first update, as one update: so an
/// asker whose cursor is of a former life is told that it missed something. Holds what the ledger lists, and for each
/// asker that something pertained to its latest MAX_N updates. Belongs to one thread, that of the ledger.
class RevocationList {
 public:
  /// Whose portion an update changed.
  class Changes {
   public:
    bool empty() const { return clients_.empty() && servers_.empty(); }
    bool concerns(const RevocationAsker& asker) const;

   private:
    friend class RevocationList;
    std::unordered_set<std::int64_t> clients_;
    std::unordered_set<std::int64_t> servers_;
  };
  struct Counters {
    std::uint64_t updates = 0;
    std::uint64_t added = 0;
    std::uint64_t removed = 0;
    std::uint64_t full_queries = 0;
    std::uint64_t diff_queries = 0;
    std::uint64_t refused = 0;
  };

  /// `random` and `ledger` outlive the list. Values of `config` out of their bounds are brought to the nearest within.
  RevocationList(RevocationListConfig config, Random& random, Ledger& ledger);
  ~RevocationList();
  RevocationList(const RevocationList&) = delete;
  RevocationList& operator=(const RevocationList&) = delete;

  /// From the next request on. What is kept for clients and servers that are gone is dropped.
  void set_registry(RegistrySnapshot registry);

  /// What a channel stands for; nothing for one that stands for nobody registered.
  std::optional<RevocationAsker> asker_of(const std::optional<AuthenticatedClient>& client,
                                          const std::optional<AuthenticatedServer>& server) const;

  /// Reads the ledger again: after tokens were revoked, and when next_update() says so. Everything that changed since
  /// the last time is one update (section 5.1). Errors: the ledger's; `revocation_list_too_long`. The list then is not
  /// answered until an update succeeds.
  Result<Changes> update(WallTime now);
  /// When the next hash leaves the list because its token expires; nothing: none is listed.
  std::optional<WallTime> next_update() const;

  /// The answer to a GET (sections 6.3 to 9): 2.05, 4.00 with problem details, 4.06, or 5.03 before the first update
  /// and after one that failed.
  coap::Response answer(const RevocationAsker& asker, const coap::Request& request);

  std::size_t size() const { return listed_.size(); }  ///< hashes in the list
  std::size_t collections() const;                     ///< askers that updates are kept for
  const RevocationListConfig& config() const { return config_; }
  const Counters& counters() const { return counters_; }

 private:
  using Hash = std::shared_ptr<const Bytes>;
  struct Listed {
    Hash hash;
    std::int64_t client_id = 0;
    std::vector<std::int64_t> servers;
    WallTime expires_at;
  };
  /// A series item.
  struct Update {
    std::uint64_t index = 0;
    std::vector<Hash> removed;
    std::vector<Hash> added;
  };
  /// The update collection of one asker.
  struct Collection {
    std::deque<Update> updates;
    std::optional<std::uint64_t> last_index;
    bool wrapped = false;
  };

  /// What one update is for each asker that it pertains to.
  using Pending = std::map<RevocationAsker, Update>;
  using Portions = std::unordered_map<std::int64_t, std::set<std::int64_t>>;

  static RevocationAsker normalized(RevocationAsker asker);
  bool is_registered(const RevocationAsker& asker) const;
  static std::vector<RevocationAsker> askers_of(const Listed& token);
  void enter(std::int64_t number, Listed token);
  void leave(std::map<std::int64_t, Listed>::iterator token);
  void add_parties_of_both_kinds(Pending& pending) const;
  void append(const RevocationAsker& asker, Update update);
  std::vector<Hash> portion_of(const RevocationAsker& asker) const;
  const Collection& collection_of(const RevocationAsker& asker);
  coap::Response answer_diff(const TrlQuery& query, const Collection& collection);
  coap::Response refuse(TrlErrorId id, std::optional<TrlCursor> cursor, std::string_view detail);

  RevocationListConfig config_;
  Random& random_;
  Ledger& ledger_;
  RegistrySnapshot registry_;
  Counters counters_;
  bool usable_ = false;
  std::unordered_set<std::int64_t> registered_clients_;
  std::optional<std::uint64_t> base_;
  std::map<std::int64_t, Listed> listed_;  ///< by TokenNumber
  Portions of_client_, of_server_;         ///< TokenNumbers in the list
  std::optional<WallTime> next_expiry_;
  std::map<RevocationAsker, Collection> collections_;
};

}  // namespace aceward::ace::as
