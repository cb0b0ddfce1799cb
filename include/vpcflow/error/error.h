// Errors: the kind, field and place of a failure, carried by an absl::Status as a payload.
//
// Example:
//   const absl::StatusOr<vpcflow::Filter> filter = vpcflow::Filter::Parse("actoin = 'REJECT'");
//   if (vpcflow::ErrorKindOf(filter.status()) == vpcflow::ErrorKind::kField)
//     std::cerr << vpcflow::ErrorOf(filter.status()).place.suggestion << "\n";  // action
//
// Every status that the library makes has a kind. A status that a caller's own code makes (a source's read function)
// gets one by its code. Messages are for people; programs go by the kind.
#ifndef VPCFLOW_ERROR_ERROR_H_
#define VPCFLOW_ERROR_ERROR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// X(constant, name, status code, meaning)
#define VPCFLOW_ERROR_KINDS(X)                                                                             \
  X(kFormat, "format", kInvalidArgument, "a format text is wrong, or the format of a log cannot be found") \
  X(kFilter, "filter", kInvalidArgument, "a filter is wrong")                                              \
  X(kField, "field", kInvalidArgument, "a name is no field")                                               \
  X(kMissingField, "missing-field", kFailedPrecondition, "a field is in none of the logs read")            \
  X(kPlan, "plan", kInvalidArgument, "a query asks for something that does not fit together")              \
  X(kReject, "reject", kAborted, "a scan stopped at the first line that is no record")                     \
  X(kSource, "source", kUnavailable, "a source cannot be read")                                            \
  X(kNotFound, "not-found", kNotFound, "a source does not exist")                                          \
  X(kDamaged, "damaged", kDataLoss, "a source is damaged: cut, corrupt, or changed while it was read")     \
  X(kNoRecords, "no-records", kNotFound, "no record was read, or none in the time asked for")              \
  X(kState, "state", kInvalidArgument, "bytes are no saved state, or a damaged one, or a newer version's") \
  X(kMemory, "memory", kResourceExhausted, "the memory allowed or there is not enough")                    \
  X(kSynth, "synth", kInvalidArgument, "options of synthetic logs do not fit together")                    \
  X(kCancelled, "cancelled", kCancelled, "the caller ended it")

enum class ErrorKind : uint8_t {
#define VPCFLOW_X(id, name, code, meaning) id,
  VPCFLOW_ERROR_KINDS(VPCFLOW_X)
#undef VPCFLOW_X
};

// Returns the name of a kind ("missing-field").
std::string_view ErrorKindName(ErrorKind kind);

// The type URL of the payload.
inline constexpr std::string_view kErrorUrl = "vpcflow.dev/error";

// The subject of an error; empty or 0 where it has none of the sort.
struct ErrorPlace {
  std::string field{};               // the name as it was written; of a reject AWS's name
  std::string suggestion{};          // the nearest right name or value
  std::string source{};              // the source's name
  uint64_t line = 0;                 // in the source, from 1
  uint64_t byte_offset = 0;          // of that line in the unpacked text
  uint32_t column = 0;               // byte in that line, from 1
  std::string reason{};              // of a reject: ErrcName
  std::optional<size_t> position{};  // byte of an expression, from 0
};

struct Error {
  ErrorKind kind = ErrorKind::kSource;
  ErrorPlace place{};
};

// Makes a status of the kind's code with the payload.
absl::Status MakeError(ErrorKind kind, std::string_view message, const ErrorPlace& place = {});

// Adds the payload to a status, in place of one that it has. An OK status stays OK.
absl::Status WithKind(absl::Status status, ErrorKind kind, const ErrorPlace& place = {});

// Adds the name of the source to the payload if it has none. An OK status stays OK.
absl::Status WithSource(absl::Status status, std::string_view source);

// Returns the status with another message: the same code and payload.
absl::Status WithMessage(const absl::Status& status, std::string_view message);

// Returns the payload of a status; without one the kind goes by the code (kNotFound, kDataLoss, kResourceExhausted,
// kCancelled, else kSource). The status must not be OK.
Error ErrorOf(const absl::Status& status);
ErrorKind ErrorKindOf(const absl::Status& status);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_ERROR_ERROR_H_
