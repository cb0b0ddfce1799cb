// Deferred sources: objects that come late, in any order, not at all, or with an error; scans that end before them.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;
using vpcflow_testing::Gzip;
using vpcflow_testing::kHeader;
using vpcflow_testing::Line;

std::string Object(int number, int lines = 300) {
  std::string log = kHeader;
  for (int i = 0; i < lines; ++i) log += Line("10.0." + std::to_string(number) + "." + std::to_string(i % 200), i, i);
  return number % 2 == 0 ? log : Gzip(log);
}

// Runs tasks on threads of its own, as a pool of requests does.
class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
  }
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  void Submit(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ended_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const auto at = tasks_.begin() + static_cast<ptrdiff_t>(random_() % tasks_.size());  // in no order
      const std::function<void()> task = std::move(*at);
      tasks_.erase(at);
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> tasks_;
  std::mt19937 random_{5};
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

const PlanSpec kSpec = {.by = {"srcaddr"},
                        .aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}, {"port", "first(dstport)"}}};

// Waits for what must come; a test that waits for ever says where.
class Event {
 public:
  void Set() {
    {
      const std::lock_guard lock(mutex_);
      set_ = true;
    }
    changed_.notify_all();
  }
  bool Wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

TEST(Deferred, AnyOrderOfArrivalGivesWhatFilesGive) {
  constexpr int kObjects = 60;
  std::vector<std::string> objects;
  std::vector<Source> plain;
  for (int i = 0; i < kObjects; ++i) objects.push_back(Object(i));
  for (int i = 0; i < kObjects; ++i)
    plain.push_back(Source::Bytes("k" + std::to_string(i), std::string_view(objects[static_cast<size_t>(i)])));
  const Plan plan = *Plan::Make(kSpec);
  const absl::StatusOr<Result> wanted = plan.Run(plain, {});
  ASSERT_TRUE(wanted.ok()) << wanted.status();
  Pool pool(4);
  for (const int threads : {1, 2, 7}) {
    std::vector<Source> sources;
    for (int i = 0; i < kObjects; ++i) {
      const std::string& object = objects[static_cast<size_t>(i)];
      const auto fetch = [&pool, &object](Delivery delivery) {
        pool.Submit([delivery, &object] { delivery.Deliver(OwnedBytes::Of(object)); });
      };
      if (i % 5 == 3) {  // some lie on the disk, as it were
        sources.push_back(plain[static_cast<size_t>(i)]);
      } else {
        sources.push_back(Source::Deferred("k" + std::to_string(i), object.size(), fetch, "etag"));
      }
    }
    EXPECT_EQ(sources[0].identity(), "etag");
    EXPECT_EQ(sources[0].size(), objects[0].size());
    const absl::StatusOr<Result> got = plan.Run(sources, {.threads = threads});
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(ToJsonLines(got->table), ToJsonLines(wanted->table)) << threads;
    EXPECT_EQ(got->report.sources, uint64_t{kObjects});
    EXPECT_EQ(got->report.names, wanted->report.names);
    EXPECT_EQ(got->report.lines, wanted->report.lines);
  }
}

// The first object comes when the second was read: whoever waits for the first one waits for ever.
TEST(Deferred, WhatIsNotThereIsPassedOver) {
  for (const int threads : {1, 3}) {
    Event read;
    std::vector<std::thread> fetchers;
    const std::string late = Object(0), soon = Object(2);
    const Source first = Source::Deferred("first", 0, [&](Delivery delivery) {
      fetchers.emplace_back([&, delivery] {
        EXPECT_TRUE(read.Wait());
        delivery.Deliver(OwnedBytes::Of(late));
      });
    });
    const Source second = Source::Deferred("second", 0, [&](Delivery delivery) {
      const std::shared_ptr<const std::string> bytes(new std::string(soon), [&](const std::string* s) {
        delete s;
        read.Set();  // its scan is over
      });
      delivery.Deliver(OwnedBytes{bytes, *bytes});
    });
    const absl::StatusOr<Result> got = Plan::Make(kSpec)->Run({first, second}, {.threads = threads});
    for (std::thread& fetcher : fetchers) fetcher.join();
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->report.records(), 600u);
    EXPECT_EQ(got->report.names, (std::vector<std::string>{"first", "second"}));
  }
}

