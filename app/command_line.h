// The command line: the grammar in one place, as CLI11 describes it.
#pragma once

namespace aceward::app {

/// Parses, runs the subcommand, and returns the exit status.
int run_command_line(int argc, const char* const* argv);

}  // namespace aceward::app
