// Keys that a configuration names, read from their files. Internal to *_settings.cc.
#pragma once

#include "aceward/tls/server.h"
#include "app/config/config.h"
#include "app/key_files.h"

namespace aceward::app {

class KeyReader {
 public:
  explicit KeyReader(const Config& config) : config_(config) {}

  Outcome<cose::Key> private_key(const KeyReference& reference) const {
    return parsed(reference, Exposure::owner_only,
                  [&](const Secret& content, std::string_view name) { return parse_private_key(content, name); });
  }
  Outcome<cose::Key> public_key(const KeyReference& reference) const {
    return parsed(reference, Exposure::anybody, [&](const Secret& content, std::string_view name) {
      return parse_public_key(as_text(content.expose()), name);
    });
  }
  Outcome<Secret> symmetric(const KeyReference& reference) const {
    return parsed(reference, Exposure::owner_only,
                  [&](const Secret& content, std::string_view name) { return parse_symmetric_key(content, name); });
  }

  Outcome<tls::CertificateChain> chain(const KeyReference& reference, const tls::RawKeyPair& key) const {
    return parsed(reference, Exposure::anybody,
                  [&](const Secret& content, std::string_view name) -> Checked<tls::CertificateChain> {
                    auto read = tls::CertificateChain::from_pem(as_text(content.expose()), key);
                    if (read) return std::move(*read);
                    return std::unexpected(Problem{std::string(name) + ": " + std::string(read.error().reason().what),
                                                   std::string(read.error().reason().check)});
                  });
  }
  Outcome<tls::Authorities> authorities(const KeyReference& reference) const {
    return parsed(reference, Exposure::anybody,
                  [&](const Secret& content, std::string_view name) -> Checked<tls::Authorities> {
                    auto read = tls::Authorities::from_pem(as_text(content.expose()));
                    if (read) return std::move(*read);
                    return std::unexpected(Problem{std::string(name) + ": " + std::string(read.error().reason().what),
                                                   std::string(read.error().reason().check)});
                  });
  }

  std::unexpected<Failure> fault(const KeyReference& reference, const std::string& what,
                                 const std::string& check) const {
    return std::unexpected(config_failure(config_.file, reference.place, reference.key + ": " + what, check));
  }

 private:
  template <class Parse>
  auto parsed(const KeyReference& reference, Exposure exposure, Parse parse) const
      -> Outcome<typename decltype(parse(std::declval<const Secret&>(), ""))::value_type> {
    if (reference.is_credential && reference.path.empty()) {
      return fault(reference, "$CREDENTIALS_DIRECTORY is not set, so there is no " + reference.text,
                   "start it as a systemd service with LoadCredential=, or name a file: instead");
    }
    // The service manager gives credentials out; their mode is its business.
    const auto content = read_file(reference.path, reference.is_credential ? Exposure::anybody : exposure);
    if (!content) return fault(reference, content.error().what, content.error().check);
    auto value = parse(*content, reference.path.string());
    if (!value) return fault(reference, value.error().what, value.error().check);
    return std::move(*value);
  }

  const Config& config_;
};

/// Host names are looked up, which blocks.
Outcome<Address> address_of(const Config& config, const std::string& whose, const std::string& uri);
tls::ServerConfig dtls_of(const LimitsSection& limits);

}  // namespace aceward::app
