#include "aceward/net/event_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <thread>
#include <vector>

namespace aceward::net {
namespace {

using std::chrono::milliseconds;
constexpr std::chrono::seconds loop_patience{20};

TEST(EventLoop, TimersFireInTheOrderOfTheirTimes) {
  EventLoop loop;
  std::vector<int> fired;
  Timer late(loop, [&] { fired.push_back(2); });
  Timer early(loop, [&] { fired.push_back(1); });
  const Instant now = loop.now();
  late.set(now + milliseconds(20));
  early.set(now + milliseconds(5));
  ASSERT_TRUE(loop.run_until([&] { return fired.size() == 2; }, loop_patience));
  EXPECT_EQ(fired, (std::vector<int>{1, 2}));
  EXPECT_GE(loop.now() - now, milliseconds(20));
}

TEST(EventLoop, ATimerThatIsMovedFiresOnce) {
  EventLoop loop;
  int moved = 0;
  bool end = false;
  Timer timer(loop, [&] { ++moved; });
  Timer stop(loop, [&] { end = true; });
  timer.set(loop.now());
  timer.set(loop.now() + milliseconds(5));
  timer.set(loop.now() - milliseconds(5));
  stop.set(loop.now() + milliseconds(30));
  ASSERT_TRUE(loop.run_until([&] { return end; }, loop_patience));
  EXPECT_EQ(moved, 1);
}

TEST(EventLoop, ATimerThatIsMovedAwayFiresNoSooner) {
  EventLoop loop;
  Instant fired{};
  Timer timer(loop, [&] { fired = loop.now(); });
  const Instant wanted = loop.now() + milliseconds(25);
  timer.set(loop.now() + milliseconds(1));
  timer.set(wanted);
  ASSERT_TRUE(loop.run_until([&] { return fired != Instant{}; }, loop_patience));
  EXPECT_GE(fired, wanted);
}

TEST(EventLoop, ATimerThatIsSetAgainAfterItWasCanceledFires) {
  EventLoop loop;
  std::vector<int> fired;
  Timer timer(loop, [&] { fired.push_back(1); });
  Timer stop(loop, [&] { fired.push_back(2); });
  timer.set(loop.now() + milliseconds(1));
  timer.cancel();
  timer.set(loop.now() + milliseconds(5));
  stop.set(loop.now() + milliseconds(30));
  ASSERT_TRUE(loop.run_until([&] { return fired.size() == 2; }, loop_patience));
  EXPECT_EQ(fired, (std::vector<int>{1, 2}));
}

TEST(EventLoop, ATimerThatIsCanceledOrDestroyedDoesNotFire) {
  EventLoop loop;
  bool fired = false;
  bool end = false;
  Timer canceled(loop, [&] { fired = true; });
  auto destroyed = std::make_unique<Timer>(loop, [&] { fired = true; });
  Timer stop(loop, [&] { end = true; });
  canceled.set(loop.now());
  destroyed->set(loop.now());
  stop.set(loop.now() + milliseconds(10));
  canceled.cancel();
  destroyed.reset();
  ASSERT_TRUE(loop.run_until([&] { return end; }, loop_patience));
  EXPECT_FALSE(fired);
}

TEST(EventLoop, RunUntilGivesUpInTime) {
  EventLoop loop;
  EXPECT_FALSE(loop.run_until([] { return false; }, milliseconds(5)));
}

TEST(EventLoop, PostedWorkRunsOnTheLoopsThreadInOrder) {
  EventLoop loop;
  std::vector<int> done;
  std::thread::id where;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) loop.post([&, i] { done.push_back(i); });
    loop.post([&] {
      where = std::this_thread::get_id();
      loop.stop();
    });
  });
  loop.run();
  other.join();
  ASSERT_EQ(done.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(done));
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(EventLoop, AStopBeforeTheRunCounts) {
  EventLoop loop;
  bool ran = false;
  loop.stop();
  loop.post([&] { ran = true; });
  loop.run();
  EXPECT_FALSE(ran);
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_TRUE(ran);
}

TEST(EventLoop, SignalsArriveInTheLoop) {
  EventLoop loop;
  std::vector<int> seen;
  loop.handle_signals([&](int signal) { seen.push_back(signal); });
  for (const int signal : {SIGHUP, SIGTERM}) {
    const std::size_t before = seen.size();
    std::raise(signal);
    ASSERT_TRUE(loop.run_until([&] { return seen.size() > before; }, loop_patience));
    EXPECT_EQ(seen.back(), signal);
  }
}

}  // namespace
}  // namespace aceward::net
