// SIGHUP: the configuration is read again while sessions go on.
#include <algorithm>

#include "app/config/role_settings.h"
#include "app/service/service.h"

namespace aceward::app {

namespace {

std::string written_form(const std::optional<RsAsSection>& as) {
  if (!as) return {};
  return as->issuer + "\n" + as->uri + "\n" + (as->key ? as->key->text : "") + "\n" + as->psk_identity + "\n" +
         (as->psk ? as->psk->text : "") + "\n" + as->introspect + "\n" + as->introspection_path + "\n" +
         std::to_string(as->cache.count()) + "\n" + (as->follows_revocations ? "yes" : "no") + "\n" +
         as->revocation_path;
}

}  // namespace

void Service::reload() {
  notifier_.reloading(loop_.clock());
  auto fresh = load_config(console_.options());
  Outcome<> taken = fresh ? take(std::move(*fresh)) : std::unexpected(fresh.error());
  if (taken) {
    ++reloads_;
    log_.said("serve", "reloaded", config_.file.string());
  } else {
    ++reloads_refused_;
    log_.said("serve", "not reloaded", taken.error().what + "; the configuration before stays in use",
              taken.error().reason);
  }
  if (audit_) {
    AuditEvent event{.role = "serve", .what = "reload"};
    event.granted = taken.has_value();
    if (!taken) {
      event.reason = taken.error().reason;
      event.detail = taken.error().what;
    }
    audit_->write(event);
  }
  notifier_.ready(taken ? "serving" : "serving; the new configuration was refused");
}

Outcome<> Service::take(Config fresh) {
  // Everything is read before anything changes.
  std::optional<AsSettings> as;
  std::optional<RsSettings> rs;
  if (as_) {
    auto settings = as_settings(fresh);
    if (!settings) return std::unexpected(settings.error());
    as = std::move(*settings);
  }
  if (rs_) {
    auto settings = rs_settings(fresh);
    if (!settings) return std::unexpected(settings.error());
    rs = std::move(*settings);
  }
  if (auto audit = take_audit(fresh); !audit) return audit;
  const auto failed = [](std::string_view role, const Error& error) {
    return std::unexpected(Failure::of(ExitCode::configuration, error, role));
  };
  if (as) {
    if (const auto taken = as_->reconfigure(std::move(*as)); !taken) return failed("as", taken.error());
  }
  if (rs) {
    if (const auto taken = rs_->reconfigure(std::move(*rs)); !taken) return failed("rs", taken.error());
  }
  log_.set_level(fresh.log);
  for (const std::string& key : needs_restart(config_, fresh)) {
    log_.said("serve", "needs a restart", key + " has changed in the file, and stays as it was until then");
  }
  config_ = std::move(fresh);
  return {};
}

Outcome<> Service::take_audit(const Config& fresh) {
  if (!fresh.audit.path) {
    audit_.reset();
    return {};
  }
  if (audit_ && audit_->path() == *fresh.audit.path) {
    audit_->set_strangers_per_second(fresh.audit.strangers_per_second);
    return audit_->reopen();
  }
  auto opened = AuditLog::open(*fresh.audit.path, fresh.audit.strangers_per_second, loop_.clock(),
                               [this](const std::string& text) { log_.said("audit", "trouble", text); });
  if (!opened) return std::unexpected(opened.error());
  audit_ = std::move(*opened);
  return {};
}

std::vector<std::string> needs_restart(const Config& before, const Config& after) {
  std::vector<std::string> keys;
  const auto compare = [&](const char* key, const auto& old, const auto& now) {
    if (!(old == now)) keys.emplace_back(key);
  };
  if (before.as && after.as) {
    compare("[as] listen", before.as->listen, after.as->listen);
    compare("[as] token_path", before.as->token_path, after.as->token_path);
    compare("[as] issuer", before.as->issuer, after.as->issuer);
    compare("[as] maximum_lifetime", before.as->maximum_lifetime, after.as->maximum_lifetime);
    compare("[as] arrival_allowance", before.as->arrival_allowance, after.as->arrival_allowance);
    compare("[as] channel_certificate", before.as->channel_certificate, after.as->channel_certificate);
    compare("[as] client_authorities", before.as->client_authorities, after.as->client_authorities);
    compare("[as.introspection]", before.as->introspection, after.as->introspection);
    compare("[as.revocation]", before.as->revocation, after.as->revocation);
    compare("[as.requests]", before.as->requests, after.as->requests);
    compare("[as] channel_key", before.as->channel_key.path, after.as->channel_key.path);
  }
  if (before.rs && after.rs) {
    compare("[rs] listen", before.rs->listen, after.rs->listen);
    compare("[rs] listen_plain", before.rs->listen_plain, after.rs->listen_plain);
    compare("[rs] trusted_plain", before.rs->trusted_plain, after.rs->trusted_plain);
    compare("[rs] socket", before.rs->socket, after.rs->socket);
    compare("[rs] authz_info_path", before.rs->authz_info_path, after.rs->authz_info_path);
    compare("[rs] channel_key", before.rs->channel_key.path, after.rs->channel_key.path);
    compare("[rs] clock_synchronized", before.rs->clock_is_synchronized, after.rs->clock_is_synchronized);
    compare("[rs] sequences", before.rs->sequences, after.rs->sequences);
    compare("[rs] cnonce_lifetime", before.rs->cnonce_lifetime, after.rs->cnonce_lifetime);
    compare("[rs] anonymous_sessions", before.rs->anonymous_sessions, after.rs->anonymous_sessions);
    compare("[rs] unused_tokens", before.rs->unused_tokens, after.rs->unused_tokens);
    compare("[rs.as]", written_form(before.rs->as), written_form(after.rs->as));
    compare("[rs] content_limit", before.rs->content_limit, after.rs->content_limit);
    compare("[[rs.resource]]", before.rs->resources, after.rs->resources);
  }
  compare("[store] path", before.store.path, after.store.path);
  compare("[store] socket", before.store.socket, after.store.socket);
  compare("[store] durability", before.store.is_relaxed, after.store.is_relaxed);
  compare("[store] token_retention", before.store.token_retention, after.store.token_retention);
  compare("[metrics] listen", before.metrics.listen, after.metrics.listen);
  compare("[admin] group", before.admin.group, after.admin.group);
  compare("[admin] open_to_anybody", before.admin.open_to_anybody, after.admin.open_to_anybody);
  compare("[coap]", before.coap.written, after.coap.written);
  compare("[limits]", before.limits.written, after.limits.written);
  return keys;
}

}  // namespace aceward::app
