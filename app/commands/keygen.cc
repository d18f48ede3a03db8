// `aceward keygen`: key pairs and symmetric keys.
#include "aceward/ace/params/names.h"
#include "aceward/crypto/encoding.h"
#include "aceward/crypto/openssl/random.h"
#include "app/commands/commands.h"
#include "app/key_files.h"

namespace aceward::app {

namespace {

Outcome<> write_key(const std::filesystem::path& path, BytesView content, Exposure exposure, bool overwrite) {
  const auto written = write_file(path, content, exposure, overwrite);
  if (written) return {};
  return std::unexpected(Failure::usage(written.error().what, written.error().check + "; --yes replaces it"));
}

int make_symmetric(const KeygenOptions& options, const Console& console) {
  if (options.symmetric > 512) return console.fail(Failure::usage("--symmetric takes 1 to 512 octets"));
  if (!options.public_output.empty()) return console.fail(Failure::usage("a symmetric key has no public part"));
  crypto::openssl::SystemRandom random;
  const Secret key(random.bytes(options.symmetric));
  if (auto written =
          write_key(options.output, symmetric_key_text(key.expose()).expose(), Exposure::owner_only, options.yes);
      !written) {
    return console.fail(written.error());
  }
  if (console.json()) {
    console.out("{\"file\":" + json_quoted(options.output.string()) +
                ",\"octets\":" + std::to_string(options.symmetric) + "}\n");
  } else {
    console.note("wrote " + options.output.string() + ": " + std::to_string(options.symmetric) + " octets");
  }
  return 0;
}

}  // namespace

int run_keygen(const KeygenOptions& options, const Console& console) {
  if (options.output.empty()) {
    return console.fail(Failure::usage("a key is never printed", "name a file for it with -o FILE"));
  }
  if (options.symmetric != 0) return make_symmetric(options, console);
  crypto::openssl::SystemRandom random;
  const auto pair =
      crypto::PrivateKey::generate(options.ed25519 ? crypto::Curve::ed25519 : crypto::Curve::p256, random);
  if (!pair) return console.fail(Failure::of(ExitCode::security, pair.error()));
  if (auto written =
          write_key(options.output, crypto::private_key_pem(*pair).expose(), Exposure::owner_only, options.yes);
      !written) {
    return console.fail(written.error());
  }
  if (!options.public_output.empty()) {
    const std::string pem = crypto::public_key_pem(pair->public_key());
    if (auto written = write_key(options.public_output, as_bytes(pem), Exposure::anybody, options.yes); !written) {
      return console.fail(written.error());
    }
  }
  const cose::Key key = cose::Key::from_public(pair->public_key());
  const Secret encoded = key.serialize();
  const std::string thumbprint = to_hex(key.thumbprint());
  const std::string text = ace::to_text(ace::Message::cose_key, encoded.expose(), !console.json());
  if (console.json()) {
    console.out("{\"file\":" + json_quoted(options.output.string()) +
                ",\"public_key\":" + json_quoted(to_hex(encoded.expose())) + ",\"diagnostic\":" + json_quoted(text) +
                ",\"thumbprint\":" + json_quoted(thumbprint) + "}\n");
  } else {
    console.out(text + "\nthumbprint (SHA-256): " + thumbprint + "\n");
  }
  return 0;
}

}  // namespace aceward::app
