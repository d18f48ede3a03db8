#include "app/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
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

/// All the numbers that can be configured, of a struct of a library.
std::vector<std::int64_t> numbers_of(const coap::Limits& limits) {
  std::vector<std::int64_t> all;
  for (const std::size_t one :
       {limits.datagram_size, limits.options, limits.token, limits.peers, limits.remembered_per_peer, limits.remembered,
        limits.answers_per_peer, limits.answers, limits.requests_per_peer, limits.requests, limits.unverified_answer,
        limits.verified_addresses, limits.events, limits.datagrams}) {
    all.push_back(static_cast<std::int64_t>(one));
  }
  return all;
}
std::vector<std::int64_t> numbers_of(const coap::BlockwiseLimits& limits) {
  std::vector<std::int64_t> all;
  for (const std::size_t one :
       {limits.request_body, limits.assemblies_per_peer, limits.assemblies, limits.assembly_bytes, limits.held_per_peer,
        limits.held, limits.held_bytes, limits.response_body, limits.answer_bytes}) {
    all.push_back(static_cast<std::int64_t>(one));
  }
  all.push_back(limits.assembly_lifetime.count());
  all.push_back(limits.held_lifetime.count());
  return all;
}
std::vector<std::int64_t> numbers_of(const coap::ObservationLimits& limits) {
  std::vector<std::int64_t> all;
  for (const std::size_t one : {limits.per_resource, limits.per_peer, limits.overall, limits.request_size}) {
    all.push_back(static_cast<std::int64_t>(one));
  }
  all.push_back(limits.non_confirmable_apart.count());
  all.push_back(limits.answer_within.count());
  return all;
}
std::vector<std::int64_t> numbers_of(const coap::Parameters& parameters) {
  return {parameters.ack_timeout.count(),
          std::llround(parameters.ack_random_factor * 1000),
          parameters.max_retransmit,
          parameters.nstart,
          parameters.probing_rate,
          parameters.max_latency.count(),
          parameters.acknowledge_after.count()};
}

TEST(Config, TheDefaultsOfLimitsAreThoseOfTheLibraries) {
  const auto config = parse_config("", "aceward.toml");
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(numbers_of(config->limits.messages), numbers_of(coap::Limits{}));
  EXPECT_EQ(numbers_of(config->limits.blockwise), numbers_of(coap::BlockwiseLimits{}));
  EXPECT_EQ(numbers_of(config->limits.observe), numbers_of(coap::ObservationLimits{}));
  EXPECT_EQ(numbers_of(config->coap.parameters), numbers_of(coap::Parameters{}));
  EXPECT_EQ(config->coap.blockwise.request_szx, coap::BlockwiseParameters{}.request_szx);
  EXPECT_EQ(config->coap.blockwise.response_szx, coap::BlockwiseParameters{}.response_szx);
}

