#include <sys/mman.h>

#include <random>

#include "unit/testing.h"

namespace vpcflow {
namespace {

bool IsSeparator(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; }

// The obvious way.
void Check(const char* data, size_t size, const SeparatorIndex& index) {
  std::vector<uint32_t> positions, newlines;
  bool odd = false, runs = false, before = true;
  for (size_t i = 0; i < size; ++i) {
    const bool separator = IsSeparator(data[i]);
    if (separator) {
      if (data[i] == '\n') newlines.push_back(static_cast<uint32_t>(positions.size()));
      positions.push_back(static_cast<uint32_t>(i));
      odd |= data[i] != ' ' && data[i] != '\n';
      runs |= before;
    }
    before = separator;
  }
  if (size > 0 && data[size - 1] != '\n') {
    newlines.push_back(static_cast<uint32_t>(positions.size()));
    positions.push_back(static_cast<uint32_t>(size));
  }
  ASSERT_EQ(std::vector<uint32_t>(index.positions.begin(), index.positions.begin() + static_cast<long>(index.count)),
            positions);
  ASSERT_EQ(std::vector<uint32_t>(index.newlines.begin(), index.newlines.begin() + static_cast<long>(index.line_count)),
            newlines);
  ASSERT_EQ(index.odd, odd);
  ASSERT_EQ(index.runs, runs);
}

TEST(Separators, EveryByteAtEveryPlaceOfAWord) {
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t at = 0; at < 17; ++at) {
      std::string text(17, 'x');
      text[at] = static_cast<char>(byte);
      SeparatorIndex index;
      IndexSeparators(text.data(), text.size(), &index);
      Check(text.data(), text.size(), index);
    }
  }
}

TEST(Separators, RandomTexts) {
  std::mt19937 random(3);
  SeparatorIndex index;
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 100, '\0');
    for (char& c : text) c = random() % 3 == 0 ? " \n\t\r\x7f\0"[random() % 6] : static_cast<char>(random());
    IndexSeparators(text.data(), text.size(), &index);
    Check(text.data(), text.size(), index);
  }
}

// Nothing is read outside the text: it stands between two pages that cannot be read.
TEST(Separators, NothingBeyondTheText) {
  const size_t page = 4096;
  char* map = static_cast<char*>(mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(map, MAP_FAILED);
  for (size_t i = 0; i < page; ++i) map[page + i] = i % 7 == 0 ? ' ' : 'y';
  mprotect(map, page, PROT_NONE);
  mprotect(map + 2 * page, page, PROT_NONE);
  SeparatorIndex index;
  for (size_t size = 0; size <= page; ++size) {
    IndexSeparators(map + 2 * page - size, size, &index);  // ends at the page
    IndexSeparators(map + page, size, &index);             // begins after one
  }
  munmap(map, 3 * page);
}

TEST(RecordParser, BlanksAndLineEnds) {
  RecordParser parser(Format::UpToVersion(2));
  RecordView record;
  const std::string plain =
      "2 123456789010 eni-1 10.0.0.1 2001:db8::1 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
  std::string tabs = plain, runs = "  " + plain + " \t ";
  for (char& c : tabs) c = c == ' ' ? '\t' : c;
  for (const std::string& line : {plain, plain + "\n", plain + "\r\n", tabs, runs, "\xEF\xBB\xBF" + plain}) {
    ASSERT_EQ(parser.Parse(line, &record), Errc::kOk) << line;
    EXPECT_EQ(record.bytes(), 4249);
    EXPECT_EQ(record.log_status(), LogStatus::kOk);
    EXPECT_EQ(record.version(), 2);
  }
}

TEST(RecordParser, ErrorsOfTheLine) {
  RecordParser parser(Format::Default());
  RecordView record;
  const auto parse = [&](const std::string& line) { return parser.Parse(line, &record); };
  EXPECT_EQ(parse("2 1 eni-1"), Errc::kTooFewFields);
  EXPECT_EQ(parse(""), Errc::kTooFewFields);
  EXPECT_EQ(parse("2 1 e 1.1.1.1 1.1.1.2 1 2 6 1 1 1 1 ACCEPT OK more"), Errc::kTooManyFields);
  EXPECT_EQ(parse(std::string("2 1 e 1.1.1.1 1.1.1.2 1 2 6 1 1 1 1 ACC\0PT OK", 46)), Errc::kControlByte);
  EXPECT_EQ(parse("2 1 e 1.1.1.1 1.1.1.2 1 2\r 6 1 1 1 1 ACCEPT OK"), Errc::kControlByte);
}

TEST(RecordView, NullsAndMalformedValues) {
  RecordParser parser(Format::Default());
  RecordView record;
  const std::string nodata = "2 123456789010 eni-1 - - - - - - - 1431280876 1431280934 - NODATA";
  ASSERT_EQ(parser.Parse(nodata, &record), Errc::kOk);
  EXPECT_FALSE(record.srcaddr().has_value());
  EXPECT_FALSE(record.action().has_value());
  EXPECT_FALSE(record.tcp_flags().has_value());  // not in the format
  EXPECT_FALSE(record.is_traffic());
  EXPECT_EQ(record.error(), Errc::kOk);
  const std::string bad = "2 123456789010 eni-1 10.0.0.300 - 70000 - - - - 1431280876 1431280934 - OK";
  ASSERT_EQ(parser.Parse(bad, &record), Errc::kOk);
  EXPECT_FALSE(record.srcport().has_value());
  EXPECT_EQ(record.error(), Errc::kOutOfRange);
  EXPECT_EQ(record.error_field(), Field::kSrcPort);
}

TEST(Record, OwnsWhatTheViewBorrowed) {
  std::vector<Record> kept;
  {
    RecordParser parser(Format::Default());
    std::string line = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
    RecordView record;
    ASSERT_EQ(parser.Parse(line, &record), Errc::kOk);
    kept.emplace_back(record);
    line.assign(line.size(), 'x');
  }
  EXPECT_EQ(ToString(*kept[0]->srcaddr()), "10.0.0.1");
  EXPECT_EQ(kept[0]->interface_id(), "eni-1");
}

}  // namespace
}  // namespace vpcflow
