// Values of documents, whose shapes change: members, lists, times, and their JSON.
#ifndef VPCFLOW_SRC_EVENTS_DOCUMENT_VALUES_H_
#define VPCFLOW_SRC_EVENTS_DOCUMENT_VALUES_H_

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

using Element = simdjson::dom::element;

std::string_view Trimmed(std::string_view text);
std::string Lower(std::string_view text);  // of ASCII
std::string Upper(std::string_view text);

bool IsScalar(const Element& value);
// Whether a value is neither empty, zero, false nor null.
bool Counts(const Element& value);
// A plain value as text, which may stand in `scratch`.
std::string_view Word(const Element& value, std::string* scratch);
// The text that a value is; empty for others.
std::string_view Text(const Element* value);
inline std::string_view Text(const std::optional<Element>& value) { return Text(value ? &*value : nullptr); }

// The last member of that name, or nothing. `PascalMember` takes names that begin large, too, as get-findings writes
// them.
std::optional<Element> Member(const Element& value, std::string_view name);
std::optional<Element> PascalMember(const Element& value, std::string_view name);
// The member of a member ..., or nothing.
std::optional<Element> At(Element value, std::string_view path);
std::optional<Element> PascalAt(Element value, std::string_view path);
// The objects of a list: an array, {"items": [...]} or {"item": ...}; of others none.
std::vector<Element> ItemsIn(const std::optional<Element>& value);

// Reads a time: see ParseEventTime; numbers, too.
bool TimeOf(const Element& value, int64_t* seconds);
bool IsAddress(std::string_view text);
// Whether a text is the id of an instance, interface, security group, flow log or NAT gateway.
bool IsResource(std::string_view text);

// Appends a text as JSON, with quotes.
void AppendJson(std::string_view text, std::string* out);
// Appends a plain value as JSON.
void AppendValue(const Element& value, std::string* out);
// Appends the name of a member behind those that an object has, which begins with the last "{" of `out`.
void AppendName(std::string_view name, std::string* out);

// Two halves of a hash of a document or line, as text. Order of members and blanks change nothing. Not cryptographic.
std::string DigestOf(const Element& document);
std::string DigestOf(std::string_view line);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_DOCUMENT_VALUES_H_