TEST(Config, EveryLimitIsTakenFromItsOwnKey) {
  // A number of its own for each, in the order of numbers_of.
  const auto config = parse_config(R"(
[coap]
ack_timeout = "3s"
ack_random_factor = 2
max_retransmit = 0
nstart = 5
probing_rate = 6
max_latency = "7s"
acknowledge_after = "8ms"
block_size = 64
[limits]
datagram_size = 1001
options = 1002
token_length = 0
peers = 1004
remembered_per_peer = 1005
remembered = 1006
answers_per_peer = 1007
answers = 1008
requests_per_peer = 1009
requests = 1010
unverified_answer = 0
verified_addresses = 1012
events = 1013
datagrams = 1014
[limits.blockwise]
request_body = 2001
assemblies_per_peer = 2002
assemblies = 2003
assembly_octets = 2004
held_per_peer = 2005
held = 2006
held_octets = 2007
response_body = 2008
answer_octets = 2009
assembly_lifetime = "10s"
held_lifetime = "11s"
[limits.observe]
per_resource = 301
per_peer = 302
overall = 303
request_size = 304
apart = "305ms"
answer_within = "306s"
)",
                                   "aceward.toml");
  ASSERT_TRUE(config) << config.error().what;
  constexpr std::int64_t second = 1'000'000'000;
  EXPECT_EQ(numbers_of(config->coap.parameters),
            (std::vector<std::int64_t>{3 * second, 2000, 0, 5, 6, 7 * second, 8'000'000}));
  EXPECT_EQ(config->coap.blockwise.request_szx.size(), 64U);
  EXPECT_EQ(config->coap.blockwise.response_szx.size(), 64U);
  EXPECT_EQ(numbers_of(config->limits.messages),
            (std::vector<std::int64_t>{1001, 1002, 0, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 0, 1012, 1013, 1014}));
  EXPECT_EQ(numbers_of(config->limits.blockwise), (std::vector<std::int64_t>{2001, 2002, 2003, 2004, 2005, 2006, 2007,
                                                                             2008, 2009, 10 * second, 11 * second}));
  EXPECT_EQ(numbers_of(config->limits.observe),
            (std::vector<std::int64_t>{301, 302, 303, 304, 305'000'000, 306 * second}));
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
  // What a default contradicts has no place of its own.
  const std::string place = *fault.place == '\0' ? "" : std::string(fault.place) + ":";
  EXPECT_THAT(config.error().what, testing::StartsWith("x.toml:" + place + " "));
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
        ConfigFault{"CountBelowZero", "[limits]\nunverified_answer = -1\n", "2:21", "is -1", "from 0"},
        ConfigFault{"OnePeerBeyondAll", "[limits]\nremembered = 10\nremembered_per_peer = 11\n", "3:23",
                    "[limits] remembered_per_peer is 11", "remembered, which is 10"},
        ConfigFault{"OnePeerBeyondAllOfBlocks", "[limits.blockwise]\nheld_per_peer = 1001\n", "2:17",
                    "[limits.blockwise] held_per_peer is 1001", "held, which is 1000"},
        ConfigFault{"BodyBeyondAll", "[limits.blockwise]\nrequest_body = 100000000\n", "2:16", "request_body",
                    "assembly_octets"},
        ConfigFault{"ObservationsBeyondAnswers", "[limits.observe]\nper_peer = 64\n", "2:12", "per_peer is 64",
                    "answers_per_peer, which is 64"},
        ConfigFault{"DatagramTooSmall", "[limits]\ndatagram_size = 63\n", "2:17", "is 63", "from 64 to 65507"},
        ConfigFault{"UnknownLimitOfBlocks", "[limits.blockwise]\nhelt = 1\n", "2:1", "no key \"helt\"", "\"held\""},
        ConfigFault{"TooManyRetransmissions", "[coap]\nmax_retransmit = 11\n", "2:18", "is 11", "from 0 to 10"},
        ConfigFault{"FactorBelowOne", "[coap]\nack_random_factor = 0.9\n", "2:21", "out of range", "from 1 to 10"},
        ConfigFault{"FactorAsText", "[coap]\nack_random_factor = \"2\"\n", "2:21", "is a text", "without quotes"},
        ConfigFault{"IntervalWithoutUnit", "[coap]\nack_timeout = \"250\"\n", "2:15", "is \"250\"", "\"250ms\""},
        ConfigFault{"IntervalOfNothing", "[coap]\nack_timeout = \"0ms\"\n", "2:15", "is \"0ms\"", "\"2s\""},
        ConfigFault{"AcknowledgedTooLate", "[coap]\nack_timeout = \"100ms\"\n", "", "acknowledge_after is 250 ms",
                    "below ack_timeout"},
        ConfigFault{"BlockSizeOfNoneWithoutQuotes", "[coap]\nblock_size = 100\n", "2:14", "is \"100\"", "16 32 64"},
        ConfigFault{"BlockSizeOfNone", "[coap]\nblock_size = \"100\"\n", "2:14", "is \"100\"", "16 32 64"},
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
        ConfigContradiction{
            "TrustInNoListener",
            "[rs]\nlisten = \"[::1]:1\"\nlisten_plain = \"[::1]:2\"\ntrusted_plain = \"[::1]:3\"\n"
            "audience = \"rs\"\nchannel_key = \"file:a\"\n[[rs.issuer]]\niss = \"as\"\nkey = \"file:b\"\n",
            "trusted_plain names [::1]:3", "listen_plain"},
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
        ConfigContradiction{"RevocationsForASecret",
                            "[[client.as]]\nname = \"as\"\nuri = \"coaps://as/token\"\nkey = \"file:b\"\n"
                            "client_id = \"x\"\nclient_secret = \"file:c\"\nfollow_revocations = true\n",
                            "DTLS authenticates alone", "remove follow_revocations"},
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

TEST(Config, LimitsReachTheRoles) {
  const auto config = parse_config(
      "[limits]\noptions = 9\ndatagram_size = 600\n[limits.observe]\noverall = 1000\n"
      "[limits.blockwise]\nheld = 77\n[coap]\nnstart = 3\nblock_size = \"32\"\n",
      "x.toml");
  ASSERT_TRUE(config) << config.error().what;
  const MessageSettings messages = message_settings(*config);
  EXPECT_EQ(messages.limits.options, 9U);
  EXPECT_EQ(messages.observations.overall, 1000U);
  EXPECT_EQ(messages.blockwise_limits.held, 77U);
  EXPECT_EQ(messages.parameters.nstart, 3U);
  EXPECT_EQ(messages.blockwise.response_szx.size(), 32U);
  EXPECT_EQ(messages.blockwise.message_size, 600U);
}

TEST(ConfigSchema, EveryKeyBelongsToASectionAndHasAValidDefault) {
  for (const ConfigKey& key : config_keys()) {
    EXPECT_NE(find_section(key.section), nullptr) << key.section;
    EXPECT_FALSE(key.required && !key.fallback.empty()) << key.name;
    if (key.kind == ValueKind::choice) {
      EXPECT_THAT(std::string(key.choices), HasSubstr(std::string(key.fallback)));
    }
    if (key.kind == ValueKind::duration && !key.fallback.empty()) {
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
  EXPECT_EQ(parse_content_format("json-patch+json"), coap::ContentFormat(51));
  EXPECT_EQ(parse_content_format("merge-patch+json"), coap::ContentFormat(52));
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
