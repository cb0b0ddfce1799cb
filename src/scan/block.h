// Blocks: whole lines of a source's text, in order. What the scan hands from the reader of a source to the parsers.
#ifndef VPCFLOW_SRC_SCAN_BLOCK_H_
#define VPCFLOW_SRC_SCAN_BLOCK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/container/open.h"
#include "vpcflow/container/container.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct Block {
  uint64_t offset = 0;            // of the text in the source's (unpacked) text
  std::string_view text;          // whole lines; the last of a source may lack its line end
  bool long_line = false;         // one line over the limit; then `text` is only its beginning
  bool unwrapped = false;         // the text was made of a container
  bool json = false;              // JSON as it is, in lines; JsonLines::kPadding bytes can be written behind it
  bool pieces = false;            // then: whatever the lines, up to a border that most likely is one of two pieces
  bool last = false;              // then: nothing follows
  bool cut = false;               // but an error
  bool beginning = false;         // then: the text is the beginning of one line over the limit
  std::vector<LineInfo> origins;  // then, by line: where it comes from
  bool no_records = false;        // some of them are entries without record
  std::unique_ptr<char[]> storage;
  size_t capacity = 0;
  size_t unread = 0;  // bytes at the beginning of `text` that BlockReader::Fill has still to read

  // Room for so many bytes, of which those that are kept stay.
  void Reserve(size_t keep, size_t wanted);
  LineKind KindOf(size_t line) const { return line < origins.size() ? origins[line].kind : LineKind::kMessage; }
};

// Cuts a source into blocks. Memory: one block and a partial line, whatever the size of the source. A line of more than
// `max_line` bytes is passed over and reported as a block of its own.
//
// Blocks follow each other, so one thread at a time may ask for the next. With `shared`, of files of plain text only
// the last bytes of a block are read then, which tell where it ends; whoever has it reads the rest, beside others.
class BlockReader {
 public:
  // `stored_bytes`, if given, grows by what is read of the source as stored; `opened`, if given, is its stream, from
  // the beginning.
  BlockReader(const Source& source, Container container, Source::Cancelled cancelled, size_t block_bytes,
              size_t max_line, uint64_t max_output, bool shared, std::atomic<uint64_t>* stored_bytes,
              std::unique_ptr<ByteStream> opened = nullptr)
      : source_(source),
        container_(container),
        cancelled_(std::move(cancelled)),
        block_bytes_(block_bytes),
        max_line_(max_line),
        max_output_(max_output),
        shared_(shared),
        stored_bytes_(stored_bytes),
        stream_(std::move(opened)) {}

  // False at the end. After an error the lines that were whole before it have been delivered, and nothing follows.
  // At MoreToCome, call it again: what was read is kept.
  absl::StatusOr<bool> Next(Block* out);
  // Before the first block: makes text of JSON too, as of other containers. What is fed must be read so.
  void UnwrapJson() { unwraps_json_ = true; }
  // From now on, makes a block of the whole lines before MoreToCome; else only of as many as fill one.
  void TakeShortBlocks(bool take) { short_blocks_ = take; }
  // Whether the last block is such a one.
  bool was_short() const { return was_short_; }
  // Puts the last block, of a stream, back: the next one begins with its lines.
  void PutBack(Block* block);
  // Reads what is unread of a block. After an error the block has the lines that were whole before it. Any thread.
  absl::Status Fill(Block* out) const;

 private:
  absl::Status Open();
  absl::StatusOr<size_t> Read(char* buffer, size_t size);
  bool NextUnread(Block* out);
  bool NextInMemory(Block* out);
  absl::StatusOr<bool> NextFromStream(Block* out);
  absl::Status SkipLongLine(Block* out);
  bool SkipLongLineInMemory(Block* out, size_t searched);
  void BeginLongLine(Block* out, std::string_view excerpt);
  void Reserve(Block* out, size_t keep, size_t room) const;
  size_t Whole(const char* data, size_t size) const;
  size_t MoreRoom(size_t room) const;
  void Finish(Block* out, const char* data, size_t size);
  void TakeOrigins(Block* out, size_t lines);

  Source source_;
  Container container_;  // as asked for, then as found
  Source::Cancelled cancelled_;
  size_t block_bytes_;
  size_t max_line_;
  uint64_t max_output_;
  size_t excerpt_ = 256;  // kept of a line that is too long
  bool shared_;
  std::atomic<uint64_t>* stored_bytes_;
  bool unwraps_json_ = false;
  bool open_ = false;
  bool json_ = false;                        // the text is JSON, which is given as it is
  bool pieces_ = false;                      // then: it goes on over its lines
  std::unique_ptr<ContainerOpener> opener_;  // while it is opened
  bool in_memory_ = false;
  bool at_end_ = false;
  std::unique_ptr<ByteStream> stream_;  // before Open as stored, then unpacked
  LineOrigins* origins_ = nullptr;      // of the stream
  RandomAccess* random_ = nullptr;      // of the stream, once it is read by place
  uint64_t place_ = 0;                  // then: what is read next
  std::string_view memory_;
  std::string carry_;      // the partial line behind the last block
  size_t begun_room_ = 0;  // bytes of the block that more has to come for
  absl::Status pending_;   // an error to report after the lines before it
  uint64_t blocks_ = 0;    // given so far
  uint64_t offset_ = 0;
  bool short_blocks_ = false;
  bool was_short_ = false;
  bool in_long_line_ = false;       // whose rest is to be passed over
  std::vector<LineInfo> put_back_;  // the origins of lines put back
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_BLOCK_H_
