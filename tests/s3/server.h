// A small HTTP server in the process, that answers as a test says.
#ifndef VPCFLOW_TESTS_S3_SERVER_H_
#define VPCFLOW_TESTS_S3_SERVER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

struct Asked {
  std::string path, query;
  std::map<std::string, std::string> headers;  // names in lower case
};
struct Answered {
  int status = 200;
  std::string body{};
};

class Server {
 public:
  using Handler = std::function<Answered(const Asked&)>;  // called by several threads

  explicit Server(Handler handler) : handler_(std::move(handler)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || listen(listener_, 128) != 0 ||
        getsockname(listener_, generic, &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] {
      for (int one; (one = accept(listener_, nullptr, nullptr)) >= 0;) {
        const std::lock_guard lock(mutex_);
        open_.push_back(one);
        threads_.emplace_back([this, one] { Serve(one); });
      }
    });
  }
  ~Server() {
    shutdown(listener_, SHUT_RDWR);
    close(listener_);
    acceptor_.join();
    for (const int one : open_) shutdown(one, SHUT_RDWR);
    for (std::thread& thread : threads_) thread.join();
    for (const int one : open_) close(one);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<Asked> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void Serve(int connection) {
    std::string bytes;
    char buffer[4096];
    for (ssize_t n; (n = recv(connection, buffer, sizeof(buffer), 0)) > 0;) {
      bytes.append(buffer, static_cast<size_t>(n));
      for (size_t end; (end = bytes.find("\r\n\r\n")) != std::string::npos; bytes.erase(0, end + 4)) {
        const Asked asked = Parsed(bytes.substr(0, end + 2));
        {
          const std::lock_guard lock(mutex_);
          asked_.push_back(asked);
        }
        const Answered answer = handler_(asked);
        const std::string text = "HTTP/1.1 " + std::to_string(answer.status) +
                                 " X\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" +
                                 answer.body;
        if (send(connection, text.data(), text.size(), MSG_NOSIGNAL) < 0) return;
      }
    }
  }
  static Asked Parsed(const std::string& head) {
    Asked out;
    const size_t line = head.find("\r\n");
    const std::string target = head.substr(4, head.find(' ', 4) - 4);
    out.path = target.substr(0, target.find('?'));
    if (target.size() > out.path.size()) out.query = target.substr(out.path.size() + 1);
    for (size_t at = line + 2; at < head.size();) {
      const size_t end = head.find("\r\n", at), colon = head.find(": ", at);
      std::string name = head.substr(at, colon - at);
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      out.headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    return out;
  }

  const Handler handler_;
  const int listener_;
  int port_ = 0;
  std::thread acceptor_;
  std::mutex mutex_;
  std::vector<Asked> asked_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
};

#endif  // VPCFLOW_TESTS_S3_SERVER_H_
