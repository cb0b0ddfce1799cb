// Fuzz target of JSON: cut into pieces, and read where it stands.
#include <algorithm>
#include <string>
#include <utility>

#include "fuzz/targets.h"
#include "src/container/containers.h"
#include "src/container/json_lines.h"
#include "src/container/json_records.h"
#include "src/container/json_splitter.h"
#include "vpcflow/vpcflow.h"

namespace vpcflow_fuzz {
namespace {

using namespace vpcflow;

// The pieces of JSON that comes so many bytes at a time.
std::string JsonPieces(std::string_view bytes, size_t step) {
  internal::JsonSplitter splitter;
  std::string out;
  size_t begin = 0, end = 0;
  while (true) {
    const bool last = end == bytes.size();
    const internal::JsonSplitter::Piece piece = splitter.Next(bytes.substr(begin, end - begin), last);
    VPCFLOW_FUZZ_CHECK(piece.consumed <= end - begin);
    begin += piece.consumed;
    if (piece.kind == internal::JsonSplitter::Kind::kMore) {
      if (last) break;
      end = std::min(bytes.size(), end + step);
    } else if (piece.kind != internal::JsonSplitter::Kind::kNone) {
      out += std::to_string(static_cast<int>(piece.kind)) + " " + std::string(piece.text) + "\n";
    }
  }
  VPCFLOW_FUZZ_CHECK(begin == bytes.size());
  return out;
}

// Lines of JSON read where they stand, in parts of so many lines, are those that are written of them.
void JsonInPlace(std::string_view bytes, size_t step) {
  if (bytes.starts_with(internal::kByteOrderMark)) return;
  internal::RecordLines written;
  internal::JsonRecords records(&written);
  internal::JsonLines lines;
  TokenIndex index;
  std::vector<LineInfo> origins;
  internal::RecordLines::State state;
  std::string part, outer;
  while (!bytes.empty()) {
    size_t end = 0;
    for (size_t i = 0; i < step && end < bytes.size(); ++i) end = std::min(bytes.find('\n', end), bytes.size() - 1) + 1;
    part.assign(bytes.substr(0, end)).append(internal::JsonLines::kPadding, '\0');
    bytes.remove_prefix(end);
    written.out().clear();
    written.ClearKinds();
    for (size_t at = 0; at < end;) {
      const size_t line_end = std::min(part.find('\n', at), end);
      std::string_view line = std::string_view(part).substr(at, line_end - at);
      line = line.substr(0, line.find_last_not_of(" \r") + 1);
      if (line.find_first_not_of(" \t") != line.npos) records.Take(line);
      at = line_end + 1;
    }
    VPCFLOW_FUZZ_CHECK(lines.Take(std::string_view(part).substr(0, end), state, &index, &origins));
    state = {lines.columns(), state.no_records + lines.no_records(), lines.problem()};
    part += lines.written();
    std::string text;
    auto next = lines.written_lines().begin();
    for (size_t i = 0; i < index.line_count(); ++i) {
      const TextLine& line = index.line(i);
      VPCFLOW_FUZZ_CHECK(line.begin == text.size() && i < written.kinds().size() &&
                         origins[i].kind == written.kinds()[i]);
      if (next != lines.written_lines().end() && next->number == i) {
        text.append(part, next++->place, line.end - line.begin);
      } else {
        for (size_t t = line.first; t < line.first + line.count; ++t) {
          text.append(part, index.token(t).begin, index.token(t).end - index.token(t).begin) += ' ';
        }
        text.pop_back();
      }
      VPCFLOW_FUZZ_CHECK(line.end == text.size());
      text += '\n';
    }
    VPCFLOW_FUZZ_CHECK(text == written.out() && lines.bytes() == text.size());
  }
}

// However it comes, it is cut into the same pieces; its lines are what is written of them.
void Json(std::string_view bytes) {
  const std::string pieces = JsonPieces(bytes, bytes.size());
  for (const size_t step : {1, 5}) VPCFLOW_FUZZ_CHECK(JsonPieces(bytes, step) == pieces);
  for (const size_t step : {1, 3}) JsonInPlace(bytes, step);
}

std::vector<std::string> Seeds() {
  const std::string flow = R"({"account_id":"123456789010","srcaddr":"10.0.0.1","dstport":443,"bytes":5.0,)"
                           R"("start":"2025-11-29T07:06:40Z","action":"accept","team":"a b"})";
  std::string none = flow;
  none.replace(none.find("443"), 3, "null");
  const std::string message = R"({"message":"2 123456789010 eni-1 10.0.0.1 10.0.0.9 1 2 6 3 4 5 6 ACCEPT OK","id":1})";
  return {
      flow + "\n" + flow + "\n" + none + "\r\n" + flow,
      flow + "\n" + R"({"x":1,"bytes":2,"srcaddr":"::1"})" + "\n" + flow + "\n" + flow,
      message + "\n" + message + "\n" + flow + "\n" + message,
      "[" + flow + ",\n" + flow + "]\n{\"events\":[" + message + "," + message + "]}\n" + flow + flow + "\nnull\n{}"};
}

}  // namespace

std::vector<Target> JsonTargets() { return {{"json", Json, Seeds}}; }

}  // namespace vpcflow_fuzz
