// `aceward-interop`: our side of the tests with other people's programs.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <thread>

#include "aceward/coap/reasons.h"
#include "aceward/crypto/encoding.h"
#include "aceward/crypto/openssl/random.h"
#include "app/roles/rs_role.h"
#include "interop/asking_client.h"
#include "interop/minted.h"
#include "interop/plugtest_server.h"

namespace {

using namespace aceward;

constexpr std::string_view usage =
    "aceward-interop serve FOLDER            a resource server on the loopback; tokens and keys are put into FOLDER.\n"
    "                                        Prints `ready PLAIN SECURE`, and ends when its standard input does\n"
    "aceward-interop plugtest FOLDER         the same with the resources of the CoAP plugtests; raw.pem is put "
    "there\n"
    "aceward-interop plugtest FOLDER open    the same, and strangers are not asked for Echo\n"
    "aceward-interop get|put|post|delete|ping URI [WORDS]\n"
    "    prints for each answer `CODE OCTETS` and, on the next lines, its payload; or `error` and the reason's id\n"
    "    psk ID KEY                          WORDS are any of these\n"
    "    raw OWN.PEM SERVER-PUBLIC.PEM\n"
    "    body FILE                           the payload\n"
    "    block OCTETS                        the size of blocks\n"
    "    observe COUNT                       so many states are awaited\n";

int refuse(const Error& error) {
  std::printf("error %s\n%s\n", std::string(error.id()).c_str(), std::string(error.detail()).c_str());
  return 1;
}

Secret contents(const char* file) {
  std::ifstream in(file, std::ios::binary);
  return Secret(Bytes(std::istreambuf_iterator<char>(in), {}));
}

Result<cose::Key> channel_key(Random& random) {
  return cose::Key::from_private(ACEWARD_TRY(crypto::PrivateKey::generate(crypto::Curve::p256, random)));
}

app::RsSettings settings(cose::Key key) {
  app::RsSettings settings{.listen = {Address::v4(127, 0, 0, 1, 0)},
                           .listen_plain = {Address::v4(127, 0, 0, 1, 0)},
                           .channel_key = std::move(key),
                           .tokens = interop::verifier_config(),
                           .server = {},
                           .resources = {},
                           .dtls = {},
                           .on_decision = {}};
  settings.server.hints.as_uri = "coaps://as.example/token";
  settings.server.hints.audience = std::string(interop::audience);
  settings.resources.push_back({"/temp", to_bytes("22.3 C")});
  settings.resources.push_back({"/led", to_bytes("off")});
  settings.resources.push_back({.path = "/hello", .content = to_bytes("hello"), .is_public = true});
  return settings;
}

/// Says where it listens, and runs until whoever started this closes the pipe, also by dying.
void run(net::EventLoop& loop, const Address& plain, const Address& secure) {
  std::printf("ready %s %s\n", plain.to_string().c_str(), secure.to_string().c_str());
  std::fflush(stdout);
  std::thread watch([&loop] {
    char octet = 0;
    while (::read(STDIN_FILENO, &octet, 1) > 0) continue;
    loop.stop();
  });
  loop.run();
  watch.join();
}

Result<> serve(const char* folder) {
  crypto::openssl::SystemRandom random;
  net::EventLoop loop;
  ACEWARD_TRY(interop::mint(folder, loop.clock().wall(), random));
  cose::Key key = ACEWARD_TRY(channel_key(random));
  const auto role = ACEWARD_TRY(app::RsRole::start(loop, settings(std::move(key)), random));
  run(loop, role->plain_addresses().front(), role->addresses().front());
  return {};
}

Result<> plugtest(const std::string& folder, interop::PlugtestServer::Strangers strangers) {
  crypto::openssl::SystemRandom random;
  net::EventLoop loop;
  const auto key = ACEWARD_TRY(crypto::PrivateKey::generate(crypto::Curve::p256, random));
  const auto of_client = ACEWARD_TRY(crypto::PrivateKey::generate(crypto::Curve::p256, random));
  std::ofstream(folder + "/raw.pem") << as_text(crypto::private_key_pem(of_client).expose())
                                     << crypto::public_key_pem(of_client.public_key());  // libcoap reads both
  auto pair = ACEWARD_TRY(tls::RawKeyPair::from_key(key));
  const auto server = ACEWARD_TRY(interop::PlugtestServer::start(loop, std::move(pair), strangers, random));
  run(loop, server->plain_address(), server->secure_address());
  return {};
}

Result<interop::Question> question_of(std::string_view what, std::span<char*> values) {
  interop::Question question;
  question.uri = values[0];
  question.ping = what == "ping";
  for (const auto& [name, method] : {std::pair{"put", coap::code::put}, std::pair{"post", coap::code::post},
                                     std::pair{"delete", coap::code::delete_}}) {
    if (what == name) question.method = method;
  }
  const auto has = [&](std::size_t at, std::string_view word, std::size_t arguments) {
    return values[at] == word && at + arguments < values.size();
  };
  for (std::size_t at = 1; at < values.size();) {
    if (has(at, "psk", 2)) {
      question.credentials = tls::PskClient{to_bytes(std::string_view(values[at + 1])),
                                            Secret::copy_of(as_bytes(std::string_view(values[at + 2])))};
      at += 3;
    } else if (has(at, "raw", 2)) {
      const auto server = ACEWARD_TRY(crypto::public_key_from_pem(as_text(contents(values[at + 2]).expose())));
      question.credentials =
          tls::RawKeyClient{ACEWARD_TRY(tls::RawKeyPair::from_pem(contents(values[at + 1]))), crypto::spki_der(server)};
      at += 3;
    } else if (has(at, "body", 1)) {
      question.payload = to_bytes(contents(values[at + 1]).expose());
      at += 2;
    } else if (has(at, "block", 1)) {
      question.szx = coap::Szx::fitting(std::strtoul(values[at + 1], nullptr, 10));
      at += 2;
    } else if (has(at, "observe", 1)) {
      question.states = std::strtoul(values[at + 1], nullptr, 10);
      at += 2;
    } else {
      return fail(reason::uri_malformed, "the words after the URI");
    }
  }
  return question;
}

int ask(std::string_view what, std::span<char*> values) {
  crypto::openssl::SystemRandom random;
  net::EventLoop loop;
  auto question = question_of(what, values);
  if (!question) return refuse(question.error());
  const auto answers = interop::ask(loop, std::move(*question), random);
  if (!answers) return refuse(answers.error());
  if (answers->empty()) std::puts("alive");
  for (const coap::Response& answer : *answers) {
    std::printf("%s %zu\n", answer.code.number().c_str(), answer.payload.size());
    if (!answer.payload.empty()) std::fwrite(answer.payload.data(), 1, answer.payload.size(), stdout);
    std::puts("");
  }
  return 0;
}

}  // namespace

int main(int count, char** values) {
  const std::span<char*> arguments(values + 1, static_cast<std::size_t>(count - 1));
  const std::string_view what = count > 2 ? values[1] : "";
  if (count == 3 && what == "serve") {
    const auto served = serve(values[2]);
    return served ? 0 : refuse(served.error());
  }
  if ((count == 3 || (count == 4 && std::string_view(values[3]) == "open")) && what == "plugtest") {
    using enum interop::PlugtestServer::Strangers;
    const auto served = plugtest(values[2], count == 4 ? are_believed : prove_themselves);
    return served ? 0 : refuse(served.error());
  }
  for (const std::string_view method : {"get", "put", "post", "delete", "ping"}) {
    if (what == method) return ask(what, arguments.subspan(1));
  }
  std::fwrite(usage.data(), 1, usage.size(), stderr);
  return 2;
}
