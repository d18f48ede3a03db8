#include "aceward/tls/given_tickets.h"

#include "aceward/crypto/hash.h"

namespace aceward::tls::detail {
namespace {

std::string name_of(BytesView ticket) {
  constexpr std::size_t enough = 16;
  const auto digest = crypto::sha256(ticket);
  return std::string(as_text(BytesView(digest).first(enough)));
}

}  // namespace

void GivenTickets::remember(BytesView ticket, const GivenTicket& given) {
  std::string name = name_of(ticket);
  if (!given_.insert_or_assign(name, given).second) return;
  order_.push_back(std::move(name));
  while (order_.size() > most_) {
    given_.erase(order_.front());
    order_.pop_front();
  }
}

std::optional<GivenTicket> GivenTickets::find(BytesView ticket) const {
  const auto found = given_.find(name_of(ticket));
  if (found == given_.end()) return std::nullopt;
  return found->second;
}

}  // namespace aceward::tls::detail
