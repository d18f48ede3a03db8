#include <cstdio>
#include <exception>

#include "app/command_line.h"

int main(int argc, char** argv) {
  try {
    return aceward::app::run_command_line(argc, argv);
  } catch (const std::exception& bug) {
    // Exceptions are for bugs and for memory that is not there.
    std::fprintf(stderr, "aceward: %s\n", bug.what());
    return 70;
  }
}
