// `aceward-interop`: our side of the tests with other people's programs.
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <thread>

#include "aceward/crypto/encoding.h"
#include "aceward/crypto/openssl/random.h"
#include "app/roles/rs_role.h"
#include "interop/asking_client.h"
#include "interop/minted.h"

namespace {

using namespace aceward;

constexpr std::string_view usage =
    "aceward-interop serve FOLDER            a resource server on the loopback; tokens and keys are put into FOLDER.\n"
    "                                        Prints `ready PLAIN SECURE`, and ends when its standard input does\n"
    "aceward-interop get URI                 prints the code of the answer, and on a second line its payload; or\n"
    "                                        `error` and the reason's id\n"
    "aceward-interop get URI psk ID KEY\n"
    "aceward-interop get URI raw OWN.PEM SERVER-PUBLIC.PEM\n";

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

Result<> serve(const char* folder) {
  crypto::openssl::SystemRandom random;
  net::EventLoop loop;
  ACEWARD_TRY(interop::mint(folder, loop.clock().wall(), random));
  cose::Key key = ACEWARD_TRY(channel_key(random));
  const auto role = ACEWARD_TRY(app::RsRole::start(loop, settings(std::move(key)), random));
  std::printf("ready %s %s\n", role->plain_addresses().front().to_string().c_str(),
              role->addresses().front().to_string().c_str());
  std::fflush(stdout);
  // Whoever started this ends it by closing the pipe, also by dying.
  std::thread watch([&loop] {
    char octet = 0;
    while (::read(STDIN_FILENO, &octet, 1) > 0) continue;
    loop.stop();
  });
  loop.run();
  watch.join();
  return {};
}

Result<coap::Response> get(std::span<char*> values) {
  crypto::openssl::SystemRandom random;
  net::EventLoop loop;
  tls::ClientCredentials credentials = tls::PskClient{};
  if (values.size() == 4 && std::string_view(values[1]) == "psk") {
    credentials =
        tls::PskClient{to_bytes(std::string_view(values[2])), Secret::copy_of(as_bytes(std::string_view(values[3])))};
  } else if (values.size() == 4) {
    const auto server = ACEWARD_TRY(crypto::public_key_from_pem(as_text(contents(values[3]).expose())));
    credentials =
        tls::RawKeyClient{ACEWARD_TRY(tls::RawKeyPair::from_pem(contents(values[2]))), crypto::spki_der(server)};
  }
  return interop::get(loop, values[0], std::move(credentials), random);
}

}  // namespace

int main(int count, char** values) {
  const std::span<char*> arguments(values + 1, static_cast<std::size_t>(count - 1));
  if (count == 3 && std::string_view(values[1]) == "serve") {
    const auto served = serve(values[2]);
    return served ? 0 : refuse(served.error());
  }
  if ((count == 3 || count == 6) && std::string_view(values[1]) == "get") {
    const auto answer = get(arguments.subspan(1));
    if (!answer) return refuse(answer.error());
    std::printf("%s\n%s\n", answer->code.number().c_str(), std::string(as_text(answer->payload)).c_str());
    return 0;
  }
  std::fputs(usage.data(), stderr);
  return 2;
}
