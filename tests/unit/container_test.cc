#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/container/containers.h"
#include "src/container/json_splitter.h"
#include "unit/testing.h"

namespace vpcflow {
namespace {

using internal::JsonSplitter;
using ::testing::ElementsAre;

// The pieces of a text that comes `step` bytes at a time, as letters of their kind and their text without blanks
// around.
std::vector<std::string> Pieces(const std::string& all, size_t step) {
  JsonSplitter splitter;
  std::vector<std::string> out;
  size_t begin = 0, end = 0;
  while (true) {
    const bool last = end == all.size();
    const JsonSplitter::Piece piece = splitter.Next(std::string_view(all).substr(begin, end - begin), last);
    begin += piece.consumed;
    EXPECT_LE(begin, end);
    if (piece.kind == JsonSplitter::Kind::kMore) {
      if (last) return out;
      end = std::min(all.size(), end + step);
    } else if (piece.kind != JsonSplitter::Kind::kNone) {
      constexpr const char* kLetters[] = {"", "", "element ", "entry ", "document ", "too long ", "cut "};
      std::string text(piece.text.substr(0, 60));
      text.erase(0, text.find_first_not_of(" \n"));
      text.erase(text.find_last_not_of(" \n") + 1);
      out.push_back(kLetters[static_cast<size_t>(piece.kind)] + text);
    }
  }
}

TEST(JsonSplitter, PiecesOfDocuments) {
  for (const size_t step : {1, 2, 3, 7, 1000}) {
    const auto pieces = [step](const std::string& text) { return Pieces(text, step); };
    EXPECT_THAT(pieces(""), ElementsAre());
    EXPECT_THAT(pieces(" \n\n"), ElementsAre());
    EXPECT_THAT(pieces("{\"a\":\n[1, {}]}\n{}"), ElementsAre("document {\"a\":\n[1, {}]}", "document {}"));
    EXPECT_THAT(pieces("[\n{\"a\": \"]\"}, [2,3],\n4 ]"),
                ElementsAre("element {\"a\": \"]\"}", "element [2,3]", "element 4", "document []"));
    EXPECT_THAT(pieces("{\"x\": {\"events\": [1]}, \"events\" : [\n{\"a\":[1,2]} , \"b\"], \"y\": 2}"),
                ElementsAre("entry {\"a\":[1,2]}", "entry \"b\"",
                            "document {\"x\": {\"events\": [1]}, \"events\" : [], \"y\": 2}"));
    EXPECT_THAT(pieces("{\"records\": [], \"results\": [[1],[2]]}"),
                ElementsAre("entry [1]", "entry [2]", "document {\"records\": [], \"results\": []}"));
    EXPECT_THAT(pieces("{\"took\": 1, \"hits\": {\"total\": 2, \"hits\": [{\"hits\": []}, 2]}, \"x\": 1}"),
                ElementsAre("entry {\"hits\": []}", "entry 2",
                            "document {\"took\": 1, \"hits\": {\"total\": 2, \"hits\": []}, \"x\": 1}"));
    EXPECT_THAT(
        pieces("{\"data\": {\"hits\": [1], \"result\": [[2]]}, \"hits\": {\"result\": [3]}, \"x\": {\"hits\": [4]}}"),
        ElementsAre("entry [2]", "document {\"data\": {\"hits\": [1], \"result\": []}, \"hits\": {\"result\": [3]"));
    EXPECT_THAT(pieces("{\"hits\": {\"x\": {\"hits\": [1]}}, \"y\": [{\"hits\": [2]}]}"),
                ElementsAre("document {\"hits\": {\"x\": {\"hits\": [1]}}, \"y\": [{\"hits\": [2]}]}"));
    // Nothing between commas is malformed, nothing at all is not.
    EXPECT_THAT(pieces("[ ,1,]"), ElementsAre("element ", "element 1", "element ", "document []"));
    // Quotes and brackets within strings; backslashes before quotes.
    EXPECT_THAT(pieces(R"(["\"]", "\\", "a\\\",[", 5])"),
                ElementsAre(R"(element "\"]")", R"(element "\\")", R"(element "a\\\",[")", "element 5", "document []"));
    // A lost quote costs its piece, if no bracket stands behind it in its line.
    EXPECT_THAT(pieces("[{\"a: 1,\n\"b\": 2},\n3]"),
                ElementsAre("element {\"a: 1,\n\"b\": 2}", "element 3", "document []"));
    EXPECT_THAT(pieces("[{\"a: 1},\n3]"), ElementsAre("cut {\"a: 1},\n3]"));
    EXPECT_THAT(pieces("x\n\"y\n{\"a\": 1}"), ElementsAre("document x", "document \"y", "document {\"a\": 1}"));
    EXPECT_THAT(pieces("{\"messageType\": \"CONTROL_MESSAGE\", \"logEvents\": [{}]}"),
                ElementsAre("document {\"messageType\": \"CONTROL_MESSAGE\", \"logEvents\": [{}]}"));
    EXPECT_THAT(pieces("[1, {\"a\": \"b\\\\"), ElementsAre("element 1", "cut {\"a\": \"b\\\\"));
    EXPECT_THAT(pieces("{\"a\": [\n"), ElementsAre("cut {\"a\": ["));
  }
}

TEST(JsonSplitter, WhatIsTooLongIsPassedOver) {
  const std::string item = "\"" + std::string(JsonSplitter::kMaxPiece, 'x') + "\"";
  for (const size_t step : {size_t{1} << 16, size_t{1} << 30}) {
    const std::vector<std::string> pieces =
        Pieces("[1," + item + ",2]\n{\"a\": " + item + ", \"events\": [3], \"b\": 4}{\"c\": 5}", step);
    std::vector<std::string> starts;
    for (const std::string& piece : pieces) starts.push_back(piece.substr(0, 14));
    EXPECT_EQ(std::count(starts.begin(), starts.end(), "too long \"xxxx"), 1) << step;
    EXPECT_EQ(std::count(starts.begin(), starts.end(), "too long {\"a\":"), 1) << step;
    EXPECT_EQ(std::count(starts.begin(), starts.end(), "document {\"c\":"), 1) << step;
    for (const char* other : {"element 1", "element 2", "document []"})
      EXPECT_EQ(std::count(starts.begin(), starts.end(), other), 1) << other << " " << step;
    EXPECT_EQ(pieces.size(), 7u) << step;
  }
}

// Gives a text at most `step` bytes at a time, then an error.
class DamagedStream final : public ByteStream {
 public:
  DamagedStream(std::string text, size_t step) : text_(std::move(text)), step_(step) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (text_.empty()) return absl::DataLossError("damaged");
    const size_t n = text_.copy(buffer, std::min(size, step_));
    text_.erase(0, n);
    return n;
  }

