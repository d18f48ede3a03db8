// `aceward-interop-certified FOLDER`: the plugtest server with certificates and session tickets, on the loopback.
// FOLDER holds server.pem and server.key, its chain and key, and ca.pem, who vouches for clients. Prints `ready PLAIN
// SECURE`, and ends when its standard input does.
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "aceward/crypto/openssl/random.h"
#include "interop/plugtest_server.h"

namespace {

using namespace aceward;

std::string contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Result<> serve_certified(const std::string& folder) {
  crypto::openssl::SystemRandom random;
  net::EventLoop loop;
  const auto key = ACEWARD_TRY(tls::RawKeyPair::from_pem(Secret(to_bytes(contents(folder + "/server.key")))));
  tls::ServerConfig dtls;
  dtls.certificate = ACEWARD_TRY(tls::CertificateChain::from_pem(contents(folder + "/server.pem"), key));
  dtls.client_authorities = ACEWARD_TRY(tls::Authorities::from_pem(contents(folder + "/ca.pem")));
  dtls.clock = &loop.clock();
  dtls.ticket_key = ACEWARD_TRY(tls::TicketKey::generate());
  using enum interop::PlugtestServer::Strangers;
  const auto server = ACEWARD_TRY(interop::PlugtestServer::start(loop, std::move(dtls), prove_themselves, random));
  std::printf("ready %s %s\n", server->plain_address().to_string().c_str(),
              server->secure_address().to_string().c_str());
  std::fflush(stdout);
  std::thread watch([&loop] {
    char octet = 0;
    while (::read(STDIN_FILENO, &octet, 1) > 0) continue;
    loop.stop();
  });
  loop.run();
  watch.join();
  return {};
}

}  // namespace

int main(int count, char** values) {
  if (count != 2) return 2;
  const auto served = serve_certified(values[1]);
  if (served) return 0;
  std::printf("error %s %s\n", std::string(served.error().id()).c_str(), std::string(served.error().detail()).c_str());
  return 1;
}
