// Worker: what one thread does with rows for a set of plans.
#ifndef VPCFLOW_SRC_PLAN_RUN_WORKER_H_
#define VPCFLOW_SRC_PLAN_RUN_WORKER_H_

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "src/plan/bind/plan_impl.h"
#include "src/plan/group/state.h"
#include "src/plan/rows/state.h"
#include "src/scan/rows.h"
#include "src/session/state.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The columns that a set of plans reads, each once, and where each plan finds its own.
struct SlotMap {
  explicit SlotMap(std::span<const Plan> plans);
  std::vector<FieldRef> fields;
  std::vector<std::vector<int>> slots;  // by plan: the column of its i-th field
  bool check_all = false;
};

// Makes the state of a plan of sessions. `slots[i]` is the batch column of the plan's i-th field.
// `filtered` tells that a filter stands before it.
SessionState MakeSessionState(const PlanImpl& plan, const std::vector<int>& slots, bool filtered);

class Worker {
 public:
  // `chosen`: takes the records that pass the filter of another plan, too, whose slots are the map's last.
  // `shared`: plans with the same keys have their groups in one state.
  Worker(std::span<const Plan> plans, const SlotMap& map, const Plan* chosen = nullptr, bool shared = true);

  // Takes the rows of one batch through all plans.
  void Process(Rows* rows);
  // No plan wants records without traffic, not even to look at their values.
  bool traffic_only() const { return traffic_only_ && !map_.check_all && !asked_; }
  // Sets in a report what this worker counted for a plan so far: Report::matched, and the times of PlanSpec::asked.
  void Count(size_t plan, Report* report) const;
  // A selection has all the rows it wanted (only with one plan).
  bool satisfied() const;

  // The groupings, each of one or several plans, and the one of a plan with the plan's number in it.
  size_t group_states() const { return groups_.size(); }
  GroupState* group_state(size_t i) { return groups_[i].get(); }
  GroupState* group_state_of(size_t plan) { return groups_[states_[plan].group].get(); }
  Table Finish(size_t plan) { return groups_[states_[plan].group]->Finish(states_[plan].member); }
  RowState* rows(size_t plan) { return states_[plan].rows.get(); }
  SessionState* sessions(size_t plan) { return states_[plan].sessions.get(); }
  // Memory of groups and rows.
  size_t bytes() const;
  // By slot: some source had the field. Any: some source had a format at all.
  const std::vector<uint8_t>& seen() const { return seen_; }
  bool any() const { return any_; }

 private:
  struct BoundFilter {
    const Filter* filter;
    std::vector<int> columns;  // of the batch: its fields
  };
  struct State {
    const PlanImpl* plan;
    const std::vector<int>* slots;
    std::vector<BoundFilter> filters;
    std::vector<int> needed;  // batch columns of what it reads besides
    size_t group = 0;         // of groups_, if it groups, and its number there
    size_t member = 0;
    std::unique_ptr<RowState> rows;          // if it selects
    std::unique_ptr<SessionState> sessions;  // if it makes sessions
    uint64_t matched = 0;                    // records that passed its filters
    bool groups() const { return rows == nullptr && sessions == nullptr; }
  };

  void Bind(const PlanImpl& plan, const std::vector<int>& slots, State* state) const;
  void Ask(const PlanSpec& spec);
  void LoadAll(Rows* rows);
  void CountAsked(Rows* rows);
  void ProcessOne(Rows* rows);
  void ProcessSeveral(Rows* rows);
  void DropNoTraffic(Rows* rows);
  // Marks the rows that a plan wants in keep_; true if all.
  bool Select(const State& state, const Rows& rows);
  void Consume(State* state, const Batch& batch, const Rows& rows);
  const Batch& Gather(const State& state, const Batch& batch);

  const SlotMap& map_;
  std::vector<State> states_;  // by plan
  std::vector<std::unique_ptr<GroupState>> groups_;
  bool traffic_only_ = true;  // no plan wants NODATA and SKIPDATA records
  // The time that the plans ask for (those of one input ask for the same), the slot of `start`, and what was counted.
  std::optional<TimeSpan> asked_;
  size_t start_slot_ = 0;
  uint64_t in_time_ = 0;
  int64_t first_start_ = std::numeric_limits<int64_t>::max();
  int64_t last_start_ = std::numeric_limits<int64_t>::min();
  std::vector<uint8_t> seen_;
  bool any_ = false;
  std::vector<Tri> passes_;      // scratch
  std::vector<uint8_t> keep_;    // scratch
  std::vector<size_t> to_load_;  // scratch: slots
  std::vector<uint32_t> kept_;   // scratch
  Batch gathered_;               // scratch
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_RUN_WORKER_H_
