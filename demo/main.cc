// `aceward-demo`: see README.md beside this file.
#include <cstdio>
#include <cstring>
#include <fstream>

#include "aceward/crypto/openssl/random.h"
#include "demo/story.h"

namespace {

using namespace aceward;

constexpr std::string_view usage =
    "aceward-demo plays how a device gets a token and opens exactly what it may open.\n\n"
    "  --quiet            print only the table at the end\n"
    "  --write-keys FILE  write the keys of this run as hexadecimal lines: for the test that looks whether one of\n"
    "                     them was printed\n"
    "  --help\n\n"
    "Exit code 0: everything came as told. 1: something did not. 2: wrong usage.\n";

struct Arguments {
  bool quiet = false;
  const char* keys_file = nullptr;
};

int play(const Arguments& arguments) {
  demo::Console console(arguments.quiet);
  const auto failed = [&](const std::string& what) {
    console.always("\n" + console.painted("The story ended otherwise than it is told: ", demo::Console::Paint::red) +
                   what + "\n");
    return 1;
  };
  crypto::openssl::SystemRandom random;
  net::EventLoop loop;
  auto scenery = demo::Scenery::set(random);
  if (!scenery) return failed("the servers did not start: " + std::string(scenery.error().id()));
  demo::Narrator narrator(
      console, [&](const Address& address) { return (*scenery)->name_of(address); }, [&] { return loop.now(); });
  demo::Story story(loop, **scenery, narrator, console, random);
  const bool went_well = story.play();
  narrator.end();
  if (arguments.keys_file != nullptr) {
    std::ofstream file(arguments.keys_file);
    for (const Secret& secret : (*scenery)->secrets()) file << to_hex(secret.expose()) << '\n';
    for (const Secret& secret : story.secrets()) file << to_hex(secret.expose()) << '\n';
    if (!file) return failed("the keys could not be written");
  }
  if (!went_well) return failed(story.failure());
  console.heading("*", "What was shown");
  console.always(narrator.table());
  return 0;
}

}  // namespace

int main(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(values[i], "--quiet") == 0) {
      arguments.quiet = true;
    } else if (std::strcmp(values[i], "--write-keys") == 0 && i + 1 < count) {
      arguments.keys_file = values[++i];
    } else if (std::strcmp(values[i], "--help") == 0) {
      std::fputs(usage.data(), stdout);
      return 0;
    } else {
      std::fputs(usage.data(), stderr);
      return 2;
    }
  }
  return play(arguments);
}
