#include "util/fair_queue.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace todo::util {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Queue = FairQueue<int>;

std::vector<int> PopAll(Queue& queue) {
  std::vector<int> items;
  while (auto popped = queue.Pop()) items.push_back(popped->item);
  return items;
}

TEST(FairQueue, ItemsOfOneKeyKeepTheirOrder) {
  Queue queue(10, {});
  for (const int item : {1, 2, 3}) EXPECT_TRUE(queue.Push("", item));
  EXPECT_THAT(PopAll(queue), ElementsAre(1, 2, 3));
  EXPECT_EQ(queue.running(), 3u);
  EXPECT_EQ(queue.size(), 0u);
}

TEST(FairQueue, KeysTakeTurns) {
  Queue queue(10, {});
  for (const int item : {1, 2, 3}) EXPECT_TRUE(queue.Push("ann", item));
  for (const int item : {11, 12}) EXPECT_TRUE(queue.Push("bob", item));
  EXPECT_TRUE(queue.Push("cid", 21));
  EXPECT_THAT(PopAll(queue), ElementsAre(1, 11, 21, 2, 12, 3));
}

TEST(FairQueue, AKeyWaitsWhenItsShareRuns) {
  Queue queue(10, {.running = 2});
  for (const int item : {1, 2, 3, 4}) EXPECT_TRUE(queue.Push("ann", item));
  EXPECT_THAT(PopAll(queue), ElementsAre(1, 2));
  EXPECT_FALSE(queue.CanPop());
  EXPECT_TRUE(queue.Push("bob", 11));
  EXPECT_THAT(PopAll(queue), ElementsAre(11)) << "others go first";
  queue.Done("bob");
  EXPECT_FALSE(queue.CanPop());
  queue.Done("ann");
  EXPECT_THAT(PopAll(queue), ElementsAre(3));
  queue.Done("ann");
  EXPECT_THAT(PopAll(queue), ElementsAre(4));
}

TEST(FairQueue, RefusesWhenItIsFull) {
  Queue queue(2, {});
  EXPECT_TRUE(queue.Push("ann", 1));
  EXPECT_TRUE(queue.Push("bob", 2));
  EXPECT_FALSE(queue.Push("cid", 3));
  EXPECT_TRUE(queue.Pop().has_value());
  EXPECT_TRUE(queue.Push("cid", 3)) << "what runs takes no place";
}

TEST(FairQueue, RefusesAKeyThatHasItsShareOfTheQueue) {
  Queue queue(10, {.waiting = 2});
  EXPECT_TRUE(queue.Push("ann", 1));
  EXPECT_TRUE(queue.Push("ann", 2));
  EXPECT_FALSE(queue.Push("ann", 3));
  EXPECT_TRUE(queue.Push("bob", 11));
}

TEST(FairQueue, ClearAnswersWhatWaitsAndLeavesWhatRuns) {
  Queue queue(10, {.running = 1});
  for (const int item : {1, 2}) EXPECT_TRUE(queue.Push("ann", item));
  EXPECT_TRUE(queue.Push("bob", 11));
  ASSERT_TRUE(queue.Pop().has_value());
  EXPECT_THAT(queue.Clear(), testing::UnorderedElementsAre(2, 11));
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.running(), 1u);
  EXPECT_THAT(PopAll(queue), IsEmpty());
  queue.Done("ann");
  EXPECT_EQ(queue.running(), 0u);
  EXPECT_TRUE(queue.Push("ann", 3));
  EXPECT_THAT(PopAll(queue), ElementsAre(3));
}

/// Random steps, compared with a model that looks at every item.
TEST(FairQueue, KeepsItsPromisesInAnyOrderOfSteps) {
  constexpr std::size_t kLimit = 12;
  constexpr Share kShare{.running = 2, .waiting = 5};
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&random](unsigned n) { return random() % n; };
    Queue queue(kLimit, kShare);
    std::map<std::string, std::deque<int>> waiting;
    std::map<std::string, std::size_t> running;
    std::size_t size = 0;
    for (int step = 0; step < 300; ++step) {
      const std::string key(1, static_cast<char>('a' + below(4)));
      if (below(2) == 0) {
        const bool has_room = size < kLimit && waiting[key].size() < kShare.waiting;
        ASSERT_EQ(queue.Push(key, step), has_room) << seed;
        if (!has_room) continue;
        waiting[key].push_back(step);
        ++size;
      } else if (below(2) == 0) {
        bool can_pop = false;
        for (const auto& [name, items] : waiting)
          can_pop = can_pop || (!items.empty() && running[name] < kShare.running);
        const auto popped = queue.Pop();
        ASSERT_EQ(popped.has_value(), can_pop) << seed;
        if (!popped) continue;
        ASSERT_EQ(popped->item, waiting[popped->key].front()) << seed;
        waiting[popped->key].pop_front();
        --size;
        ASSERT_LE(++running[popped->key], kShare.running) << seed;
      } else if (running[key] > 0) {
        queue.Done(key);
        --running[key];
      }
      ASSERT_EQ(queue.size(), size) << seed;
    }
  }
}

}  // namespace
}  // namespace todo::util
