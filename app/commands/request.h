// What the commands that send requests have in common.
#pragma once

#include "aceward/ace/profile/dtls/client/access_client.h"
#include "aceward/coap/message/uri.h"
#include "app/commands/commands.h"

namespace aceward::app {

/// Errors: usage.
Outcome<ace::dtls::Operation> operation_of(const RequestOptions& options, const coap::Uri& uri);

/// Says on standard error what a 4.xx or 5.xx answer is about; returns the exit status.
int report_error(const coap::Response& response, bool has_token, const Console& console);

}  // namespace aceward::app
