#include "aceward/store/sqlite/request_table.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "aceward/ace/as/reasons.h"
#include "aceward/cbor/reader.h"
#include "aceward/store/reasons.h"
#include "aceward/store/sqlite/record_check.h"
#include "aceward/store/sqlite/registry_rows.h"
#include "aceward/store/sqlite/registry_table.h"

namespace aceward::store {

namespace {

using ace::as::AccessRequest;
using ace::as::RequestNumber;
using ace::as::RequestState;

constexpr std::size_t request_list_limit = 1000;

std::int64_t second_of(WallTime time) { return time.time_since_epoch().count(); }

#define ACEWARD_REQUEST_COLUMNS                                                                      \
  "SELECT number, client_id, server_id, client.name, server.name, scope, state, times, first_asked," \
  " last_asked, expires_at FROM request JOIN client ON client.id = client_id JOIN server ON server.id = server_id"

AccessRequest request_of(const Query& row) {
  const auto time = [&](int column) { return WallTime(std::chrono::seconds(row.integer_at(column))); };
  AccessRequest request;
  request.number = RequestNumber(row.integer_at(0));
  request.client_id = row.integer_at(1);
  request.server_id = row.integer_at(2);
  request.client = row.text_at(3);
  request.server = row.text_at(4);
  request.scope = to_bytes(row.blob_at(5));
  // Whatever is not waiting is not granted either.
  request.state =
      row.integer_at(6) == std::to_underlying(RequestState::waiting) ? RequestState::waiting : RequestState::denied;
  request.times = static_cast<std::uint64_t>(std::max<std::int64_t>(row.integer_at(7), 1));
  request.first_asked = time(8);
  request.last_asked = time(9);
  request.expires_at = time(10);
  return request;
}

Result<std::size_t> count_where(Database& database, std::string_view sql, std::int64_t id) {
  Query query = ACEWARD_TRY(database.prepare(sql));
  if (!ACEWARD_TRY(query.integer(id).step())) return fail(reason::store_damaged, "a row is missing");
  return static_cast<std::size_t>(query.integer_at(0));
}

Result<> make_room(Database& database, const AccessRequest& request, ace::as::RequestBookLimits limits) {
  ACEWARD_TRY(run_for_id(database, "DELETE FROM request WHERE expires_at <= ?", second_of(request.last_asked)));
  const std::size_t all = ACEWARD_TRY(count_where(database, "SELECT count(*) FROM request WHERE number > ?", 0));
  const std::size_t own =
      ACEWARD_TRY(count_where(database, "SELECT count(*) FROM request WHERE client_id = ?", request.client_id));
  if (all >= limits.in_all || own >= limits.per_client) return fail(reason::requests_full);
  return {};
}

Result<> require_party(Database& database, std::string_view sql, std::int64_t id, std::string_view detail) {
  Query query = ACEWARD_TRY(database.prepare(sql));
  if (!ACEWARD_TRY(query.integer(id).step())) return fail(reason::record_missing, detail);
  return {};
}

/// Puts the scope that was asked for into the rule: a text, or AIF in a byte string.
Result<> take_scope(ace::as::PolicyRule& rule, BytesView scope) {
  if (scope.empty()) return fail(reason::record_invalid, "scope");
  cbor::Reader reader(scope);
  if (auto text = reader.text_string()) {
    rule.text_scope = std::string(*text);
    return reader.finish();
  }
  cbor::Reader again(scope);
  rule.aif_scope = to_bytes(ACEWARD_TRY(again.byte_string()));
  return again.finish();
}

}  // namespace

Result<std::optional<AccessRequest>> find_request(Database& database, std::int64_t client_id, std::int64_t server_id,
                                                  BytesView scope, WallTime now) {
  Query query = ACEWARD_TRY(database.prepare(
      ACEWARD_REQUEST_COLUMNS " WHERE client_id = ? AND server_id = ? AND scope = ? AND expires_at > ?"));
  query.integer(client_id).integer(server_id).blob(scope).integer(second_of(now));
  if (!ACEWARD_TRY(query.step())) return std::nullopt;
  return request_of(query);
}

Result<AccessRequest> read_request(Database& database, RequestNumber number) {
  Query query = ACEWARD_TRY(database.prepare(ACEWARD_REQUEST_COLUMNS " WHERE number = ?"));
  if (!ACEWARD_TRY(query.integer(number.value).step())) return fail(reason::record_missing, "request");
  return request_of(query);
}

Result<std::vector<AccessRequest>> read_requests(Database& database, const RequestFilter& filter) {
  if (filter.limit < 1 || filter.limit > request_list_limit) return fail(reason::record_invalid, "limit");
  std::optional<std::int64_t> client_id, server_id, state, live_at;
  if (!filter.client.empty()) client_id = ACEWARD_TRY(client_id_of(database, filter.client));
  if (!filter.server.empty()) server_id = ACEWARD_TRY(server_id_of(database, filter.server));
  if (filter.state) state = std::to_underlying(*filter.state);
  if (filter.live_at) live_at = second_of(*filter.live_at);
  Query query = ACEWARD_TRY(
      database.prepare(ACEWARD_REQUEST_COLUMNS
                       " WHERE number > ?1 AND (?2 IS NULL OR client_id = ?2) AND (?3 IS NULL OR server_id = ?3)"
                       " AND (?4 IS NULL OR state = ?4) AND (?5 IS NULL OR expires_at > ?5)"
                       " AND (?6 IS NULL OR server.owner = ?6) ORDER BY number LIMIT ?7"));
  query.integer(filter.after.value)
      .integer_or_null(client_id)
      .integer_or_null(server_id)
      .integer_or_null(state)
      .integer_or_null(live_at)
      .text_or_null(filter.owner)
      .integer(static_cast<std::int64_t>(filter.limit));
  std::vector<AccessRequest> requests;
  while (ACEWARD_TRY(query.step())) requests.push_back(request_of(query));
  return requests;
}

Result<RequestNumber> keep_request(Database& database, const AccessRequest& request,
                                   ace::as::RequestBookLimits limits) {
  ACEWARD_TRY(check_record(request));
  const auto known =
      ACEWARD_TRY(find_request(database, request.client_id, request.server_id, request.scope, request.last_asked));
  if (known) {
    // A denial ends when its owner said, however often it is asked for.
    const WallTime expires_at = known->state == RequestState::denied ? known->expires_at : request.expires_at;
    Query query = ACEWARD_TRY(
        database.prepare("UPDATE request SET times = times + 1, last_asked = ?, expires_at = ? WHERE number = ?"));
    ACEWARD_TRY(
        query.integer(second_of(request.last_asked)).integer(second_of(expires_at)).integer(known->number.value).run());
    return known->number;
  }
  ACEWARD_TRY(require_party(database, "SELECT 1 FROM client WHERE id = ?", request.client_id, "client"));
  ACEWARD_TRY(require_party(database, "SELECT 1 FROM server WHERE id = ?", request.server_id, "server"));
  ACEWARD_TRY(make_room(database, request, limits));
  Query query = ACEWARD_TRY(
      database.prepare("INSERT INTO request(client_id, server_id, scope, state, times, first_asked, last_asked,"
                       " expires_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"));
  query.integer(request.client_id)
      .integer(request.server_id)
      .blob(request.scope)
      .integer(std::to_underlying(request.state))
      .integer(
          static_cast<std::int64_t>(std::min<std::uint64_t>(request.times, std::numeric_limits<std::int32_t>::max())))
      .integer(second_of(request.first_asked))
      .integer(second_of(request.last_asked))
      .integer(second_of(request.expires_at));
  ACEWARD_TRY(query.run());
  return RequestNumber(database.last_row());
}

Result<Added> approve_request(Database& database, RequestNumber number, const ace::as::PolicyRule& rule) {
  const AccessRequest request = ACEWARD_TRY(read_request(database, number));
  ace::as::PolicyRule granted = rule;
  granted.id = 0;
  granted.client = request.client;
  granted.group.clear();
  granted.server = request.server;
  if (granted.text_scope.empty() && granted.aif_scope.empty()) ACEWARD_TRY(take_scope(granted, request.scope));
  const Added added = ACEWARD_TRY(insert_record(database, granted));
  ACEWARD_TRY(run_for_id(database, "DELETE FROM request WHERE number = ?", number.value));
  return added;
}

Result<> deny_request(Database& database, RequestNumber number, WallTime until) {
  Query query = ACEWARD_TRY(database.prepare("UPDATE request SET state = ?, expires_at = ? WHERE number = ?"));
  ACEWARD_TRY(
      query.integer(std::to_underlying(RequestState::denied)).integer(second_of(until)).integer(number.value).run());
  if (database.changed_rows() == 0) return fail(reason::record_missing, "request");
  return {};
}

#undef ACEWARD_REQUEST_COLUMNS

}  // namespace aceward::store
