#include "bench/processes.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "bench/harness.h"

namespace aceward::bench {

namespace {

constexpr int patience = 10'000;  ///< milliseconds for a line

/// In the child: what fails here ends it.
[[noreturn]] void become(std::vector<char*>& words, int output, bool show_errors) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody stays behind, whatever ends the benchmark
  ::dup2(output, STDOUT_FILENO);
  if (!show_errors) {
    const int nothing = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nothing, STDERR_FILENO);
  }
  ::execvp(words.front(), words.data());
  ::_exit(127);
}

}  // namespace

bool can_pin() { return std::thread::hardware_concurrency() >= 2; }

void pin_to(pid_t process, unsigned processor) {
  if (!can_pin()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  ::sched_setaffinity(process, sizeof set, &set);
}

Process::Process(const std::vector<std::string>& words, bool show_errors) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up("no pipe");
  id_ = ::fork();
  if (id_ < 0) give_up("no process");
  if (id_ == 0) {
    pin_to(0, 0);
    become(arguments, ends[1], show_errors);
  }
  ::close(ends[1]);
  output_ = ends[0];
}

Process::~Process() {
  if (id_ > 0) {
    ::kill(id_, SIGTERM);
    int status = 0;
    for (int i = 0; i < 200; ++i) {
      if (::waitpid(id_, &status, WNOHANG) != 0) {
        id_ = -1;
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      ::waitpid(id_, &status, 0);
    }
  }
  if (output_ >= 0) ::close(output_);
}

bool Process::alive() {
  int status = 0;
  if (id_ > 0 && ::waitpid(id_, &status, WNOHANG) == id_) id_ = -1;
  return id_ > 0;
}

void Process::signal(int number) {
  if (alive()) ::kill(id_, number);
}

std::optional<std::string> Process::read_line() {
  while (true) {
    const auto end = unread_.find('\n');
    if (end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    pollfd wanted{output_, POLLIN, 0};
    if (::poll(&wanted, 1, patience) <= 0) return std::nullopt;
    char buffer[4096];
    const auto length = ::read(output_, buffer, sizeof buffer);
    if (length <= 0) return std::nullopt;
    unread_.append(buffer, static_cast<std::size_t>(length));
  }
}

std::chrono::nanoseconds Process::processor_time() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(id_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    give_up("the server's processor time cannot be read");
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::uint64_t Process::resident() const {
  std::ifstream file("/proc/" + std::to_string(id_) + "/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<std::string> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = folder + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

std::string line_of(const std::vector<std::string>& words, const std::string& word) {
  std::vector<std::string> command{"sh", "-c", "exec \"$0\" \"$@\" 2>&1"};
  command.insert(command.end(), words.begin(), words.end());
  Process process(command, false);
  while (const auto line = process.read_line()) {
    if (line->find(word) != std::string::npos) return *line;
  }
  return {};
}

}  // namespace aceward::bench
