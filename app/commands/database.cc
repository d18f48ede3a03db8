// `aceward db`: the authorization server's database as a whole.
#include "aceward/crypto/openssl/random.h"
#include "aceward/store/sqlite/maintenance.h"
#include "app/commands/commands.h"
#include "app/config/config.h"
#include "app/records/ask.h"

namespace aceward::app {

namespace {

int fail_with(const Console& console, const Error& error, const std::filesystem::path& path) {
  return console.fail(Failure::of(exit_code_of_store(error), error, path.string()));
}

int show_status(const std::filesystem::path& path, const Console& console) {
  const auto status = store::read_status(path, SystemClock().wall());
  if (!status) return fail_with(console, status.error(), path);
  JsonObject reply;
  reply.add("file", path.string()).add("version", status->version).add("current_version", status->current_version);
  reply.add("instance", to_hex(status->instance)).add("octets", static_cast<std::int64_t>(status->octets));
  reply.add("log_octets", static_cast<std::int64_t>(status->log_octets));
  reply.add("pages", status->pages).add("free_pages", status->free_pages).add("clients", status->clients);
  reply.add("servers", status->servers).add("rules", status->rules).add("requests", status->requests);
  reply.add("tokens", status->tokens).add("live_tokens", status->live_tokens);
  reply.add("revoked_tokens", status->revoked_tokens);
  print_reply(console, std::move(reply).finish(), "");
  if (status->current_version > status->version) console.note("it is of an older release: aceward db migrate");
  return 0;
}

int migrate(const std::filesystem::path& path, const Console& console) {
  const auto migrated = store::migrate(path);
  if (!migrated) return fail_with(console, migrated.error(), path);
  JsonObject reply;
  reply.add("from", migrated->from).add("to", migrated->to);
  reply.add_text_unless_empty("kept", migrated->kept.string());
  print_reply(console, std::move(reply).finish(),
              migrated->from == migrated->to ? "nothing to migrate" : "migrated " + path.string());
  return 0;
}

int back_up(const DatabaseOptions& options, const std::filesystem::path& path, const Console& console) {
  if (const auto done = store::back_up(path, options.file); !done)
    return fail_with(console, done.error(), options.file);
  JsonObject reply;
  reply.add("file", options.file.string());
  print_reply(console, std::move(reply).finish(), "backed up " + path.string());
  console.note("the copy is as secret as the database: it holds keys");
  return 0;
}

int restore(const DatabaseOptions& options, const std::filesystem::path& path, const Console& console) {
  if (!options.yes) {
    const auto confirmed =
        console.confirm("Replace " + path.string() + ", its clients, servers, rules and requests, by the backup?");
    if (!confirmed) return console.fail(confirmed.error());
  }
  crypto::openssl::SystemRandom random;
  const auto restored =
      store::restore(options.file, path,
                     {.replace_unreadable = options.replace_unreadable, .keep_tokens = options.keep_tokens}, random);
  if (!restored) return fail_with(console, restored.error(), options.file);
  JsonObject reply;
  reply.add("file", path.string()).add_text_unless_empty("kept", restored->kept.string());
  reply.add("merged", bool{restored->merged}).add("tokens", restored->tokens).add("tokens_revoked", restored->revoked);
  reply.add_texts("revived", restored->revived);
  print_reply(console, std::move(reply).finish(), "restored");
  if (!restored->revived.empty()) {
    console.note("these had been removed or had other keys, and are back as they were: look whether that is right");
  }
  return 0;
}

}  // namespace

int run_database(const DatabaseOptions& options, const Console& console) {
  const auto config = load_config(console.options());
  if (!config) return console.fail(config.error());
  const std::filesystem::path& path = config->store.path;
  if (options.verb == "status") return show_status(path, console);
  if (options.verb == "migrate") return migrate(path, console);
  if (options.verb == "backup") return back_up(options, path, console);
  return restore(options, path, console);
}

}  // namespace aceward::app
