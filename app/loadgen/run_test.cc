#include "app/loadgen/run.h"

#include <gtest/gtest.h>

namespace aceward::app {
namespace {

LoadPlan plan_for(double rate, std::size_t endpoints) {
  LoadPlan plan;
  plan.endpoints = endpoints;
  plan.rate = rate;
  plan.duration = std::chrono::seconds(1);
  return plan;
}

TEST(LoadPlan, IsRefusedAboveThePaceOfMessageIds) {
  EXPECT_FALSE(objection_to(plan_for(265, 1)));
  const auto objection = objection_to(plan_for(20'000, 75));
  ASSERT_TRUE(objection);
  EXPECT_NE(objection->what.find("265"), std::string::npos);
  EXPECT_NE(objection->check.find("--endpoints 76"), std::string::npos);
  EXPECT_FALSE(objection_to(plan_for(20'000, 76)));
  auto plan = plan_for(20'000, 45);
  plan.exchange.confirmable = false;
  EXPECT_FALSE(objection_to(plan));
}

TEST(LoadPlan, HasOneRequestUnderWayAnEndpoint) {
  LoadPlan plan = plan_for(1, 4);
  plan.rate.reset();
  plan.outstanding = 4;
  EXPECT_FALSE(objection_to(plan));
  plan.outstanding = 5;
  EXPECT_TRUE(objection_to(plan));
  plan.outstanding = 0;
  EXPECT_TRUE(objection_to(plan));
}

TEST(LoadPlan, HasOneLoopAndOneEnd) {
  LoadPlan plan = plan_for(1, 1);
  plan.outstanding = 1;
  EXPECT_TRUE(objection_to(plan));
  plan.rate.reset();
  EXPECT_FALSE(objection_to(plan));
  plan.requests = 5;
  EXPECT_TRUE(objection_to(plan));
  plan.duration.reset();
  EXPECT_FALSE(objection_to(plan));
  plan.requests = 0;
  EXPECT_TRUE(objection_to(plan));
  plan.requests.reset();
  EXPECT_TRUE(objection_to(plan));
}

}  // namespace
}  // namespace aceward::app
