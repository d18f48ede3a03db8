// The revocation list as an observable CoAP resource.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "aceward/ace/as/audit.h"
#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/revocation_list.h"
#include "aceward/base/time.h"
#include "aceward/coap/observe/observations.h"
#include "aceward/coap/resource/router.h"

namespace aceward::ace::as {

/// Conventionally at the path `/revoke/trl`. Takes GET alone. Put together as
///
///     coap::Observations observations(stack.layer(), random);
///     coap::Router router(observations);
///     RevocationResource resource(list, channels, observations, clock);   // allows its path to be observed
///     router.add(resource.path(), resource);
///
/// and call update() once at the start, whenever tokens were revoked (by whatever process), and at next_update(). Who
/// asks is looked up anew for each notification, so an observation ends with 4.01 when its channel stands for nobody
/// any more. Belongs to one thread.
class RevocationResource final : public coap::Resource {
 public:
  /// All of these outlive the resource.
  RevocationResource(RevocationList& list, const ChannelDirectory& channels, coap::Observations& observations,
                     const Clock& clock, std::string_view path = "/revoke/trl");

  const coap::Path& path() const { return path_; }
  void set_audit(Audit audit) { audit_ = std::move(audit); }

  /// Reads the ledger and tells the observers whose portion changed. Errors: those of RevocationList::update; it is
  /// tried again some seconds later.
  Result<> update();
  /// When update() is due by itself, on the monotonic clock.
  std::optional<Instant> next_update() const;

  void handle(coap::ExchangeId id, const coap::Peer& peer, const coap::Request& request,
              coap::Responder& responder) override;
  std::span<const coap::Code> methods() const override;

 private:
  std::optional<RevocationAsker> asker_of(const coap::Peer& peer) const;

  RevocationList& list_;
  const ChannelDirectory& channels_;
  coap::Observations& observations_;
  const Clock& clock_;
  const coap::Path path_;
  Audit audit_;
  bool failed_ = true;               ///< the last update; before the first too
  std::optional<Instant> retry_at_;  ///< after one that failed
};

}  // namespace aceward::ace::as
