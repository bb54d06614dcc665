#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace todo::front {

/// Owns a file descriptor; -1: none. Thread safety: none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = other.Release();
    }
    return *this;
  }

  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  /// Gives the descriptor away: from now on the caller owns it.
  int Release() { return std::exchange(fd_, -1); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

/// Remembers a descriptor that another part of this process owns, and tells whether the owner has
/// closed it. The number alone does not tell: it may be that of a newer descriptor.
/// Thread safety: none.
class OthersDescriptor {
 public:
  OthersDescriptor() = default;  // of none
  explicit OthersDescriptor(int fd) : fd_(fd), inode_(InodeOf(fd)) {}

  bool open() const { return fd_ >= 0 && inode_ != 0 && InodeOf(fd_) == inode_; }

 private:
  static ino_t InodeOf(int fd) {
    struct stat status {};
    return fstat(fd, &status) == 0 ? status.st_ino : 0;
  }

  int fd_ = -1;
  ino_t inode_ = 0;
};

}  // namespace todo::front
