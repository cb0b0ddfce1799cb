// Feeders of aggregations: bytes that come in pieces.
#include <memory>
#include <mutex>
#include <utility>

#include "convert.h"

namespace vpcflow_python {
namespace {

using vpcflow::Aggregation;

// The bytes of a Python object, which keeps them where they are meanwhile.
class Bytes {
 public:
  explicit Bytes(const py::handle& data) {
    if (PyBytes_Check(data.ptr())) {
      bytes_ = {PyBytes_AS_STRING(data.ptr()), static_cast<size_t>(PyBytes_GET_SIZE(data.ptr()))};
      return;
    }
    if (PyObject_GetBuffer(data.ptr(), &view_, PyBUF_SIMPLE) != 0) {
      const bool has_bytes = PyObject_CheckBuffer(data.ptr()) != 0;
      PyErr_Clear();
      Raise("ArgumentError", has_bytes ? "feed: the bytes of a view must lie one behind the other"
                                       : std::string("feed: bytes, bytearray or memoryview is needed, not ") +
                                             Py_TYPE(data.ptr())->tp_name);
    }
    held_ = true;
    bytes_ = {static_cast<const char*>(view_.buf), static_cast<size_t>(view_.len)};
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() {
    if (held_) PyBuffer_Release(&view_);
  }
  std::string_view get() const { return bytes_; }

 private:
  Py_buffer view_{};
  bool held_ = false;
  std::string_view bytes_;
};

// A Feeder for several threads: each piece of bytes is taken whole. Damage is in the report: Python raises for it, with
// what could be read.
class SharedFeeder {
 public:
  SharedFeeder(std::shared_ptr<Aggregation> into, std::string name, const vpcflow::ScanOptions& options)
      : into_(std::move(into)),
        block_bytes_(options.block_bytes),
        feeder_(vpcflow::Feeder::Into(into_.get(), std::move(name), ForRunning(options, py::none()))) {}

  // Returns false for damage.
  bool Feed(const py::object& data) {
    const Bytes bytes(data);
    const size_t size = bytes.get().size();
    // Most pieces are only copied: not worth to let go of the interpreter for.
    if (std::unique_lock lock(mutex_, std::try_to_lock); lock && kept_ + size < block_bytes_) {
      kept_ += size;
      if (feeder_.Feed(bytes.get()).ok()) return true;
    }
    return Do([&] {
      kept_ = kept_ + size < block_bytes_ ? kept_ + size : 0;
      return feeder_.Feed(bytes.get());
    });
  }

  // Adds all whole lines to the aggregation. An error that ends the stream is kept for those who feed it.
  void Flush() {
    absl::Status status;
    {
      const py::gil_scoped_release release;
      const std::lock_guard lock(mutex_);
      kept_ = 0;
      status = feeder_.Flush();
    }
    if (!status.ok() && vpcflow::ErrorKindOf(status) == vpcflow::ErrorKind::kMissingField) RaiseStatus(status);
  }

  // Returns false for damage.
  bool Finish() {
    return Do([&] { return feeder_.Finish(); });
  }

  vpcflow::Report report() {
    const py::gil_scoped_release release;
    const std::lock_guard lock(mutex_);
    return feeder_.report();
  }
  bool waits_for_format() {
    const py::gil_scoped_release release;
    const std::lock_guard lock(mutex_);
    return feeder_.waits_for_format();
  }

 private:
  // Calls something that feeds, without the interpreter's lock. An error that feeding met before stays its error.
  template <class Fn>
  bool Do(Fn fn) {
    absl::Status status;
    vpcflow::Report report;
    {
      const py::gil_scoped_release release;
      const std::lock_guard lock(mutex_);
      status = fn();
      if (!status.ok()) report = feeder_.report();
    }
    RaiseUnlessDamage(status, report);
    return status.ok();
  }

  const std::shared_ptr<Aggregation> into_;
  const size_t block_bytes_;
  std::mutex mutex_;  // of what follows; waited for without the interpreter's
  size_t kept_ = 0;   // bytes that wait for a block
  vpcflow::Feeder feeder_;
};

}  // namespace

void BindFeeder(py::module_& m) {
  py::class_<SharedFeeder>(m, "Feeder")
      .def(py::init<std::shared_ptr<Aggregation>, std::string, const vpcflow::ScanOptions&>(), py::arg("into"),
           py::arg("name"), py::arg("options"))
      .def("feed", &SharedFeeder::Feed, py::arg("data"))
      .def("flush", &SharedFeeder::Flush)
      .def("finish", &SharedFeeder::Finish)
      .def_property_readonly("report", &SharedFeeder::report)
      .def_property_readonly("waits_for_format", &SharedFeeder::waits_for_format);
}

}  // namespace vpcflow_python
