// One request for records with the way back to whoever asked. Internal to admin*.cc.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "app/records/admin.h"
#include "app/records/reasons.h"
#include "app/records/record_json.h"

namespace aceward::app {

std::string line_of(const Json& json);

/// Who is not an administrator meets only what belongs to servers of that one's own: everything else is as if it were
/// not there.
class AdminRequest {
 public:
  AdminRequest(const AdminContext& context, const Json& json, AdminReply reply)
      : context_(context), store_(context.store), json_(json), now_(context.now), reply_(std::move(reply)) {}

  void execute();

 private:
  bool execute_for_administrator(const std::string& what);

  void answer(const Json& json) { reply_(line_of(json)); }
  void answer(const Error& error) { reply_(admin_error(error)); }
  template <class T, class Text>
  std::function<void(Result<T>)> told(Text text) const {
    return [reply = reply_, text](Result<T> result) {
      reply(result ? line_of(text(*result)) : admin_error(result.error()));
    };
  }

  std::string text(const char* name) const;
  std::int64_t number(const char* name, std::int64_t fallback) const;

  // admin.cc
  /// May the asker touch what belongs to the server of this name? False where there is no such server.
  bool administers(const std::string& server) const;
  bool administers(const ace::as::IssuedToken& token) const;
  template <class Record, class Find>
  void add(Result<Record> record, void (store::Store::*change)(Record, store::Done<store::Added>), Find find);
  template <class Find>
  void show(Find find);
  template <class Records>
  void list(const char* member, Records records);
  template <class Record, class Find>
  void set(Find find, void (store::Store::*change)(Record, store::Done<store::Revision>));
  template <class Find>
  void remove(Find find, void (store::Store::*change)(std::string, store::Done<store::Removal>));
  void add_rule();
  void show_rule();
  void set_rule();
  void remove_rule();
  void show_server();

  // admin_tokens.cc
  void list_tokens();
  void show_token();
  void revoke();
  void list_requests();
  void show_request();
  void approve_request();
  void deny_request();

  // admin_policy.cc
  void test_policy();

  const AdminContext& context_;
  store::Store& store_;
  Json json_;
  WallTime now_;
  AdminReply reply_;
  bool dry_run_ = false;
};

}  // namespace aceward::app
