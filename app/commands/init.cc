// `aceward init DIR`: a configuration with fresh keys that starts as it is.
#include <algorithm>

#include "aceward/crypto/encoding.h"
#include "aceward/crypto/openssl/random.h"
#include "aceward/net/local_socket.h"
#include "aceward/store/sqlite/store.h"
#include "app/commands/commands.h"
#include "app/key_files.h"

namespace aceward::app {

namespace {

constexpr std::string_view issuer_name = "as";
constexpr std::string_view server_name = "rs";
constexpr std::string_view client_name = "client";

struct NewFile {
  std::string name;
  Secret content;
  Exposure exposure;
};

/// Keys, configuration, and the records for the store.
struct NewSetup {
  std::vector<NewFile> files;
  ace::as::ServerRecord server;
  ace::as::ClientRecord client;
};

NewFile public_file(std::string name, std::string_view content) {
  return {std::move(name), Secret::copy_of(as_bytes(content)), Exposure::anybody};
}

Result<cose::Key> add_pair(std::vector<NewFile>& files, const std::string& name, Random& random) {
  const auto pair = ACEWARD_TRY(crypto::PrivateKey::generate(crypto::Curve::p256, random));
  files.push_back({"keys/" + name + ".pem", crypto::private_key_pem(pair), Exposure::owner_only});
  files.push_back(public_file("keys/" + name + ".pub.pem", crypto::public_key_pem(pair.public_key())));
  return cose::Key::from_public(pair.public_key());
}

std::string config_text(const InitOptions& options, const std::string& token_key_id) {
  const std::string as_port = std::to_string(options.as_port);
  const std::string rs_port = std::to_string(options.rs_port);
  const std::string plain_port = std::to_string(options.rs_plain_port);
  std::string text =
      R"(# Aceward: an authorization server, a resource server and a client on one machine. Every key that may stand here is
# in docs/configuration.md. Secrets are in files of their own, readable by their owner alone.

[as]
listen = "[::1]:@AS@"
issuer = "as"
channel_key = "file:keys/as-channel.pem"
signing_key = "file:keys/as-signing.pem"
# previous_signing_keys = "file:keys/as-signing-old.pem"   # while keys change

[store]
path = "store.db"
socket = "admin.sock"

# [admin]
# group = "aceward"            # its users administer the servers that they own: aceward rs set rs --owner USER

# [audit]
# path = "audit.log"           # a line of JSON for every decision

# [metrics]
# listen = "127.0.0.1:9464"    # for Prometheus

[rs]
listen = "[::1]:@RS@"
listen_plain = "[::1]:@PLAIN@"
audience = "rs"
as_uri = "coaps://[::1]:@AS@/token"
channel_key = "file:keys/rs.pem"

[[rs.issuer]]
iss = "as"
key = "file:keys/as-signing.pub.pem"
token_key = "file:keys/rs-token.key"
token_key_id = "@KID@"

# [rs.as]                      # to ask the authorization server about tokens, and to learn which were revoked
# issuer = "as"
# uri = "coaps://[::1]:@AS@"
# psk_identity = "rs"          # or key, the public key of its channel_key
# psk = "file:keys/rs-as.key"
# introspect = "reference"

# [[rs.grant]]                 # rights without any token
# name = "panel"
# key = "file:keys/panel.pub.pem"
# scope = "read_temp"

[[rs.resource]]
path = "/temp"
content = "21.5 C"

[[rs.resource]]
path = "/led"
content = "off"
methods = ["GET", "PUT"]

[rs.scope]
read_temp = ["GET /temp"]
read_led = ["GET /led"]
write_led = ["PUT /led"]

[client]
key = "file:keys/client.pem"

[[client.as]]
name = "as"
uri = "coaps://[::1]:@AS@/token"
key = "file:keys/as-channel.pub.pem"

[[client.server]]
name = "rs"
uri = "coaps://[::1]:@RS@"
plain = "coap://[::1]:@PLAIN@"
audience = "rs"
as = "as"
)";
  for (const auto& [mark, value] : {std::pair<std::string, std::string>("@AS@", as_port),
                                    {"@RS@", rs_port},
                                    {"@PLAIN@", plain_port},
                                    {"@KID@", token_key_id}}) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) text.replace(at, mark.size(), value);
  }
  return text;
}

