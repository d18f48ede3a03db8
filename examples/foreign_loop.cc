// The engine in a loop of somebody else's: plain sockets, poll(2), and Aceward::coap alone. A server and a client in
// one process; the client asks, prints the answer, and the program ends.
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>

#include "aceward/coap/client.h"
#include "aceward/coap/server.h"

namespace {

using namespace aceward;

/// The engine draws its random numbers from whatever it is given.
struct RandomOfTheSystem final : Random {
  void fill(std::span<std::uint8_t> out) override {
    if (::getrandom(out.data(), out.size(), 0) != static_cast<ssize_t>(out.size())) std::abort();
  }
};

Address address_of(const sockaddr_in& name) {
  const auto ip = ntohl(name.sin_addr.s_addr);
  const auto octet = [ip](int at) { return static_cast<std::uint8_t>(ip >> at); };
  return Address::v4(octet(24), octet(16), octet(8), octet(0), ntohs(name.sin_port));
}

sockaddr_in name_of(const Address& address) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  std::ranges::copy(std::span(address.ip).last(4), reinterpret_cast<std::uint8_t*>(&name.sin_addr));
  return name;
}

/// A socket on the loopback, and the half of the conversation that uses it.
template <class Engine>
struct Half {
  explicit Half(Engine& engine_in) : engine(engine_in) {
    sockaddr_in name = name_of(Address::v4(127, 0, 0, 1, 0));
    socklen_t length = sizeof name;
    if (::bind(socket, reinterpret_cast<sockaddr*>(&name), length) != 0) std::abort();
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &length);
    address = address_of(name);
  }
  ~Half() { ::close(socket); }

  void read(Instant now) {
    std::array<std::uint8_t, 2048> buffer;
    sockaddr_in name{};
    socklen_t length = sizeof name;
    const ssize_t size =
        ::recvfrom(socket, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&name), &length);
    if (size < 0) return;
    engine.receive(address_of(name), address, BytesView(buffer).first(static_cast<std::size_t>(size)), now);
  }
  void write() {
    while (const auto out = engine.next_datagram()) {
      const sockaddr_in name = name_of(out->to.remote);
      ::sendto(socket, out->datagram.data(), out->datagram.size(), 0, reinterpret_cast<const sockaddr*>(&name),
               sizeof name);
    }
  }

  Engine& engine;
  int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  Address address;
};

/// How long poll may sleep, in milliseconds.
template <class... Engines>
int patience(Instant now, const Engines&... engines) {
  auto longest = std::chrono::milliseconds(1000);
  for (const std::optional<Instant> next : {engines.next_timeout()...}) {
    if (next) longest = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(*next - now), {}, longest);
  }
  return static_cast<int>(longest.count());
}

}  // namespace

int main() {
  RandomOfTheSystem random;
  SystemClock clock;
  coap::Server server(random);
  coap::Client client(random);
  Half serving(server);
  Half asking(client);

  server.on(coap::code::get, "/hello", [](const coap::RequestArrived& asked) {
    return coap::make_response(coap::code::content, coap::content_format::text_plain,
                               to_bytes("Hello to " + asked.peer.remote.host()));
  });
  std::optional<Result<coap::Response>> answer;
  const auto asked = client.get(
      "coap://" + serving.address.to_string() + "/hello",
      [&](Result<coap::Response> outcome) { answer = std::move(outcome); }, clock.now());
  if (!asked) return EXIT_FAILURE;

  while (!answer) {
    serving.write();
    asking.write();
    std::array<pollfd, 2> waiting{pollfd{serving.socket, POLLIN, 0}, pollfd{asking.socket, POLLIN, 0}};
    ::poll(waiting.data(), waiting.size(), patience(clock.now(), server, client));
    if (waiting[0].revents != 0) serving.read(clock.now());
    if (waiting[1].revents != 0) asking.read(clock.now());
    server.on_timeout(clock.now());
    client.on_timeout(clock.now());
  }
  if (*answer) std::cout << as_text((*answer)->payload) << '\n';
  return *answer ? EXIT_SUCCESS : EXIT_FAILURE;
}
