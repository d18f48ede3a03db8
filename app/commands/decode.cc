// `aceward decode`: explains any message.
#include "app/commands/commands.h"
#include "app/explain.h"
#include "app/key_files.h"

namespace aceward::app {

namespace {

/// PEM, a COSE_Key in hexadecimal, or the octets of a symmetric key in hexadecimal.
Outcome<cose::Key> key_for_decoding(const std::filesystem::path& path) {
  const auto fault = [&](const Problem& problem) {
    return std::unexpected(Failure::usage(problem.what, problem.check));
  };
  auto content = read_file(path, Exposure::anybody);
  if (!content) return fault(content.error());
  if (as_text(content->expose()).contains("PUBLIC KEY")) {
    auto key = parse_public_key(as_text(content->expose()), path.string());
    if (!key) return fault(key.error());
    return std::move(*key);
  }
  content = read_file(path, Exposure::owner_only);
  if (!content) return fault(content.error());
  const auto octets = parse_symmetric_key(*content, path.string());
  if (!octets) {
    return fault({path.string() + " holds no key to verify or decrypt with",
                  "give a public key in PEM, a symmetric key in hexadecimal, or a COSE_Key in hexadecimal"});
  }
  // A COSE_Key is a map with some pairs; a symmetric key that starts like one and parses as one is not to be feared.
  if (auto key = cose::Key::parse(octets->expose())) return std::move(*key);
  auto key = cose::Key::symmetric(octets->clone());
  if (!key) return std::unexpected(Failure::of(ExitCode::usage, key.error(), path.string()));
  return std::move(*key);
}

}  // namespace

int run_decode(const DecodeOptions& options, const Console& console) {
  Bytes octets;
  if (options.input == "-" || options.input.starts_with("@")) {
    const auto content = read_input(options.input == "-" ? options.input : options.input.substr(1));
    if (!content) return console.fail(content.error());
    auto from_text = octets_from_text(*content);
    octets = from_text ? std::move(*from_text) : to_bytes(*content);
  } else {
    auto from_text = octets_from_text(options.input);
    if (!from_text) {
      return console.fail(
          Failure::usage("the input is neither hexadecimal nor base64url", "put @ before the name of a file"));
    }
    octets = std::move(*from_text);
  }
  if (octets.empty()) return console.fail(Failure::usage("there is nothing to decode"));
  std::vector<cose::Key> keys;
  for (const auto& path : options.keys) {
    auto key = key_for_decoding(path);
    if (!key) return console.fail(key.error());
    keys.push_back(std::move(*key));
  }
  const auto explanation = explain(options.kind.empty() ? kind_of(octets) : options.kind, octets, keys);
  if (!explanation) return console.fail(explanation.error());
  if (console.json()) {
    std::string text = "{\"kind\":" + json_quoted(explanation->kind) + ",\"octets\":" + std::to_string(octets.size()) +
                       ",\"text\":" + json_quoted(explanation->text);
    if (explanation->verified) {
      text += std::string(",\"verified\":") + (*explanation->verified ? "true" : "false") +
              ",\"reason\":" + json_quoted(explanation->reason);
    }
    console.out(text + "}\n");
  } else {
    console.note(explanation->kind + ", " + std::to_string(octets.size()) + " octets");
    console.out(explanation->text + "\n");
  }
  return explanation->verified == false ? static_cast<int>(ExitCode::security) : 0;
}

}  // namespace aceward::app
