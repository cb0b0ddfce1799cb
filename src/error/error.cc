#include "vpcflow/error/error.h"

#include <utility>

#include "absl/strings/cord.h"
#include "vpcflow/state/bytes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

absl::StatusCode CodeOf(ErrorKind kind) {
  switch (kind) {
#define VPCFLOW_X(id, name, code, meaning) \
  case ErrorKind::id: return absl::StatusCode::code;
    VPCFLOW_ERROR_KINDS(VPCFLOW_X)
#undef VPCFLOW_X
  }
  return absl::StatusCode::kUnknown;
}

ErrorKind KindOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kNotFound: return ErrorKind::kNotFound;
    case absl::StatusCode::kDataLoss: return ErrorKind::kDamaged;
    case absl::StatusCode::kResourceExhausted: return ErrorKind::kMemory;
    case absl::StatusCode::kCancelled: return ErrorKind::kCancelled;
    default: return ErrorKind::kSource;
  }
}

#define VPCFLOW_X(id, name, code, meaning) +1
constexpr uint8_t kKinds = 0 VPCFLOW_ERROR_KINDS(VPCFLOW_X);
#undef VPCFLOW_X

std::string Encode(ErrorKind kind, const ErrorPlace& place) {
  StateWriter out;
  out.Byte(static_cast<uint8_t>(kind));
  for (const std::string* text : {&place.field, &place.suggestion, &place.source, &place.reason}) out.Text(*text);
  for (const uint64_t number : {place.line, place.byte_offset, uint64_t{place.column}}) out.Number(number);
  out.Number(place.position ? *place.position + 1 : 0);
  return out.bytes();
}

absl::string_view Url() { return {kErrorUrl.data(), kErrorUrl.size()}; }

}  // namespace

std::string_view ErrorKindName(ErrorKind kind) {
  switch (kind) {
#define VPCFLOW_X(id, name, code, meaning) \
  case ErrorKind::id: return name;
    VPCFLOW_ERROR_KINDS(VPCFLOW_X)
#undef VPCFLOW_X
  }
  return "";
}

absl::Status MakeError(ErrorKind kind, std::string_view message, const ErrorPlace& place) {
  return WithKind(absl::Status(CodeOf(kind), absl::string_view(message.data(), message.size())), kind, place);
}

absl::Status WithKind(absl::Status status, ErrorKind kind, const ErrorPlace& place) {
  if (!status.ok()) status.SetPayload(Url(), absl::Cord(Encode(kind, place)));
  return status;
}

absl::Status WithSource(absl::Status status, std::string_view source) {
  if (status.ok()) return status;
  Error error = ErrorOf(status);
  if (error.place.source.empty()) error.place.source = source;
  return WithKind(std::move(status), error.kind, error.place);
}

absl::Status WithMessage(const absl::Status& status, std::string_view message) {
  absl::Status out(status.code(), absl::string_view(message.data(), message.size()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { out.SetPayload(url, payload); });
  return out;
}

Error ErrorOf(const absl::Status& status) {
  Error out{KindOf(status.code()), {}};
  const auto payload = status.GetPayload(Url());
  if (!payload) return out;
  const std::string bytes(*payload);
  StateReader in(bytes);
  const uint8_t kind = in.Byte();
  ErrorPlace place;
  for (std::string* text : {&place.field, &place.suggestion, &place.source, &place.reason}) *text = in.Text();
  place.line = in.Number();
  place.byte_offset = in.Number();
  place.column = static_cast<uint32_t>(in.Number());
  if (const uint64_t position = in.Number(); position > 0) place.position = position - 1;
  if (in.ok() && kind < kKinds) out = {static_cast<ErrorKind>(kind), std::move(place)};
  return out;
}

ErrorKind ErrorKindOf(const absl::Status& status) { return ErrorOf(status).kind; }

VPCFLOW_NAMESPACE_END