// Where the order of the input is the answer, the later object waits.
TEST(Deferred, FirstRowsAndReadersKeepTheOrder) {
  const std::string early = Object(0, 3), later = Object(2, 3);
  std::vector<std::thread> fetchers;
  Event second_came;
  const std::vector<Source> sources = {Source::Deferred("first", 0,
                                                        [&](Delivery delivery) {
                                                          fetchers.emplace_back([&, delivery] {
                                                            EXPECT_TRUE(second_came.Wait());
                                                            delivery.Deliver(OwnedBytes::Of(early));
                                                          });
                                                        }),
                                       Source::Deferred("second", 0, [&](Delivery delivery) {
                                         delivery.Deliver(OwnedBytes::Of(later));
                                         second_came.Set();
                                       })};
  PlanSpec spec;
  spec.select = {"srcaddr"};
  spec.limit = 4;
  const absl::StatusOr<Result> got = Plan::Make(spec)->Run(sources, {.threads = 4});
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(ToJsonLines(got->table),
            "{\"srcaddr\": \"10.0.0.0\"}\n{\"srcaddr\": \"10.0.0.1\"}\n{\"srcaddr\": \"10.0.0.2\"}\n"
            "{\"srcaddr\": \"10.0.2.0\"}\n");
  Reader reader(sources, {});
  std::vector<std::string> seen;
  for (const RecordView& record : reader) seen.emplace_back(record.text(Field::kSrcAddr));
  EXPECT_TRUE(reader.status().ok()) << reader.status();
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_EQ(seen.front(), "10.0.0.0");
  EXPECT_EQ(seen.back(), "10.0.2.2");
  for (std::thread& fetcher : fetchers) fetcher.join();
}

TEST(Deferred, ErrorsAreOfTheirObjectAlone) {
  const std::string good = Object(4), cut = Object(5).substr(0, 200);
  const std::vector<Source> sources = {
      Source::Deferred("denied", 0, [](Delivery delivery) { delivery.Deliver(absl::PermissionDeniedError("403")); }),
      Source::Deferred("good", 0, [&](Delivery delivery) { delivery.Deliver(OwnedBytes::Of(good)); }),
      Source::Deferred("lost", 0, [](const Delivery&) {}),
      Source::Deferred("cut", 0, [&](Delivery delivery) { delivery.Deliver(OwnedBytes::Of(cut)); }),
      Source::Deferred("twice", 0, [&](Delivery delivery) {
        delivery.Deliver(OwnedBytes::Of(good));
        delivery.Deliver(absl::InternalError("the second call does not count"));
      })};
  for (const int threads : {1, 4}) {
    Result partial;
    const absl::StatusOr<Result> got = Plan::Make(kSpec)->Run(sources, {.threads = threads}, &partial);
    EXPECT_FALSE(got.ok());
    ASSERT_EQ(partial.report.errors.size(), 3u);
    EXPECT_TRUE(absl::IsPermissionDenied(partial.report.errors[0]));
    EXPECT_EQ(partial.report.errors[0].message(), "denied: 403");
    EXPECT_EQ(partial.report.errors[1].message(), "lost: the fetcher handed over no bytes and no error");
    EXPECT_TRUE(absl::IsDataLoss(partial.report.errors[2])) << partial.report.errors[2];
    EXPECT_GE(partial.report.records(), 600u);
  }
}

// What was deleted after the listing is counted and said; the rest is the answer.
TEST(Deferred, ObjectsThatAreGoneAreNoErrors) {
  std::vector<Source> sources;
  for (int i = 0; i < 9; ++i) {
    sources.push_back(Source::Deferred("gone" + std::to_string(i), 0,
                                       [](Delivery delivery) { delivery.Deliver(absl::NotFoundError("NoSuchKey")); }));
    if (i == 4)
      sources.push_back(
          Source::Deferred("there", 0, [](Delivery delivery) { delivery.Deliver(OwnedBytes::Of(Object(4))); }));
  }
  for (const int threads : {1, 4}) {
    const absl::StatusOr<Result> got = Plan::Make(kSpec)->Run(sources, {.threads = threads});
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->report.sources, 1u);
    EXPECT_EQ(got->report.records(), 300u);
    ASSERT_EQ(got->report.warnings.size(), 6u);
    EXPECT_EQ(got->report.warnings[0], "gone since they were listed, in all: 9 objects");
    EXPECT_EQ(got->report.warnings[1], "gone0 is gone since it was listed: not read");
  }
  sources.erase(sources.begin() + 3, sources.end());
  const absl::Status status = Plan::Make(kSpec)->Run(sources, {}).status();
  EXPECT_EQ(status.message(), "gone0: gone since it was listed, as are 2 more; nothing is left to read");
}

