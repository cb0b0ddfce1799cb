// EventMaker: the rows that a document, or a line of text, of a source is.
#ifndef VPCFLOW_SRC_EVENTS_EVENT_MAKER_H_
#define VPCFLOW_SRC_EVENTS_EVENT_MAKER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "src/events/document_values.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct EventRow {
  std::string_view severity{};
  std::vector<std::string> entities{};  // `count` of them
  size_t count = 0;
  std::string key{};
  std::string attrs{};  // JSON

  void Clear() {
    count = 0;
    attrs = "{";
  }
  // Adds an entity that is not there yet; none that is empty.
  void AddEntity(std::string_view entity);
  void AddEntity(const Element* value) { AddEntity(Text(value)); }
  void AddEntity(const std::optional<Element>& value) { AddEntity(Text(value)); }
  // Adds an attr; no value, and one that is not plain, is none.
  void AddAttr(std::string_view name, const Element* value);
  void AddAttr(std::string_view name, const std::optional<Element>& value) { AddAttr(name, value ? &*value : nullptr); }
  void AddText(std::string_view name, std::string_view text);  // not if it is empty
  void AddNumber(std::string_view name, int64_t number);
};

class EventMaker {
 public:
  using Take = absl::FunctionRef<void(const EventRow&, bool first)>;

  EventMaker() = default;
  virtual ~EventMaker() = default;
  EventMaker(const EventMaker&) = delete;
  EventMaker& operator=(const EventMaker&) = delete;

  // Looks at a document, or at a line that is no JSON. False if it is no event of the source.
  virtual bool Begin(const Element& /*document*/) { return false; }
  virtual bool BeginLine(std::string_view /*line*/) { return false; }
  // Of what was looked at.
  std::string_view source() const { return source_; }
  std::string_view kind() const { return kind_; }
  std::string_view version() const { return version_; }  // of deliveries of one event the highest counts
  int64_t time() const { return time_; }
  int64_t end() const { return end_; }
  // Gives the rows of what was looked at, which is at `place`.
  virtual void Rows(std::string_view place, Take take) = 0;

 protected:
  std::string_view source_, kind_, version_;
  int64_t time_ = 0, end_ = 0;
  EventRow row_;
};

// Requests and queries: Route 53 Resolver, WAF, and the access logs of load balancers, whose lines are cells.
std::unique_ptr<EventMaker> MakeDns();
std::unique_ptr<EventMaker> MakeWaf();
std::unique_ptr<EventMaker> MakeAlb();
std::unique_ptr<EventMaker> MakeNlb();
std::unique_ptr<EventMaker> MakeClb();
// Findings. Those of GuardDuty are events of that source also where Security Hub has them.
std::unique_ptr<EventMaker> MakeGuardDuty();
std::unique_ptr<EventMaker> MakeSecurityHub();
// Whether a finding of Security Hub is one that vpcflow sent there.
bool IsOwnFinding(const Element& finding);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_EVENT_MAKER_H_
