// What the program's exit status says. Scripts rely on it: a number never changes its meaning.
#pragma once

#include "aceward/base/result.h"
#include "aceward/coap/message/code.h"

namespace aceward::app {

enum class ExitCode : int {
  done = 0,
  usage = 2,          ///< the command line, or input that it names, does not make sense
  configuration = 3,  ///< the configuration, a key file or a listening address
  client_error = 4,   ///< a 4.xx answer; of records: refused by the store's rules
  server_error = 5,   ///< a 5.xx answer; of records: the store is out of order
  no_answer = 6,
  security = 7,       ///< handshake, verification, forged or malformed hints
  refused_by_as = 8,  ///< the authorization server issued no token
};

/// 2.xx is done.
ExitCode exit_code_of(coap::Code answer);
/// Of a failure while talking to a server.
ExitCode exit_code_of(const Error& error);
/// Of a failure of the store or of the local socket.
ExitCode exit_code_of_store(const Error& error);

}  // namespace aceward::app
