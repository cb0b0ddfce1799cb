#include "src/container/binary.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kZip = "a zip archive; unpack it first with unzip";
constexpr std::string_view kExcel = "an Excel workbook (a zip archive of XML); save its sheet as CSV first";
constexpr std::string_view kTar = "a tar archive; unpack it first with tar -x, and give the folder";
constexpr std::string_view kPcap = "a packet capture (pcap); it holds packets, not flow logs";
constexpr std::string_view kLz4 = "lz4; unpack it first with lz4 -d";
constexpr std::string_view kUtf16 = "UTF-16 text; convert it first with iconv -f UTF-16 -t UTF-8";
constexpr std::string_view kUtf32 = "UTF-32 text; convert it first with iconv -f UTF-32 -t UTF-8";
constexpr std::string_view kHtml = "an HTML page, not a log; the download may have failed";
constexpr std::string_view kImage = "an image, not a log";
constexpr std::string_view kArrow = "Arrow IPC (Feather); read it with an Arrow library and give vpcflow the table";

struct Magic {
  std::string_view bytes;
  std::string_view advice;
};
// None of these can begin a text.
constexpr Magic kMagic[] = {
    {"PK\x05\x06"sv, kZip},
    {"PK\x07\x08"sv, kZip},
    {"PAR1"sv, "Parquet; read it with an Arrow library and give vpcflow the table"},
    {"PARE"sv, "encrypted Parquet; decrypt it first with an Arrow library"},
    {"ARROW1"sv, kArrow},
    {"FEA1"sv, kArrow},
    {"\xFF\xFF\xFF\xFF"sv, kArrow},  // a stream; behind them a length, of a schema
    {"\xFD\x37zXZ\0"sv, "xz; unpack it first with xz -d"},
    {"\x5D\0\0"sv, "lzma; unpack it first with xz -d"},
    {"LZIP\x01"sv, "lzip; unpack it first with lzip -d"},
    {"\x89LZO\0"sv, "lzop; unpack it first with lzop -d"},
    {"\x1F\x9D"sv, "compress (.Z); unpack it first with uncompress"},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7z archive; unpack it first with 7z x"},
    {"Rar!\x1A\x07"sv, "a RAR archive; unpack it first with unrar"},
    {"\x04\x22\x4D\x18"sv, kLz4},
    {"\x02\x21\x4C\x18"sv, kLz4},
    {"\xFF\x06\0\0sNaPpY"sv, "snappy; unpack it first with snzip -d"},
    {"\x82SNAPPY\0"sv, "snappy (xerial); unpack it first"},
    {"Obj\x01"sv, "Avro; convert it first to Parquet, JSON or CSV"},
    {"SEQ\x06"sv, "a Hadoop SequenceFile; convert it first to text"},
    {"\x89HDF\r\n"sv, "HDF5; convert it first to Parquet or CSV"},
    {"SQLite format 3\0"sv, "an SQLite database; export its table as CSV first"},
    {"ElfFile\0"sv, "a Windows event log (evtx); it holds no flow logs"},
    {"age-encryption.org/"sv, "a file encrypted by age; decrypt it first with age -d"},
    {"%PDF-"sv, "a PDF document; give the log that it was made from"},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an old Office document (xls); save its sheet as CSV first"},
    {"\xA1\xB2\xC3\xD4"sv, kPcap},
    {"\xD4\xC3\xB2\xA1"sv, kPcap},
    {"\xA1\xB2\x3C\x4D"sv, kPcap},
    {"\x4D\x3C\xB2\xA1"sv, kPcap},
    {"\x0A\x0D\x0D\x0A"sv, "a packet capture (pcapng); it holds packets, not flow logs"},
    {"\xFF\xFE\0\0"sv, kUtf32},
    {"\0\0\xFE\xFF"sv, kUtf32},
    {"\xFF\xFE"sv, kUtf16},
    {"\xFE\xFF"sv, kUtf16},
    {"\x89PNG\r\n"sv, kImage},
    {"\xFF\xD8\xFF"sv, kImage},
    {"GIF8"sv, kImage},
    {"\x7F"
     "ELF"sv,
     "a program (ELF), not text"},
    {"\xCA\xFE\xBA\xBE"sv, "a program (Java or Mach-O), not text"},
    {"\xCF\xFA\xED\xFE"sv, "a program (Mach-O), not text"},
    {"\0asm"sv, "a program (WebAssembly), not text"},
};

// What has no magic bytes, by the name of the source, once it is no text.
constexpr Magic kEndings[] = {
    {".br", "brotli by its name; unpack it first with brotli -d"},
    {".snappy", "snappy by its name; unpack it first"},
    {".lz4", "lz4 by its name; unpack it first with lz4 -d"},
    {".lzo", "LZO by its name; unpack it first with lzop -d"},
    {".pkl", "a Python pickle by its name; it is not loaded, as that runs code: save the table as Parquet"},
    {".exe", "a program, not text"},
};

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\x1B') || byte == 0x7F;
}