TEST(Deferred, AScanThatIsCancelledDoesNotWait) {
  for (const int threads : {1, 3}) {
    std::vector<Delivery> kept;
    std::vector<Source> sources;
    for (int i = 0; i < 40; ++i)
      sources.push_back(Source::Deferred("k", 0, [&](Delivery delivery) { kept.push_back(std::move(delivery)); }));
    ScanOptions options;
    options.threads = threads;
    std::atomic<int> polls = 0;
    options.poll = [&](const Progress&) { return ++polls < 3; };
    EXPECT_TRUE(absl::IsCancelled(Plan::Make(kSpec)->Run(sources, options).status()));
    EXPECT_EQ(kept.size(), 32u);  // fetched ahead
    for (const Delivery& delivery : kept) {
      EXPECT_FALSE(delivery.wanted());
      delivery.Deliver(OwnedBytes::Of("too late"));
    }
    polls = 0;
    Reader reader(sources, options);
    EXPECT_FALSE(reader.Next());
    EXPECT_TRUE(absl::IsCancelled(reader.status()));
  }
}

// A few objects are in memory at once, however many there are.
TEST(Deferred, MemoryIsBounded) {
  std::atomic<int> alive = 0, most = 0, begun = 0;
  std::mutex mutex;
  std::vector<Source> sources;
  std::optional<Pool> pool(std::in_place, 3);
  for (int i = 0; i < 300; ++i) {
    sources.push_back(Source::Deferred("k", size_t{20} << 20, [&](Delivery delivery) {
      ++begun;
      pool->Submit([&, delivery] {
        {
          const std::lock_guard lock(mutex);
          most = std::max(most.load(), ++alive);
        }
        const std::shared_ptr<const std::string> bytes(new std::string(Object(8, 20)), [&](const std::string* s) {
          --alive;
          delete s;
        });
        delivery.Deliver(OwnedBytes{bytes, *bytes});
      });
    }));
  }
  const absl::StatusOr<Result> got = Plan::Make(kSpec)->Run(sources, {.threads = 3});
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->report.records(), 6000u);
  EXPECT_EQ(begun, 300);
  pool.reset();  // its threads hold an object until their tasks return
  EXPECT_EQ(alive, 0);
  EXPECT_LE(most, 13 + 3 + 1);  // 256 MiB of 20 MiB each, and what threads read
}

TEST(Deferred, LooksFetchToo) {
  const std::string object = Object(1);
  std::atomic<int> fetched = 0;
  const Source source = Source::Deferred("k", object.size(), [&](Delivery delivery) {
    ++fetched;
    delivery.Deliver(OwnedBytes::Of(object));
  });
  const absl::StatusOr<std::vector<Format>> formats = PeekFormats(source, {});
  ASSERT_TRUE(formats.ok()) << formats.status();
  EXPECT_EQ(formats->size(), 1u);
  EXPECT_EQ(fetched, 1);
  const Source never = Source::Deferred("k", 0, [](Delivery delivery) {
    static std::vector<Delivery> kept;
    kept.push_back(std::move(delivery));
  });
  EXPECT_TRUE(absl::IsCancelled(never.Open([] { return true; }).status()));
}

TEST(Deferred, WhatAFetcherThrowsReachesTheCaller) {
  const std::vector<Source> sources = {
      Source::Deferred("k", 0, [](const Delivery&) { throw std::runtime_error("oh"); })};
  for (const int threads : {1, 3})
    EXPECT_THROW((void)Plan::Make(kSpec)->Run(sources, {.threads = threads}), std::runtime_error);
}

// A kind of source that the library does not know.
class Repeated final : public SourceInterface {
 public:
  absl::StatusOr<std::unique_ptr<ByteStream>> Open(const Cancelled& cancelled) const override {
    return Source::Bytes("", std::string_view(log_)).Open(cancelled);
  }
  std::string identity() const override { return "repeated"; }

 private:
  const std::string log_ = Object(2, 5);
};

TEST(SourceInterface, OthersCanBeAdded) {
  const Source source("mine", std::make_shared<const Repeated>());
  EXPECT_EQ(source.size(), 0u);
  EXPECT_FALSE(source.is_file() || source.in_memory());
  EXPECT_EQ(source.identity(), "repeated");
  const absl::StatusOr<Result> got = Plan::Make(kSpec)->Run({source, source}, {});
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->report.records(), 10u);
}

TEST(SourceInterface, IdentityOfFilesChangesWithThem) {
  vpcflow_testing::TempDir dir;
  const std::string path = dir.Write("a.log", "1");
  const std::string before = Source::File(path).identity();
  EXPECT_THAT(before, HasSubstr(path + ":1:"));
  dir.Write("a.log", "12");
  EXPECT_NE(Source::File(path).identity(), before);
  EXPECT_EQ(Source::File(path + "x").identity(), "");
  EXPECT_EQ(Source::File("-").identity(), "");
}

}  // namespace
}  // namespace vpcflow
