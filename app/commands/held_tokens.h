// The tokens that this client keeps from one run to the next.
#pragma once

#include "aceward/ace/params/scope.h"
#include "app/commands/commands.h"
#include "app/config/config.h"

namespace aceward::app {

/// Scope-tokens as they are, AIF as people write it.
std::string scope_as_text(const ace::Scope& scope);

// The exit status.
int list_held_tokens(const Config& config, const Console& console);
int remove_held_tokens(const TokenOptions& options, const Config& config, const Console& console);

}  // namespace aceward::app
