#include "app/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "app/config/role_settings.h"
#include "app/config/schema.h"

namespace aceward::app {
namespace {

using testing::HasSubstr;

constexpr std::string_view good_config = R"([as]
listen = ["127.0.0.1:5684", "[::1]:0"]
issuer = "as"
channel_key = "file:keys/channel.pem"
signing_key = "file:/etc/keys/signing.pem"

[rs]
listen = "[::1]:5694"
audience = ["rs", "all-lamps"]
channel_key = "credential:rs-key"
[[rs.issuer]]
iss = "as"
key = "file:as.pub.pem"
token_key_id = "0102"
[[rs.resource]]
path = "/temp"
methods = ["GET", "PUT"]
public = true
[rs.scope]
read = ["GET /temp", "GET /led"]

[client]
key = "file:client.pem"
[[client.as]]
name = "as"
uri = "coaps://as.example/token"
address = "127.0.0.1:5684"
key = "file:as.pub.pem"
[[client.server]]
name = "rs"
uri = "coaps://rs.example"
plain = "coap://rs.example"
audience = "rs"
pop = "psk"
token = "psk-identity"

[log]
level = "all"
[limits]
tokens = 7
idle_timeout = "2m"
)";

TEST(Config, ReadsEverySection) {
  const auto config = parse_config(good_config, "dir/aceward.toml");
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(config->as->listen.size(), 2U);
  EXPECT_EQ(config->as->listen[1].port, 0);
  EXPECT_EQ(config->as->channel_key.path, "dir/keys/channel.pem");
  EXPECT_EQ(config->as->signing_key.path, "/etc/keys/signing.pem");
  EXPECT_EQ(config->as->maximum_lifetime, std::chrono::hours(24 * 30));
  EXPECT_EQ(config->rs->audiences, (std::vector<std::string>{"rs", "all-lamps"}));
  EXPECT_TRUE(config->rs->channel_key.is_credential);
  EXPECT_EQ(config->rs->issuers.at(0).token_key_id, (Bytes{1, 2}));
  EXPECT_TRUE(config->rs->resources.at(0).is_public);
  EXPECT_EQ(config->rs->scopes.at("read").to_text(), "/led=GET /temp=GET");
  EXPECT_EQ(config->client->authorization_servers.at(0).address, Address::v4(127, 0, 0, 1, 5684));
  EXPECT_TRUE(config->client->servers.at(0).with_psk);
  EXPECT_TRUE(config->client->servers.at(0).token_in_psk_identity);
  EXPECT_EQ(config->store.path, "dir/store.db");
  EXPECT_EQ(config->log, LogLevel::all);
  EXPECT_EQ(config->limits.tokens, 7U);
  EXPECT_EQ(config->limits.sessions, 4096U);
  EXPECT_EQ(config->limits.idle_timeout, std::chrono::minutes(2));
}

TEST(Config, AnEmptyFileHasTheDefaults) {
  const auto config = parse_config("", "aceward.toml");
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_FALSE(config->as || config->rs || config->client);
  EXPECT_EQ(config->store.path, "store.db");
  EXPECT_EQ(config->store.token_retention, std::chrono::hours(24 * 7));
}

struct ConfigFault {
  const char* name;
  const char* text;
  const char* place;  ///< line:column
  const char* what;
  const char* check;
};

class ConfigFaults : public testing::TestWithParam<ConfigFault> {};

TEST_P(ConfigFaults, NamePlaceWhatWasFoundAndWhatWouldDo) {
  const ConfigFault& fault = GetParam();
  const auto config = parse_config(fault.text, "x.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ExitCode::configuration);
  EXPECT_THAT(config.error().what, testing::StartsWith(std::string("x.toml:") + fault.place + ": "));
  EXPECT_THAT(config.error().what, HasSubstr(fault.what));
  EXPECT_THAT(config.error().check, HasSubstr(fault.check));
}

constexpr const char* as_head = "[as]\nlisten = \"[::1]:1\"\nissuer = \"as\"\nchannel_key = \"file:a\"\n";

INSTANTIATE_TEST_SUITE_P(
    All, ConfigFaults,
    testing::Values(
        ConfigFault{"NotToml", "[as\n", "1:4", "not TOML", "missing quote"},
        ConfigFault{"KeyTwice", "[log]\nlevel = \"all\"\nlevel = \"all\"\n", "3:9", "not TOML", "twice"},
        ConfigFault{"UnknownSection", "[sa]\n", "1:2", "no section [sa]", "did you mean \"as\""},
        ConfigFault{"UnknownSectionFarFromAll", "\n[kubernetes]\n", "2:2", "no section", "there are: as rs"},
        ConfigFault{"UnknownKey", "[log]\nlevle = \"all\"\n", "2:1", "no key \"levle\"", "did you mean \"level\""},
        ConfigFault{"UnknownKeyInArray", "[[client.as]]\nnmae = \"x\"\n", "2:1", "no key \"nmae\"", "\"name\""},
        ConfigFault{"MissingKey", "[as]\nissuer = \"as\"\n", "1:1", "lacks \"listen\"", "add listen = "},
        ConfigFault{"WrongType", "[log]\nlevel = 3\n", "2:9", "[log] level is an integer", "text in quotes"},
        ConfigFault{"TextForCount", "[limits]\ntokens = \"7\"\n", "2:10", "is a text", "without quotes"},
        ConfigFault{"CountOfZero", "[limits]\ntokens = 0\n", "2:10", "is 0", "from 1"},
        ConfigFault{"CountTooLarge", "[limits]\ntokens = 1000000001\n", "2:10", "is 1000000001", "1000000000"},
        ConfigFault{"UnknownChoice", "[log]\nlevel = \"loud\"\n", "2:9", "is \"loud\"", "none refusals all"},
        ConfigFault{"BadDuration", "[limits]\nidle_timeout = \"10\"\n", "2:16", "is \"10\"", "\"10m\""},
        ConfigFault{"BadAddress", "[as]\nlisten = \"localhost:1\"\n", "2:10", "localhost:1", "[::1]:5684"},
        ConfigFault{"AddressWithoutPort", "[as]\nlisten = [\"[::1]:1\", \"::1\"]\n", "2:22", "is \"::1\"", "the port"},
        ConfigFault{"EmptyList", "[as]\nlisten = []\n", "2:10", "is empty", "at least one"},
        ConfigFault{"BareKey", "[as]\nchannel_key = \"0011\"\n", "2:15", "is \"0011\"", "never stands in this file"},
        ConfigFault{"CredentialPath", "[as]\nchannel_key = \"credential:../k\"\n", "2:15", "../k", "no folder"},
        ConfigFault{"BadUri", "[[client.as]]\nuri = \"http://x\"\n", "2:7", "http://x", "coaps://host"},
        ConfigFault{"BadHexadecimal", "[[rs.issuer]]\ntoken_key_id = \"xy\"\n", "2:16", "xy", "hexadecimal"},
        ConfigFault{"SectionIsNoArray", "[rs.issuer]\niss = \"as\"\n", "1:5", "one of several", "[[rs.issuer]]"},
        ConfigFault{"SectionIsAValue", "log = 3\n", "1:1", "not a section", "[log]"}),
    [](const auto& tested) { return tested.param.name; });

constexpr const char* rs_head =
    "[rs]\nlisten = \"[::1]:1\"\naudience = \"rs\"\nchannel_key = \"file:a\"\n"
    "[[rs.issuer]]\niss = \"as\"\nkey = \"file:b\"\n";
constexpr const char* client_head =
    "[client]\nkey = \"file:a\"\n[[client.as]]\nname = \"as\"\nuri = \"coaps://as/token\"\nkey = \"file:b\"\n";

struct ConfigContradiction {
  const char* name;
  std::string text;
  const char* what;
  const char* check;
};

class ConfigContradictions : public testing::TestWithParam<ConfigContradiction> {};

TEST_P(ConfigContradictions, AreRefused) {
  const auto config = parse_config(GetParam().text, "x.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().what, testing::ContainsRegex("^x.toml:[0-9]+:[0-9]+: "));
  EXPECT_THAT(config.error().what, HasSubstr(GetParam().what));
  EXPECT_THAT(config.error().check, HasSubstr(GetParam().check));
}

std::string client_server(const std::string& lines) {
  return std::string(client_head) + "[[client.server]]\nname = \"rs\"\naudience = \"rs\"\n" + lines;
}

INSTANTIATE_TEST_SUITE_P(
    All, ConfigContradictions,
    testing::Values(
        ConfigContradiction{"NobodyTrusted",
                            "[rs]\nlisten = \"[::1]:1\"\naudience = \"rs\"\nchannel_key = \"file:a\"\n",
                            "trusts nobody", "[[rs.issuer]]"},
        ConfigContradiction{"IssuerWithoutKeys",
                            "[rs]\nlisten = \"[::1]:1\"\naudience = \"rs\"\nchannel_key = \"file:a\"\n"
                            "[[rs.issuer]]\niss = \"as\"\n",
                            "neither key nor token_key", "public key"},
        ConfigContradiction{"PathWithoutRoot", std::string(rs_head) + "[[rs.resource]]\npath = \"temp\"\n", "\"temp\"",
                            "/temp"},
        ConfigContradiction{"PathTwice",
                            std::string(rs_head) + "[[rs.resource]]\npath = \"/t\"\n[[rs.resource]]\npath = \"/t\"\n",
                            "two resources /t", "path of its own"},
        ConfigContradiction{"MethodUnknown",
                            std::string(rs_head) + "[[rs.resource]]\npath = \"/t\"\nmethods = [\"get\"]\n", "\"get\"",
                            "GET, PUT"},
        ConfigContradiction{"ScopeWithoutMethod", std::string(rs_head) + "[rs.scope]\nread = [\"/temp\"]\n",
                            "\"/temp\"", "GET /temp"},
        ConfigContradiction{"ScopeWithRelativePath", std::string(rs_head) + "[rs.scope]\nread = [\"GET temp\"]\n",
                            "\"GET temp\"", "GET /temp"},
        ConfigContradiction{"TwoWaysToAuthenticate",
                            std::string(client_head) + "psk_identity = \"x\"\npsk = \"file:c\"\n", "exactly one way",
                            "give key, or"},
        ConfigContradiction{"PskWithoutIdentity",
                            "[[client.as]]\nname = \"as\"\nuri = \"coaps://as/token\"\npsk = \"file:c\"\n",
                            "exactly one way", "psk_identity"},
        ConfigContradiction{"RawKeyWithoutOwnKey",
                            "[[client.as]]\nname = \"as\"\nuri = \"coaps://as/token\"\nkey = \"file:c\"\n",
                            "[client] has none", "add [client] key"},
        ConfigContradiction{"ServerWithoutDtls", client_server("uri = \"coap://rs\"\n"), "without DTLS", "coaps://"},
        ConfigContradiction{"PlainWithDtls", client_server("uri = \"coaps://rs\"\nplain = \"coaps://rs\"\n"),
                            "plain uri with DTLS", "coap://"},
        ConfigContradiction{"IdentityWithoutPsk", client_server("uri = \"coaps://rs\"\ntoken = \"psk-identity\"\n"),
                            "has no psk", "pop = \"psk\""},
        ConfigContradiction{"UnknownServer", client_server("uri = \"coaps://rs\"\nas = \"sa\"\n"), "unknown",
                            "\"as\""}),
    [](const auto& tested) { return tested.param.name; });

TEST(Config, ACredentialNeedsItsDirectory) {
  ::unsetenv("CREDENTIALS_DIRECTORY");
  const auto config = parse_config(std::string(as_head) + "signing_key = \"credential:sign\"\n", "none/x.toml");
  ASSERT_TRUE(config) << config.error().what;
  Config without_file = *config;
  without_file.as->channel_key = config->as->signing_key;
  const auto settings = as_settings(without_file);
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().what, HasSubstr("$CREDENTIALS_DIRECTORY is not set"));
  EXPECT_THAT(settings.error().what, HasSubstr("x.toml:5:15"));
}

TEST(Config, AMissingKeyFileIsNamedWithItsPlace) {
  const auto config = parse_config(std::string(as_head) + "signing_key = \"file:b\"\n", "none/x.toml");
  ASSERT_TRUE(config) << config.error().what;
  const auto settings = as_settings(*config);
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().what, HasSubstr("none/x.toml:4:15: [as] channel_key: cannot read none/a"));
}

TEST(Duration, HasAUnitAndABound) {
  EXPECT_EQ(parse_duration("90s"), std::chrono::seconds(90));
  EXPECT_EQ(parse_duration("2h"), std::chrono::hours(2));
  EXPECT_EQ(parse_duration("7d"), std::chrono::hours(168));
  for (const char* text : {"", "s", "10", "1.5h", "-1s", "1w", "99999999999s", "9999999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(ConfigSchema, IsTheReferenceThatTheDocumentationShows) {
  const std::string page = configuration_markdown();
  if (std::getenv("ACEWARD_WRITE_DOCS") != nullptr) std::ofstream("docs/configuration.md") << page;
  std::ostringstream written;
  written << std::ifstream("docs/configuration.md").rdbuf();
  EXPECT_EQ(written.str(), page) << "run app_test once with ACEWARD_WRITE_DOCS=1 from the top of the tree";
}

TEST(ConfigSchema, EveryKeyBelongsToASectionAndHasAValidDefault) {
  for (const ConfigKey& key : config_keys()) {
    EXPECT_NE(find_section(key.section), nullptr) << key.section;
    EXPECT_FALSE(key.required && !key.fallback.empty()) << key.name;
    if (key.kind == ValueKind::choice) {
      EXPECT_THAT(std::string(key.choices), HasSubstr(std::string(key.fallback)));
    }
    if (key.kind == ValueKind::duration) {
      EXPECT_TRUE(parse_duration(key.fallback)) << key.name;
    }
  }
}

TEST(NearestOf, OffersOnlyWhatIsAlike) {
  EXPECT_EQ(nearest_of("listn", {"issuer", "listen"}), "listen");
  EXPECT_EQ(nearest_of("zzzzzz", {"issuer", "listen"}), "");
}

TEST(ContentFormats, ByNameAndByNumber) {
  EXPECT_EQ(parse_content_format("60"), coap::content_format::cbor);
  EXPECT_EQ(parse_content_format("cbor"), coap::content_format::cbor);
  EXPECT_EQ(parse_content_format("application/ace+cbor"), coap::content_format::ace_cbor);
  EXPECT_EQ(parse_content_format("text/plain"), coap::content_format::text_plain);
  EXPECT_FALSE(parse_content_format("65536"));
  EXPECT_FALSE(parse_content_format("cobr"));
  EXPECT_TRUE(is_cbor_format(coap::content_format::aif_cbor));
  EXPECT_FALSE(is_cbor_format(coap::content_format::aif_json));
}

TEST(Scopes, AreTextOrAif) {
  EXPECT_EQ(parse_scope("write read"), ace::Scope("read write"));
  EXPECT_TRUE(std::holds_alternative<Bytes>(*parse_scope("/temp=GET,PUT")));
  EXPECT_FALSE(parse_scope("/temp=FLY"));
  EXPECT_FALSE(parse_scope("a  b"));
}

}  // namespace
}  // namespace aceward::app
