// Which configured server a URI or a name means.
#pragma once

#include <optional>

#include "aceward/coap/message/uri.h"
#include "app/config/role_settings.h"

namespace aceward::app {

/// Index into [[client.server]]: of the one whose uri or plain has the same host and port, else the same address.
/// Looking names up blocks. Empty: none.
std::optional<std::size_t> server_for(const Config& config, const coap::Uri& uri);

}  // namespace aceward::app
