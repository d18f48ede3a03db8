#include "aceward/ace/as/revocation_resource.h"

#include <array>

#include "aceward/ace/as/reasons.h"
#include "aceward/coap/resource/answers.h"

namespace aceward::ace::as {

namespace {

constexpr std::chrono::seconds read_ledger_again_after{5};

}  // namespace

RevocationResource::RevocationResource(RevocationList& list, const ChannelDirectory& channels,
                                       coap::Observations& observations, const Clock& clock, std::string_view path)
    : list_(list), channels_(channels), observations_(observations), clock_(clock), path_(coap::path_of(path)) {
  observations_.allow(path_);
}

std::span<const coap::Code> RevocationResource::methods() const {
  static constexpr std::array<coap::Code, 1> get_alone{coap::code::get};
  return get_alone;
}

std::optional<RevocationAsker> RevocationResource::asker_of(const coap::Peer& peer) const {
  return list_.asker_of(channels_.client_of(peer), channels_.server_of(peer));
}

Result<> RevocationResource::update() {
  const auto changes = list_.update(clock_.wall());
  failed_ = !changes;
  if (failed_) retry_at_ = clock_.now() + read_ledger_again_after;
  if (!changes) return std::unexpected(changes.error());
  retry_at_.reset();
  if (changes->empty()) return {};
  observations_.changed_for(path_, clock_.now(), [&](const coap::Observer& observer) {
    const auto asker = asker_of(observer.peer);
    // Whose channel stands for nobody any more is told that.
    return !asker || changes->concerns(*asker);
  });
  return {};
}

std::optional<Instant> RevocationResource::next_update() const {
  if (failed_) return retry_at_;
  const auto due = list_.next_update();
  if (!due) return std::nullopt;
  return clock_.now() + (*due - clock_.wall());
}

void RevocationResource::handle(coap::ExchangeId id, const coap::Peer& peer, const coap::Request& request,
                                coap::Responder& responder) {
  const auto asker = asker_of(peer);
  if (!asker) {
    if (audit_) {
      AuditRecord record;
      record.at = clock_.wall();
      record.kind = AuditKind::revocation_list;
      record.reason = reason::revocation_list_by_nobody.id;
      audit_(record);
    }
    responder.respond(id, coap::make_response(coap::code::unauthorized));
    return;
  }
  // Nobody is told a hash whose token has expired, however late the timer is.
  const auto due = list_.next_update();
  const bool is_due = failed_ ? !retry_at_ || *retry_at_ <= clock_.now() : due && *due <= clock_.wall();
  if (is_due) static_cast<void>(update());
  responder.respond(id, list_.answer(*asker, request));
}

}  // namespace aceward::ace::as
