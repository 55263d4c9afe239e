#pragma once

#include <cstdint>

namespace vultus {

/// Copies between host and device.
struct Transfers {
  int64_t uploads = 0, downloads = 0;
  int64_t upload_bytes = 0, download_bytes = 0;

  Transfers& operator+=(const Transfers& more) {
    uploads += more.uploads;
    downloads += more.downloads;
    upload_bytes += more.upload_bytes;
    download_bytes += more.download_bytes;
    return *this;
  }
  Transfers& operator-=(const Transfers& part) {
    uploads -= part.uploads;
    downloads -= part.downloads;
    upload_bytes -= part.upload_bytes;
    download_bytes -= part.download_bytes;
    return *this;
  }
};
inline Transfers operator+(Transfers a, const Transfers& b) {
  return a += b;
}
inline Transfers operator-(Transfers a, const Transfers& b) {
  return a -= b;
}

}  // namespace vultus
