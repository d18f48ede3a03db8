// `aceward serve`: one or more roles in a process, until SIGTERM or SIGINT.
#include <algorithm>
#include <cstdlib>

#include "app/commands/commands.h"
#include "app/service/service.h"

namespace aceward::app {

int run_serve(const ServeOptions& options, const Console& console) {
  // GnuTLS would write the sessions' keys there without being asked to.
  ::unsetenv("SSLKEYLOGFILE");
  for (std::size_t i = 0; i < options.roles.size(); ++i) {
    if (std::ranges::count(options.roles, options.roles[i]) > 1) {
      return console.fail(Failure::usage("a role is named twice: " + options.roles[i]));
    }
  }
  auto config = load_config(console.options());
  if (!config) return console.fail(config.error());
  auto capture = Capture::open(console);
  if (!capture) return console.fail(capture.error());
  Service service(std::move(*config), console, std::move(*capture));
  if (auto started = service.start(options.roles); !started) return console.fail(started.error());
  service.run();
  return 0;
}

}  // namespace aceward::app