// How many of the bytes, which may end within a character, text does not have: control bytes, and what is no UTF-8.
size_t CountOdd(std::string_view text) {
  size_t odd = 0;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const size_t more = first < 0xC2 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF5 ? 3 : 0;
    size_t have = 0;
    while (have < more && i + 1 + have < text.size() && (static_cast<unsigned char>(text[i + 1 + have]) & 0xC0) == 0x80)
      ++have;
    const bool fine = first < 0x80 ? !IsControl(text[i]) : more > 0 && (have == more || i + 1 + have == text.size());
    odd += !fine;
    i += 1 + (fine ? have : 0);
  }
  return odd;
}

bool BeginsAs(std::string_view text, std::string_view lower) {
  const auto same = [](char b, char a) { return b == (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a); };
  return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(), same);
}

bool EndsAs(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && BeginsAs(text.substr(text.size() - lower.size()), lower);
}

// A header of tar, with or without "ustar": its checksum is the sum of its bytes, itself as blanks.
bool IsTar(std::string_view head) {
  constexpr size_t kHeader = 512, kChecksum = 148, kChecksumSize = 8, kMagicAt = 257;
  const size_t end_of_name = head.find_first_of("\0\n"sv);
  if (end_of_name >= kMagicAt || head[end_of_name] == '\n') return false;
  if (head.size() > kMagicAt && head.substr(kMagicAt).starts_with("ustar")) return true;
  if (head.size() < kHeader) return false;
  uint32_t want = 0, sum = 0;
  size_t digits = 0;
  for (const char c : head.substr(kChecksum, kChecksumSize)) {
    if (c >= '0' && c <= '7') want = want * 8 + static_cast<uint32_t>(c - '0'), ++digits;
  }
  for (size_t i = 0; i < kHeader; ++i)
    sum += i >= kChecksum && i < kChecksum + kChecksumSize ? uint32_t{' '} : static_cast<unsigned char>(head[i]);
  return digits >= 4 && sum == want;
}

// UTF-16 or UTF-32 without a mark: of ASCII, every byte but one of two or four is zero.
std::string_view WideText(std::string_view head) {
  constexpr size_t kEnough = 256;
  head = head.substr(0, std::min(head.size() / 4 * 4, kEnough));
  if (head.size() < 8) return "";
  size_t zeros[4] = {};
  for (size_t i = 0; i < head.size(); ++i) zeros[i % 4] += head[i] == '\0';
  const size_t n = head.size() / 4, most = n - n / 8;
  const auto some = [&](size_t i) { return zeros[i] <= n / 8; };
  const auto all = [&](size_t i) { return zeros[i] >= most; };
  if ((some(0) && all(1) && all(2) && all(3)) || (all(0) && all(1) && all(2) && some(3))) return kUtf32;
  if ((some(0) && all(1) && some(2) && all(3)) || (all(0) && some(1) && all(2) && some(3))) return kUtf16;
  return "";
}

std::string_view ByMagic(std::string_view head) {
  if (head.starts_with("PK\x03\x04"sv))
    return head.find("[Content_Types].xml") != head.npos && head.find("word/") == head.npos ? kExcel : kZip;
  for (const Magic& magic : kMagic) {
    if (head.starts_with(magic.bytes)) return magic.advice;
  }
  // Magic that a text could begin with, and what stands behind it.
  if (head.starts_with("BZh") && head.size() > 3 && head[3] >= '1' && head[3] <= '9' &&
      (head.substr(4).starts_with("1AY&SY") || head.substr(4).starts_with("\x17rE8P\x90")))
    return "bzip2; unpack it first with bunzip2";
  if (head.starts_with("ORC") && head.size() > 4 && (IsControl(head[3]) || IsControl(head[4])))
    return "ORC; convert it first to Parquet, or read it with pyarrow.orc and give vpcflow the table";
  if (head.starts_with("MZ") && CountOdd(head) * 8 > head.size()) return "a program (Windows), not text";
  if (IsTar(head)) return kTar;
  return WideText(head);
}

std::string_view ByMarkup(std::string_view head) {
  std::string_view begun = head.substr(0, 1024);
  begun.remove_prefix(std::min(begun.find_first_not_of(" \t\r\n"), begun.size()));
  if (BeginsAs(begun, "<!doctype html") || BeginsAs(begun, "<html")) return kHtml;
  if (BeginsAs(begun, "<?xml") && begun.find("<Error>") != begun.npos)
    return "an error of S3 (XML), not a log; the download failed";
  if (BeginsAs(begun, "<?xml")) return "an XML document, not a log";
  return "";
}

}  // namespace

bool IsText(std::string_view text) { return CountOdd(text) == 0; }

std::string SeemsToBeBinary(std::string_view head, std::string_view name) {
  std::string_view advice = ByMagic(head);
  if (advice.empty()) advice = ByMarkup(head);
  if (!advice.empty()) return std::string(advice);
  // A text may have bad lines. If the first is one, and many bytes are odd, it is none.
  const std::string_view first = head.substr(0, head.find('\n'));
  if (CountOdd(first) == 0 || CountOdd(head) * 8 < head.size()) return "";
  for (const Magic& ending : kEndings) {
    if (EndsAs(name, ending.bytes)) return std::string(ending.advice);
  }
  return "binary data, not text";
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