Result<NewSetup> make_setup(const InitOptions& options, Random& random) {
  NewSetup setup;
  ACEWARD_TRY(add_pair(setup.files, "as-channel", random));
  ACEWARD_TRY(add_pair(setup.files, "as-signing", random));
  const cose::Key rs_key = ACEWARD_TRY(add_pair(setup.files, "rs", random));
  const cose::Key client_key = ACEWARD_TRY(add_pair(setup.files, "client", random));

  Secret token_key(random.bytes(16));
  const Bytes token_key_id = random.bytes(8);
  setup.files.push_back({"keys/rs-token.key", symmetric_key_text(token_key.expose()), Exposure::owner_only});
  setup.files.push_back(public_file("aceward.toml", config_text(options, to_hex(token_key_id))));

  setup.server.name = server_name;
  setup.server.audience = "rs";
  setup.server.public_key = to_bytes(rs_key.serialize().expose());
  const auto server_thumbprint = rs_key.thumbprint();
  setup.server.key_thumbprint.assign(server_thumbprint.begin(), server_thumbprint.end());
  setup.server.token_key = std::move(token_key);
  setup.server.token_key_id = token_key_id;

  setup.client.name = client_name;
  setup.client.public_key = to_bytes(client_key.serialize().expose());
  const auto thumbprint = client_key.thumbprint();
  setup.client.key_thumbprint.assign(thumbprint.begin(), thumbprint.end());
  return setup;
}

Outcome<> make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  // Keys lie below it: nobody else needs to look in.
  if (!error) std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  if (!error) return {};
  return std::unexpected(Failure::configuration("cannot make " + path.string() + ": " + error.message(),
                                                "choose a folder that you may write to"));
}

Outcome<> register_records(const std::filesystem::path& database, NewSetup setup, Random& random) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code ignored;
    std::filesystem::remove(database.string() + suffix, ignored);
  }
  const auto opened = store::Store::open(database, {}, random);
  if (!opened) return std::unexpected(Failure::of(exit_code_of_store(opened.error()), opened.error(), "store.db"));
  const auto server = (*opened)->add_server_now(std::move(setup.server));
  if (!server) return std::unexpected(Failure::of(exit_code_of_store(server.error()), server.error(), "store.db"));
  const auto client = (*opened)->add_client_now(std::move(setup.client));
  if (!client) return std::unexpected(Failure::of(exit_code_of_store(client.error()), client.error(), "store.db"));
  return {};
}

std::string next_steps(const InitOptions& options) {
  const std::string start = "aceward -c " + (options.directory / "aceward.toml").string();
  const std::string uri = "coap://[::1]:" + std::to_string(options.rs_plain_port);
  return "Next:\n  " + start + " serve as rs\n\nand, while that runs:\n  " + start +
         " policy add --client client --rs rs --scope \"read_temp read_led write_led\"\n  " + start + " get '" + uri +
         "/temp'\n  " + start + " put -d on '" + uri + "/led'\n";
}

}  // namespace

int run_init(const InitOptions& options, const Console& console) {
  const auto& ports = {options.as_port, options.rs_port, options.rs_plain_port};
  if (std::ranges::count(ports, 0) != 0) {
    return console.fail(Failure::usage("a port of 0 cannot be written into a configuration", "choose three ports"));
  }
  if (options.as_port == options.rs_port || options.as_port == options.rs_plain_port ||
      options.rs_port == options.rs_plain_port) {
    return console.fail(Failure::usage("the three ports must differ"));
  }
  crypto::openssl::SystemRandom random;
  auto setup = make_setup(options, random);
  if (!setup) return console.fail(Failure::of(ExitCode::security, setup.error(), "making keys"));

  std::vector<std::string> names{"store.db"};
  for (const NewFile& file : setup->files) names.push_back(file.name);
  for (const std::string& name : names) {
    if (std::filesystem::exists(options.directory / name) && !options.yes) {
      return console.fail(Failure::configuration((options.directory / name).string() + " exists; nothing was changed",
                                                 "choose another folder, or replace all of it, keys, records and "
                                                 "tokens included, with --yes"));
    }
  }
  if (net::ask_local((options.directory / "admin.sock").string(), "{}")) {
    return console.fail(Failure::configuration(
        "a server runs in " + options.directory.string() + "; nothing was changed", "stop it first"));
  }
  const auto listed = [&](std::string_view verb) {
    std::string text = "{\"" + std::string(verb) + "\":[";
    for (std::size_t i = 0; i < names.size(); ++i) {
      text += (i == 0 ? "" : ",") + json_quoted((options.directory / names[i]).string());
    }
    return text + "]}\n";
  };
  if (options.dry_run) {
    if (console.json()) {
      console.out(listed("would_write"));
    } else {
      for (const std::string& name : names) console.out("would write " + (options.directory / name).string() + "\n");
    }
    return 0;
  }
  for (const auto& folder : {options.directory, options.directory / "keys"}) {
    if (auto made = make_folder(folder); !made) return console.fail(made.error());
  }
  for (const NewFile& file : setup->files) {
    const auto written = write_file(options.directory / file.name, file.content.expose(), file.exposure, options.yes);
    if (!written) return console.fail(Failure::configuration(written.error().what, written.error().check));
  }
  if (auto registered = register_records(options.directory / "store.db", std::move(*setup), random); !registered) {
    return console.fail(registered.error());
  }
  if (console.json()) {
    console.out(listed("written"));
  } else if (!console.options().quiet) {
    console.out("Wrote " + options.directory.string() +
                ": keys, aceward.toml, and a store that knows the server \"rs\" and the client \"client\".\n" +
                next_steps(options));
  }
  return 0;
}

}  // namespace aceward::app