 private:
  std::string text_;
  size_t step_;
};

// The lines of a damaged container, without those that say that an entry has no record.
std::vector<std::string> LinesBeforeDamage(Container container, const std::string& text, size_t step) {
  const auto stream = internal::Unwrap(container, "x", std::make_unique<DamagedStream>(text, step));
  std::string all(1 << 16, '\0');
  size_t size = 0;
  while (true) {
    const absl::StatusOr<size_t> n = stream->Read(all.data() + size, 1000);
    if (!n.ok()) {
      EXPECT_EQ(n.status(), absl::DataLossError("damaged"));
      break;
    }
    EXPECT_GT(*n, 0u);
    size += *n;
  }
  std::vector<std::string> lines;
  std::vector<LineInfo> infos;
  stream->TakeOrigins(size, &infos);
  size_t number = 0;
  for (size_t at = 0; at < size; at = all.find('\n', at) + 1) {
    if (infos.at(number++).kind != LineKind::kNoRecord) lines.push_back(all.substr(at, all.find('\n', at) - at));
  }
  EXPECT_EQ(infos.size(), number);
  return lines;
}

TEST(Unwrap, WhatIsWholeBeforeDamageIsReadAndNoMore) {
  const std::string event = R"({"message": "1 2 3"})", thing = R"({"srcaddr": "1.2.3.4", "bytes": 5})";
  const std::pair<Container, std::string> containers[] = {
      {Container::kJson, "{\"a\": 1, \"events\": [\n" + event + ",\n" + event + ", " + event + "\n]}\n" + event},
      {Container::kJson, "{\"events\": [" + event + "," + event + "]}"},
      {Container::kJson, event + "\n" + thing + event + "\n" + thing + "\n"},
      {Container::kCsv, "@timestamp,@message\n1,\"1 2 3\"\n2,4 5 6\n"},
      {Container::kCsv, "srcaddr,bytes\n1.2.3.4,5\n1.2.3.4,66\n"},
      {Container::kExport, "2018-09-22T20:28:14.000Z 1 2 3\n2018-09-22T20:28:14.000Z 4 5 66\n"},
  };
  for (const auto& [container, text] : containers) {
    const std::vector<std::string> whole = LinesBeforeDamage(container, text + "\n", 1000);
    ASSERT_GE(whole.size(), 2u) << text;
    for (size_t n = 0; n < text.size(); ++n) {
      for (const size_t step : {1, 7, 1000}) {
        const std::vector<std::string> lines = LinesBeforeDamage(container, text.substr(0, n), step);
        ASSERT_LE(lines.size(), whole.size());
        EXPECT_TRUE(std::equal(lines.begin(), lines.end(), whole.begin())) << text.substr(0, n);
      }
    }
  }
  // Also of a document of one line.
  const std::string& line = containers[1].second;
  EXPECT_EQ(LinesBeforeDamage(Container::kJson, line.substr(0, line.size() - 3), 1000).size(), 1u);
}

}  // namespace
}  // namespace vpcflow
