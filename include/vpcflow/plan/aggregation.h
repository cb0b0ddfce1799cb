// Aggregation: a grouping, or sessions, as a value. It takes logs, is merged with others, saved to bytes, sent, and
// continued.
//
// Example:
//   absl::StatusOr<vpcflow::Plan> plan = vpcflow::Plan::Make(spec);
//   if (!plan.ok()) return plan.status();
//   absl::StatusOr<vpcflow::Aggregation> monday = vpcflow::Aggregation::Make(*plan);
//   absl::Status s = monday->Update({vpcflow::Source::File("monday.log.gz")}, {});
//   std::string bytes = monday->ToBytes();                                          // another process goes on with it
//   absl::StatusOr<vpcflow::Aggregation> week = vpcflow::Aggregation::FromBytes(bytes);
//   s = week->Merge(*monday);
//   vpcflow::Table table = week->Value();                                           // sorted and cut as the plan says
//
// Merging is associative and commutative, and a split of the input anywhere between records gives what one pass gives:
// the same table and the same bytes. `first` and `last` prefer, among records of one start, the earlier source and
// place; parts of one input must count their sources on (ScanOptions::first_source) for that to hold.
#ifndef VPCFLOW_PLAN_AGGREGATION_H_
#define VPCFLOW_PLAN_AGGREGATION_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/plan/plan.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Any number of threads may use one Aggregation at once: updates read their sources beside each other and are added one
// after the other; Merge, Value, TakeIdle and ToBytes see each update whole or not at all. Only moving and destroying
// it are for one thread. What a poll or a source's callback throws leaves Update, and nothing was added; std::bad_alloc
// leaves any call, and the content is no longer meaningful.
class Aggregation {
 public:
  // Returns an empty one. kInvalidArgument for a plan that selects rows. (Addresses in SessionSpec::intermediaries are
  // part of the state.)
  static absl::StatusOr<Aggregation> Make(const Plan& plan);
  ~Aggregation();
  Aggregation(Aggregation&&) noexcept;
  Aggregation& operator=(Aggregation&&) noexcept;

  // Adds the records of sources. Errors as of Plan::Run; after those of damaged sources what could be read was added,
  // after others nothing was. `report`, if given, is filled in any case.
  absl::Status Update(const std::vector<Source>& sources, const ScanOptions& options, Report* report = nullptr);
  // Adds those that pass the filter of `chosen`, a plan whose labels, asked time and allow_missing apply to it; what
  // else it computes does not matter. What the aggregation's own plan takes of them is as without.
  absl::Status Update(const std::vector<Source>& sources, const ScanOptions& options, const Plan& chosen,
                      Report* report = nullptr);
  // Adds what another has. kInvalidArgument, and nothing is added, if its plan has other keys, bins, filter or
  // aggregates; how results are sorted and cut does not matter. O(groups of the other).
  absl::Status Merge(const Aggregation& other);

  // Returns the result so far. O(groups log groups).
  Table Value();
  // Returns, of sessions, what the logs so far hide, as a warning in the report of Plan::Run; empty for none.
  // O(sessions).
  std::string Warning() const;
  // Returns another one with the same content.
  absl::StatusOr<Aggregation> Copy() const;
  // Returns what the sources of its sessions show, as Report::shown; nothing for groups.
  std::map<std::string, uint64_t> Shown() const;
  // Takes out the sessions that no record that begins at `time` or later can belong to. So a stream is read in bounded
  // memory: update, take the ended sessions, go on. kInvalidArgument for groups. O(sessions).
  absl::StatusOr<Table> TakeIdle(int64_t time);
  // Returns, of sessions, how many began at each interface, as far as it saw packets of their client: `interface`,
  // `direction` of the client's packets there (ingress, egress; null: the log does not tell), `client`, `server`,
  // `server_port`, `protocol`; `span`, how many of the ascending `cuts` (Unix seconds) are not behind the session's
  // start; `action` there (ACCEPT, REJECT; MIXED: of some records each), `client_known` (false: nobody was seen first),
  // `syn` (whether the client sent one; null but for TCP with flags), `state`, `answered`; `sessions` that are the same in all of
  // these, their `bytes` there in both directions, `first` start and `last` end. kInvalidArgument for groups.
  // O(sessions + rows log rows).
  absl::StatusOr<Table> Starts(const std::vector<int64_t>& cuts) const;
  // Saves it: the same bytes for the same records in any order. Size O(groups); O(groups log groups).
  std::string ToBytes();
  // Reads saved bytes; safe with any: kDataLoss for damaged ones, kInvalidArgument for others that are no aggregation.
  // Memory: eight times the bytes and 64 KiB at most, until it is updated or merged.
  static absl::StatusOr<Aggregation> FromBytes(std::string_view bytes);

  const Plan& plan() const&;
  const Plan& plan() const&& = delete;
  size_t groups() const;
  // Returns the memory of the groups.
  size_t bytes() const;

  // For the engine.
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  explicit Aggregation(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_PLAN_AGGREGATION_H_
